import { followShifts } from '../features/level-shift.ts'
import type { Shifts } from '../features/level-shift.ts'
import type { SignalMemory } from '../features/signal-memory.ts'
import type { AlarmState } from './alarm.ts'
import { mapped, rowScore } from './row-score.ts'
import type { Calibration } from './row-score.ts'
import { thresholdOf, watchScore } from './watch.ts'
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
}

export interface StandardRule {
  readonly falseAlarmsPerWeek: number
  readonly stepSeconds: number
  /** More than 1 where alarms were called normal, less where they were real. */
  readonly thresholdFactor?: number
  /** A signal that has been away from its level for this long has a new one. */
  readonly adoptLevelSeconds?: number
  /** An alarm that has lasted this long is the new normal. */
  readonly adoptAlarmSeconds?: number
}

/** Labelled faults of public data sets last up to a day; with one day in place of two, half of the rows of such faults were adopted too early. */
const adoptLevelSeconds = 2 * 86_400
const adoptAlarmSeconds = 43_200
/** Row scores are averaged over this many steps: single rows are noise, longer means come late. */
export const smoothingSteps = 5

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
    { score: raw, rule: { falseAlarmsPerWeek, stepSeconds, adoptAlarmSeconds: rule.adoptAlarmSeconds ?? adoptAlarmSeconds } })
  const adoptAfterSteps = Math.ceil((rule.adoptLevelSeconds ?? adoptLevelSeconds) / stepSeconds)
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
