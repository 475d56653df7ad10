import type { AnomalyRules } from '../domain.ts'
import { followShifts, startShifts } from '../features/level-shift.ts'
import type { Shifts } from '../features/level-shift.ts'
import type { SignalMemory } from '../features/signal-memory.ts'
import { peaksOverThreshold } from '../ml/peaks-over-threshold.ts'
import type { AlarmState } from './alarm.ts'
import { mapped, rowScore } from './row-score.ts'
import type { Calibration } from './row-score.ts'
import { startWatch, sustain, thresholdOf, watchScore } from './watch.ts'
import type { Watch } from './watch.ts'

/** What training rows said is normal for one service, and what has been accepted as normal since. */
export interface Standard {
  readonly calibration: Calibration
  /** Ring of the latest row scores, for smoothing. */
  readonly recentScores: Float64Array
  /** Of the smoothed row score, from training. */
  readonly threshold: number
  readonly watch: Watch
  readonly shifts: Shifts
  /** Whether scales follow calm samples within weeks: those of a service that learned by itself, and that nobody trains again. */
  readonly follows?: boolean
}

export interface StandardRule {
  readonly falseAlarmsPerWeek: number
  readonly stepSeconds: number
  /** More than 1 where alarms were called normal, less where they were real. */
  readonly thresholdFactor?: number
  readonly anomalies?: Pick<AnomalyRules, 'adoptLevelAfterSeconds' | 'adoptAlarmAfterSeconds'>
}

/** Labelled faults of public data sets last up to a day; with one day in place of two, half of the rows of such faults were adopted too early. */
const adoptLevelSeconds = 2 * 86_400
const adoptAlarmSeconds = 43_200
/** Row scores are averaged over this many steps: single rows are noise, longer means come late. */
export const smoothingSteps = 5

/**
 * The tail of training scores overstates later false alarms: asked for one a day, services of three public data sets had 0.4, 0.0 and 0.6 at
 * the rate itself, and 1.0, 0.4 and 0.7 at three times it.
 */
const rateFactor = 3
/** Thresholds begin a little below what the tail says, because they rise by themselves where that gives too many alarms, and never sink. */
const eagerness = 0.8

export interface StandardFacts {
  readonly calibration: Calibration
  /** False alarms wanted in one step. */
  readonly rate: number
  /** Their number. */
  readonly signals: number
  readonly follows?: boolean
}

/** What calm rows said is normal. @param scores smoothed row scores, in the order of time. */
export function standardFrom (scores: readonly number[], { calibration, rate, signals, follows = false }: StandardFacts): Standard {
  const threshold = eagerness * peaksOverThreshold(scores, rateFactor * rate)
  const sustained = sustainedScores(scores, threshold)
  const watch = startWatch(eagerness * peaksOverThreshold(sustained, rate), { short: median(scores) / threshold, sustained: median(sustained) })
  return { calibration, threshold, watch, shifts: startShifts(signals), recentScores: new Float64Array(smoothingSteps), follows }
}

const median = (values: readonly number[]) => Float64Array.from(values).sort()[values.length >> 1]

/** The sustained look at the same scores. */
function sustainedScores (scores: readonly number[], threshold: number): number[] {
  let level = scores[0] / threshold
  return scores.map(score => (level = sustain(level, score / threshold)))
}

export interface JudgedByStandard {
  readonly standard: Standard
  readonly memory: SignalMemory
  readonly alarm: AlarmState
  /** 0 to 1 on the scale that training gave: 0.5 is the training threshold. */
  readonly score: number
  /** What the score must reach at present, on the same scale. */
  readonly threshold: number
  /** Of what was measured to the present threshold. */
  readonly ratio: number
}

export interface Measured {
  /** Shape [components]. */
  readonly components: Float64Array
  /** Shape [signals], NaN for missing. */
  readonly x: Float64Array
  /** After `x` was measured. */
  readonly memory: SignalMemory
}

/** Judges a row by what training said is normal, and follows what has moved for good. Pure. */
export function judgeByStandard (before: { readonly standard: Standard, readonly alarm: AlarmState }, measured: Measured, rule: StandardRule): JudgedByStandard {
  const { standard } = before
  const { components, x } = measured
  const { stepSeconds, falseAlarmsPerWeek } = rule
  const recentScores = standard.recentScores.with(measured.memory.steps % smoothingSteps, rowScore(mapped(components, standard.calibration)))
  const raw = mean(recentScores) / (standard.threshold * (rule.thresholdFactor ?? 1))
  const threshold = thresholdOf(standard.watch, 'short')
  const { watch, alarm, ratio } = watchScore(standard.watch, before.alarm,
    { score: raw, rule: { falseAlarmsPerWeek, stepSeconds, adoptAlarmSeconds: rule.anomalies?.adoptAlarmAfterSeconds ?? adoptAlarmSeconds } })
  const adoptAfterSteps = Math.ceil((rule.anomalies?.adoptLevelAfterSeconds ?? adoptLevelSeconds) / stepSeconds)
  const { memory, shifts } = followShifts(measured.memory, standard.shifts, { x, adoptAfterSteps })
  return {
    standard: { ...standard, recentScores, watch, shifts },
    memory,
    alarm,
    score: raw / (raw + 1),
    threshold: threshold / (threshold + 1),
    ratio
  }
}

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length
