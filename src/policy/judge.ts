import type { AdvanceOptions } from '../features/anomaly-features.ts'
import { rowFeatures } from '../features/row-features.ts'
import type { SignalMemory } from '../features/signal-memory.ts'
import { learnRow, scoreIncrementally } from '../ml/incremental-forest.ts'
import type { IncrementalForest } from '../ml/incremental-forest.ts'
import type { IsolationForest } from '../ml/isolation-forest.ts'
import { nextAlarm, noAlarm, noveltyRule } from './alarm.ts'
import type { AlarmState } from './alarm.ts'
import { componentsOf } from './row-score.ts'
import { judgeByStandard } from './standard.ts'
import type { Measured, Standard, StandardRule } from './standard.ts'
import { nextStudy, standardOf, startStudy } from './study.ts'
import type { Study } from './study.ts'
import { emptySurprise, observe, presentSurprise, surprises } from './surprise.ts'
import type { Surprise } from './surprise.ts'

/** By what the samples of a service are judged. */
export interface Knowledge {
  /** What training rows, or a study of its own, said is normal; null where normal is what was seen so far. */
  readonly standard: Standard | null
  /** Used where there is no standard, and null where there is one. */
  readonly surprise: Surprise | null
  /** What shall become a standard; null or absent where there is one, or none shall be. */
  readonly study?: Study | null
  /** Its own forest, which follows what is no anomaly; null or absent where there is no standard. */
  readonly forest?: IncrementalForest | null
  /** Whether the sample before was so near to the threshold that scales may follow it; absent before the first. */
  readonly plausible?: boolean
}

export interface JudgeRule extends StandardRule {
  readonly model: { readonly forest: IsolationForest } | null
  readonly seasonSeconds?: number | null
  /** Whether a service without training rows studies what passes, to be judged by a standard of its own after some days; true where not given. */
  readonly studies?: boolean
}

/** One sample, measured. */
export interface Observation {
  readonly at: number
  /** Shape [signals], NaN for missing. */
  readonly x: Float64Array
  /** Shape [kinds, signals], of what somebody cares about. */
  readonly deviations: Float64Array
  /** After the sample was measured. */
  readonly memory: SignalMemory
}

export interface Judgement {
  readonly score: number
  readonly threshold: number
  /** Of what was measured to the threshold; 1 is the threshold. */
  readonly ratio: number
  readonly alarm: AlarmState
  /** With levels adopted. */
  readonly memory: SignalMemory
  /** After the sample. */
  readonly knowledge: Knowledge
}

/** Nothing is called anomalous before this many samples: what is usual must be known first. */
export const warmUpSteps = 150
export const daySeconds = 86_400
const secondsPerWeek = 604_800
/** An untrained service is never held to less than one alarm in this many steps: its tail is not known so far out, nor worth the noise. */
const leastAlarmSteps = 500
/** Several components are looked at in each step, but they rise together, and an excursion is one alarm: they count as two. */
const independentTests = 2
/**
 * Scales of a service that learned by itself follow all below this ratio to the threshold: left to what is below the threshold, they would shrink
 * wherever noise grows with the load, and alarms grow for ever. A mild fault of half a day moves them by a fiftieth of itself.
 */
const plausibleRatio = 2

export const nothingKnown: Knowledge = { standard: null, surprise: emptySurprise() }

/** False alarms wanted in one step. */
export function alarmRate ({ falseAlarmsPerWeek, stepSeconds }: Pick<StandardRule, 'falseAlarmsPerWeek' | 'stepSeconds'>): number {
  return falseAlarmsPerWeek * stepSeconds / secondsPerWeek
}

/** Scales follow every sample while nobody has said what is normal; afterwards they stay but for signals that joined later, or follow slowly what is plausible. */
export function learningOf ({ standard, plausible = true }: Knowledge): AdvanceOptions['learning'] {
  if (standard === null) return 'bounded'
  if (!plausible) return 'none'
  return standard.follows ? 'slow' : 'joined'
}

/** Judges one sample by what is known, then learns from it. Pure. */
export function judge (known: Knowledge, alarm: AlarmState, observation: Observation, rule: JudgeRule): Judgement {
  const { x, deviations, memory } = observation
  const row = rowFeatures(deviations, x.length)
  const forestScore = known.forest ? scoreIncrementally(known.forest, row) : rule.model?.forest.score(row) ?? NaN
  const measured = { components: componentsOf(row, forestScore), x, memory, row, at: observation.at }
  if (known.standard === null) return judgeUntrained(known, alarm, measured, rule)
  const judged = judgeByStandard({ standard: known.standard, alarm }, measured, rule)
  const { score, threshold, ratio } = judged
  const forest = judged.alarm.active || !known.forest ? known.forest : learnRow(known.forest, row)
  const knowledge = { standard: judged.standard, surprise: null, study: null, forest, plausible: ratio < plausibleRatio }
  return { score, threshold, ratio, alarm: judged.alarm, memory: judged.memory, knowledge }
}

interface Unjudged extends Measured { readonly row: Float64Array, readonly at: number }

function judgeUntrained (known: Knowledge, before: AlarmState, measured: Unjudged, rule: JudgeRule): Judgement {
  const { components, memory } = measured
  const earlier = presentSurprise(known.surprise)
  const found = surprises(earlier, components)
  const surprise = observe(earlier, components)
  const isWarm = memory.steps > warmUpSteps
  const rarity = -Math.log10(Math.min(alarmRate(rule) / independentTests, 1 / leastAlarmSteps))
  const ratio = isWarm ? Math.max(...found) / (rarity * (rule.thresholdFactor ?? 1)) : 0
  const alarm = isWarm ? nextAlarm(before, ratio, noveltyRule) : noAlarm
  // What follows an alarm is its echo: the recent mean has not forgotten it.
  const isCalm = !alarm.active && ratio < 1 && alarm.age >= noveltyRule.quietSteps
  const study = rule.studies === false ? null : known.study ?? startStudy(measured.at)
  const knowledge = study !== null && isCalm ? studied(study, surprise, measured, rule) : { standard: null, surprise, study }
  return { score: ratio / (ratio + 1), threshold: 0.5, ratio, alarm, memory, knowledge }
}

/** What is known after one more calm sample was studied: at the end of the study a standard. */
function studied (before: Study, surprise: Surprise, { row, components, memory, at }: Unjudged, rule: JudgeRule): Knowledge {
  const { seasonSeconds = daySeconds, stepSeconds } = rule
  const rules = { at, stepSeconds, seasonSeconds, rate: alarmRate(rule) }
  const study = nextStudy(before, { row, components, steps: memory.steps }, rules)
  const standard = standardOf(study, memory.signals.length, rules)
  return standard === null ? { standard, surprise, study } : { standard, surprise: null, study: null, forest: study.forest }
}
