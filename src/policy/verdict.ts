import type { AnomalyRules, Expectation, Sample, Verdict } from '../domain.ts'
import { advance } from '../features/anomaly-features.ts'
import { bounded, emptyMemory, widenMemory } from '../features/signal-memory.ts'
import type { SignalMemory } from '../features/signal-memory.ts'
import type { DriftWindows } from '../ml/drift.ts'
import type { IsolationForest } from '../ml/isolation-forest.ts'
import { noAlarm, severityOf } from './alarm.ts'
import type { AlarmState } from './alarm.ts'
import { causesOf, contributionsOf, keptContributions } from './causes.ts'
import { concerning } from './concern.ts'
import { driftOf, nextDrift } from './drift.ts'
import { daySeconds, judge, learningOf, nothingKnown, warmUpSteps } from './judge.ts'
import type { JudgeRule, Knowledge } from './judge.ts'
import { maintenanceFor } from './maintenance.ts'
import { nextSaturation, saturationOf, type SaturationState } from './saturation.ts'
import { emptyTail, nextTail, tailProbability } from './tail.ts'
import type { Tail } from './tail.ts'

/** What the detector remembers of one service. Numbers, strings, arrays and typed arrays only; its size is bounded. */
export interface AnomalyState extends Knowledge {
  readonly version: 1
  readonly memory: SignalMemory
  readonly alarm: AlarmState
  /** Absent before the first sample. */
  readonly saturation?: SaturationState
  /** Absent before the first sample. */
  readonly drift?: DriftWindows
  /** Shape [signals]: the most that each contributed of late; absent before the first sample. */
  readonly contributions?: Float64Array
  /** Absent before the first judged sample, and in what an earlier release has kept. */
  readonly tail?: Tail
  /** Epoch ms of the latest sample; 0 before the first. */
  readonly lastAt: number
}

/** The forest over row features that all services share, or one service's own. */
export interface AnomalyModel {
  readonly version: string
  readonly forest: IsolationForest
}

export interface DetectOptions extends JudgeRule {
  readonly model: AnomalyModel | null
  /** Length of the season that "the same time last season" means: a day where nobody says, null where there is none. */
  readonly seasonSeconds?: number | null
  /** What of each signal anybody cares about; everything where not given. */
  readonly anomalies?: AnomalyRules
  /** What somebody has called normal. */
  readonly expected?: readonly Expectation[]
  /** Signals beyond this many (by name) are not looked at; 100 where not given, which keeps the state of a service below 64 KiB. */
  readonly mostSignals?: number
  /** Causes are named when something is unusual, or always. */
  readonly explain?: 'unusual' | 'all'
}

export const mostSignals = 100

export function emptyAnomalyState (): AnomalyState {
  return { ...nothingKnown, version: 1, memory: emptyMemory(), alarm: noAlarm, lastAt: 0 }
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
  const x = new Float64Array(known.signals.length)
  for (let i = 0; i < x.length; i++) x[i] = bounded(sample.signals[known.signals[i]] ?? NaN)
  const position = placeInSeason(sample.at, options.seasonSeconds)
  const { memory: advanced, deviations: all } = advance(known, x, {
    position,
    elapsedSteps: elapsedSteps(state.lastAt, sample.at, options.stepSeconds),
    learning: learningOf(state)
  })
  const deviations = concerning(all, { memory: known, x, position }, options)
  const { score, threshold, ratio, alarm, memory, knowledge } = judge(state, state.alarm, { at: sample.at, x, deviations, memory: advanced }, options)
  const contributions = keptContributions(state.contributions, contributionsOf(deviations, x.length))
  // Scores have another scale from the sample on that gave the service a standard of its own.
  const tail = (state.standard === null) === (knowledge.standard === null) ? state.tail ?? emptyTail : emptyTail
  const warm = state.standard !== null || memory.steps > warmUpSteps
  const seen = warm && !alarm.active ? nextTail(tail, score) : tail
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
  const { standard, surprise, study, forest, plausible } = knowledge
  return {
    // Field by field: to spread them takes two microseconds of twenty.
    state: { version: 1, memory, standard, surprise, study, forest, plausible, alarm, saturation, drift, contributions, tail: seen, lastAt: sample.at },
    verdict: {
      service: sample.service,
      asOf: sample.at,
      score,
      threshold,
      isAnomaly: alarm.active,
      tailProbability: tailProbability(tail, score),
      severity,
      causes: options.explain === 'all' || severity !== 'none' ? causesOf({ memory: known, x, contributions, position, deviations }) : [],
      maintenance: warm ? maintenance : { ...maintenance, reason: `warming up, ${memory.steps} of ${warmUpSteps} samples; ${maintenance.reason}` },
      missingSignals,
      drift: driftOf(drift, known.signals),
      modelVersion: state.standard?.follows ? 'own' : options.model?.version ?? 'none'
    }
  }
}

const nameSets = new WeakMap<readonly string[], ReadonlySet<string>>()

/** The names of a memory as a set, made once for all samples that meet the same ones. */
function namesOf ({ signals }: SignalMemory): ReadonlySet<string> {
  const known = nameSets.get(signals) ?? new Set(signals)
  nameSets.set(signals, known)
  return known
}

function withSignalsOf (memory: SignalMemory, { signals }: Sample, most = mostSignals): SignalMemory {
  const known = namesOf(memory)
  const names = Object.keys(signals)
  if (names.every(name => known.has(name))) return memory
  const added = names.filter(name => !known.has(name)).sort().slice(0, Math.max(0, most - memory.signals.length))
  return added.length > 0 ? widenMemory(memory, added) : memory
}

function placeInSeason (at: number, seasonSeconds: number | null = daySeconds): number {
  return seasonSeconds === null ? NaN : (at / 1000 % seasonSeconds) / seasonSeconds
}

/** More than 1 after a gap; a sample that comes early counts as one step. */
function elapsedSteps (lastAt: number, at: number, stepSeconds: number): number {
  return lastAt > 0 ? Math.max(1, Math.round((at - lastAt) / 1000 / stepSeconds)) : 1
}
