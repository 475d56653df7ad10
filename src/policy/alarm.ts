import type { Severity } from '../domain.ts'

/** Whether an alarm is on, and what is needed to end it. */
export interface AlarmState {
  readonly active: boolean
  /** Steps since the latest alarm began; Infinity before the first. */
  readonly age: number
  /** Steps below the release level while on, less two for each above it. */
  readonly calm: number
}

export interface AlarmRule {
  /** An alarm ends when the score has been below this share of the threshold for `releaseSteps`, almost without a break. */
  readonly releaseShare: number
  readonly releaseSteps: number
  /** No alarm begins within this many steps after the begin of another. */
  readonly quietSteps: number
}

/** The score of a trained service is smoothed and keeps its meaning: one dip does not end an alarm, and a new one may follow at once. */
export const lastingRule: AlarmRule = { releaseShare: 0.65, releaseSteps: 30, quietSteps: 0 }
/** The score of an untrained one jumps, and what lasts becomes normal: an alarm is on while the score is, and what follows is its echo. */
export const noveltyRule: AlarmRule = { releaseShare: 1, releaseSteps: 1, quietSteps: 150 }

export const noAlarm: AlarmState = { active: false, age: Infinity, calm: 0 }

/** A step above the release level takes back two below it: the noise of a calm score must not keep an alarm for ever. */
const unrest = 2

/** The alarm after one more step. Pure. @param ratio score over threshold. @param isBelow whether the score is below the release level. */
export function nextAlarm ({ active, age, calm }: AlarmState, ratio: number, rule: AlarmRule, isBelow = ratio < rule.releaseShare): AlarmState {
  const { releaseSteps, quietSteps } = rule
  const below = active ? Math.max(0, isBelow ? calm + 1 : calm - unrest) : 0
  const stays = active && below < releaseSteps
  if (!stays && ratio >= 1 && age >= quietSteps) return { active: true, age: 0, calm: 0 }
  return { active: stays, age: age + 1, calm: stays ? below : 0 }
}

/** Whether a score after `before`, with the alarm now `after`, tells something new: it begins an alarm, or no alarm began within the quiet time. */
export function isNews (before: AlarmState, after: AlarmState, { quietSteps }: AlarmRule): boolean {
  return after.age === 0 || before.age >= quietSteps
}

/** Share of the threshold from which on something is worth a look. */
const lowFrom = 0.7
/** From this ratio of score to threshold on; the first that fits, from the top. */
const severities: readonly (readonly [number, Severity])[] = [[4, 'critical'], [2, 'high'], [0, 'medium']]

export function severityOf (active: boolean, ratio: number): Severity {
  if (!active) return ratio >= lowFrom ? 'low' : 'none'
  return severities.find(([from]) => ratio >= from)![1]
}
