import type { AnomalyRules, Expectation, Sample, Verdict } from '../domain.ts'
import { advance } from '../features/anomaly-features.ts'
import type { AdvanceOptions } from '../features/anomaly-features.ts'
import { rowFeatures } from '../features/row-features.ts'
import { emptyMemory, widenMemory } from '../features/signal-memory.ts'
import type { SignalMemory } from '../features/signal-memory.ts'
import type { DriftWindows } from '../ml/drift.ts'
import { learnRow, scoreIncrementally } from '../ml/incremental-forest.ts'
import type { IncrementalForest } from '../ml/incremental-forest.ts'
import type { IsolationForest } from '../ml/isolation-forest.ts'
import { nextAlarm, noAlarm, noveltyRule, severityOf } from './alarm.ts'
import type { AlarmState } from './alarm.ts'
import { causesOf, contributionsOf, keptContributions } from './causes.ts'
import { concerning } from './concern.ts'
import { driftOf, nextDrift } from './drift.ts'
import { maintenanceFor } from './maintenance.ts'
import { componentsOf } from './row-score.ts'
import { nextSaturation, saturationOf, type SaturationState } from './saturation.ts'
import { judgeByStandard } from './standard.ts'
import type { Measured, Standard, StandardRule } from './standard.ts'
import { nextStudy, standardOf, startStudy } from './study.ts'
import type { Study } from './study.ts'
import { emptySurprise, observe, presentSurprise, surprises } from './surprise.ts'
import type { Surprise } from './surprise.ts'

/** What the detector remembers of one service. Numbers, strings, arrays and typed arrays only; its size is bounded. */
export interface AnomalyState {
  readonly version: 1
  readonly memory: SignalMemory
  /** What training rows, or a study of its own, said is normal; null where normal is what was seen so far. */
  readonly standard: Standard | null
  /** Used where there is no standard, and null where there is one. */
  readonly surprise: Surprise | null
  /** What shall become a standard; absent before the first sample and where there is one. */
  readonly study?: Study
  /** Its own forest, which follows what is calm; absent where there is no standard. */
  readonly forest?: IncrementalForest
  /** Whether the sample before was so near to the threshold that scales may follow it. */
  readonly plausible?: boolean
  readonly alarm: AlarmState
  /** Absent before the first sample. */
  readonly saturation?: SaturationState
  /** Absent before the first sample. */
  readonly drift?: DriftWindows
  /** Shape [signals]: the most that each contributed of late; absent before the first sample. */
  readonly contributions?: Float64Array
  /** Epoch ms of the latest sample; 0 before the first. */
  readonly lastAt: number
}

/** The forest over row features that all services share, or one service's own. */
export interface AnomalyModel {
  readonly version: string
  readonly forest: IsolationForest
}

export interface DetectOptions extends StandardRule {
  readonly model: AnomalyModel | null
  /** Length of the season that "the same time last season" means: a day where nobody says, null where there is none. */
  readonly seasonSeconds?: number | null
  /** What of each signal anybody cares about; everything where not given. */
  readonly anomalies?: AnomalyRules
  /** What somebody has called normal. */
  readonly expected?: readonly Expectation[]
  /** Signals beyond this many (by name) are not looked at; 100 where not given, which keeps the state of a service below 64 KiB. */
  readonly mostSignals?: number
  /** Whether a service without training rows studies what passes, to be judged by a standard of its own after some days; true where not given. */
  readonly studies?: boolean
  /** Causes are named when something is unusual, or always. */
  readonly explain?: 'unusual' | 'all'
}

/** Nothing is called anomalous before this many samples: what is usual must be known first. */
export const warmUpSteps = 150
export const mostSignals = 100
const daySeconds = 86_400
const secondsPerWeek = 604_800

/** An untrained service is never held to less than one alarm in this many steps: its tail is not known so far out, nor worth the noise. */
const leastAlarmSteps = 500
/**
 * Scales of a service that learned by itself follow all below this ratio to the threshold: left to what is below the threshold, they would shrink
 * wherever noise grows with the load, and alarms grow for ever. A mild fault of half a day moves them by a fiftieth of itself.
 */
const plausibleRatio = 2
/** Several components are looked at in each step, but they rise together, and an excursion is one alarm: they count as two. */
const independentTests = 2

export function emptyAnomalyState (): AnomalyState {
  return { version: 1, memory: emptyMemory(), standard: null, surprise: emptySurprise(), alarm: noAlarm, lastAt: 0 }
}

export function alarmRate ({ falseAlarmsPerWeek, stepSeconds }: Pick<DetectOptions, 'falseAlarmsPerWeek' | 'stepSeconds'>): number {
  return falseAlarmsPerWeek * stepSeconds / secondsPerWeek
}

/**
 * Scores one sample against what is known of its service, then learns from it. Pure: `state` is left as it was.
 *
 * A service with training rows is judged by them alone, until it is trained again: how far its row lies from what was usual, averaged over
 * the kinds of deviation and five steps; what has moved for good is adopted. One without learns what is normal as it goes, warms up first, and is
 * judged by how rare the rarest kind is. Either way the score is raw / (raw + threshold), so that 0.5 is the threshold to begin with.
 */
export function detect (state: AnomalyState, sample: Sample, options: DetectOptions): { state: AnomalyState, verdict: Verdict } {
  const known = withSignalsOf(state.memory, sample, options.mostSignals)
  const x = Float64Array.from(known.signals, name => sample.signals[name] ?? NaN)
  const position = placeInSeason(sample.at, options.seasonSeconds)
  const { memory: advanced, deviations: all } = advance(known, x, {
    position,
    elapsedSteps: elapsedSteps(state.lastAt, sample.at, options.stepSeconds),
    learning: learningOf(state)
  })
  const deviations = concerning(all, { memory: known, x, position }, options)
  const row = rowFeatures(deviations, x.length)
  const forestScore = state.forest ? scoreIncrementally(state.forest, row) : options.model?.forest.score(row) ?? NaN
  const measured = { row, components: componentsOf(row, forestScore), x, memory: advanced }
  const contributions = keptContributions(state.contributions, contributionsOf(deviations, x.length))
  const { score, threshold, ratio, alarm, ...learned } = state.standard
    ? judgeByStandard({ standard: state.standard, alarm: state.alarm }, measured, options)
    : judgeBySurprise(state, measured, options)
  const { memory } = learned
  const taught = learnFrom(state, { ...measured, at: sample.at, alarm, ratio }, options)
  const warm = state.standard !== null || memory.steps > warmUpSteps
  const severity = severityOf(alarm.active, ratio)
  const missingSignals = known.signals.filter((_, i) => Number.isNaN(x[i]))
  const saturation = nextSaturation(state.saturation, sample, { ...options, memory, position, seasonSeconds: options.seasonSeconds ?? daySeconds })
  const drift = nextDrift(state.drift, { deviations: all, x, ratio, stepSeconds: options.stepSeconds })
  const maintenance = maintenanceFor({
    severity,
    alarmSeconds: alarm.active ? alarm.age * options.stepSeconds : 0,
    signals: sample.signals,
    missingSignals,
    saturation: saturationOf(saturation)
  })
  return {
    state: { ...state, ...learned, ...taught, alarm, saturation, drift, contributions, lastAt: sample.at },
    verdict: {
      service: sample.service,
      asOf: sample.at,
      score,
      threshold,
      isAnomaly: alarm.active,
      severity,
      causes: options.explain === 'all' || severity !== 'none' ? causesOf({ memory: known, x, contributions, position, deviations }) : [],
      maintenance: warm ? maintenance : { ...maintenance, reason: `warming up, ${memory.steps} of ${warmUpSteps} samples; ${maintenance.reason}` },
      missingSignals,
      drift: driftOf(drift, known.signals),
      modelVersion: state.standard?.follows ? 'own' : options.model?.version ?? 'none'
    }
  }
}

interface Judgement {
  readonly score: number
  readonly threshold: number
  readonly memory: SignalMemory
  /** Of what was measured to the threshold; 1 is the threshold. */
  readonly ratio: number
  readonly alarm: AlarmState
}

function judgeBySurprise (state: AnomalyState, { components, memory }: Measured, options: DetectOptions): Judgement & { surprise: Surprise } {
  const known = presentSurprise(state.surprise)
  const found = surprises(known, components)
  const surprise = observe(known, components)
  if (state.memory.steps < warmUpSteps) return { score: 0, threshold: 0.5, ratio: 0, alarm: noAlarm, memory, surprise }
  const rarity = -Math.log10(Math.min(alarmRate(options) / independentTests, 1 / leastAlarmSteps))
  const ratio = Math.max(...found) / (rarity * (options.thresholdFactor ?? 1))
  const alarm = nextAlarm(state.alarm, ratio, noveltyRule)
  return { score: ratio / (ratio + 1), threshold: 0.5, ratio, alarm, memory, surprise }
}

/** Scales follow every sample while nobody has said what is normal; afterwards they stay, or follow slowly what is plausible. */
function learningOf ({ standard, plausible }: AnomalyState): AdvanceOptions['learning'] {
  if (standard === null) return 'bounded'
  return standard.follows && plausible ? 'slow' : 'none'
}

interface Lesson extends Measured {
  readonly row: Float64Array
  readonly at: number
  readonly alarm: AlarmState
  readonly ratio: number
}

/** What a sample teaches beside the scales, if nothing was anomalous about it: a tree, a count, at last a standard. */
function learnFrom (state: AnomalyState, { row, components, memory, at, alarm, ratio }: Lesson, options: DetectOptions): Partial<AnomalyState> {
  if (state.standard !== null) {
    const plausible = ratio < plausibleRatio
    return !alarm.active && state.forest ? { plausible, forest: learnRow(state.forest, row) } : { plausible }
  }
  if (options.studies === false) return {}
  const study = state.study ?? startStudy(at)
  // What follows an alarm is its echo: the recent mean has not forgotten it.
  if (alarm.active || ratio >= 1 || alarm.age < noveltyRule.quietSteps) return { study }
  const { seasonSeconds = daySeconds, stepSeconds } = options
  const rules = { at, stepSeconds, seasonSeconds, rate: alarmRate(options) }
  const next = nextStudy(study, { row, components, steps: memory.steps }, rules)
  const standard = standardOf(next, memory.signals.length, rules)
  return standard === null ? { study: next } : { standard, forest: next.forest, study: undefined, surprise: null }
}

function withSignalsOf (memory: SignalMemory, { signals }: Sample, most = mostSignals): SignalMemory {
  const names = Object.keys(signals)
  if (names.length <= memory.signals.length && names.every(name => memory.signals.includes(name))) return memory
  const added = names.filter(name => !memory.signals.includes(name)).sort().slice(0, Math.max(0, most - memory.signals.length))
  return added.length > 0 ? widenMemory(memory, added) : memory
}

function placeInSeason (at: number, seasonSeconds: number | null = daySeconds): number {
  return seasonSeconds === null ? NaN : (at / 1000 % seasonSeconds) / seasonSeconds
}

/** More than 1 after a gap; a sample that comes early counts as one step. */
function elapsedSteps (lastAt: number, at: number, stepSeconds: number): number {
  return lastAt > 0 ? Math.max(1, Math.round((at - lastAt) / 1000 / stepSeconds)) : 1
}
