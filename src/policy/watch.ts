import { lastingRule, nextAlarm } from './alarm.ts'
import type { AlarmState } from './alarm.ts'

/**
 * How a trained service's scores become alarms. Two looks at the same score: at the last five steps, for what is short and strong, and at the last
 * hour of minutes, for what is weak and lasts. Both thresholds come from the tail of the training scores and rise while there are more alarms
 * than were asked for.
 */
export interface Watch {
  /** What is usual for the two looks, from training; absent in what an earlier release has kept. */
  readonly usual?: Usual
  /** Of the sustained look: mean over the last hour or so, in thresholds of the first look. */
  readonly sustained: number
  /** What `sustained` must reach, from training. */
  readonly sustainedThreshold: number
  /** Alarms of late beyond the rate that was asked for. */
  readonly pressure: number
  /** Mean of the score over the last hour or so, which an alarm that does not end is measured by. */
  readonly level: number
  /** Both thresholds are at least this much of what they were: 1, and more after an alarm that lasted was accepted. */
  readonly accepted: number
}

/** Medians of the scores, in thresholds of the first look. */
export interface Usual { readonly short: number, readonly sustained: number }

export interface WatchRule {
  readonly falseAlarmsPerWeek: number
  readonly stepSeconds: number
  /** An alarm that has lasted this long is the new normal: the thresholds rise above it, and sink back slowly. */
  readonly adoptAlarmSeconds: number
}

/** Steps of the sustained look. Half as many lose lasting faults of labelled services, twice as many come late. */
export const sustainedSteps = 60
/** One far value says nothing of what lasts. */
const mostOfOneStep = 2
const mostOfLevel = 25
/** What each alarm beyond the asked rate adds to the logarithm of the threshold. */
const steepness = { short: 0.7, sustained: 0.3 }
/** Thresholds never rise above this many times what they were. */
const mostRaised = 4
const mostPressure = 5
/** Some alarms are real: the thresholds hold the sum of both kinds at this many times the asked rate of false ones. */
const realShare = 1.7
/** An accepted alarm is this far below the threshold. */
const margin = 1.3
/** Half of what was accepted is forgotten after this time. */
const acceptedHalfLifeSeconds = 6 * 3600
const secondsPerWeek = 604_800

/** Where nothing is known of the scores: a quarter of the threshold is what most services have. */
const assumedUsual: Usual = { short: 0.25, sustained: 0.25 }
/**
 * An alarm ends when the score has come back so far from its threshold to what is usual. Scores with a light tail have both close together:
 * a share of the threshold alone would never be met again. With 0.47 alarms are shorter, but begin more often (JumpStarter: 1.1 false ones a day, not 1.0).
 */
const returned = 0.62

export function startWatch (sustainedThreshold: number, usual: Usual = assumedUsual): Watch {
  return { usual, sustained: 0, sustainedThreshold, pressure: 0, level: 0, accepted: 1 }
}

const releaseLevel = (threshold: number, usual: number) => threshold - returned * Math.max(0, threshold - usual)

/** The sustained look after one more step. @param ratio score over the training threshold. */
export function sustain (sustained: number, ratio: number): number {
  return sustained + (Math.min(ratio, mostOfOneStep) - sustained) / sustainedSteps
}

/** How many times the training threshold a score must reach at present. */
export function thresholdOf ({ accepted, pressure }: Watch, look: 'short' | 'sustained'): number {
  return Math.max(accepted, Math.min(mostRaised, Math.exp(steepness[look] * pressure)))
}

export interface Watched {
  readonly watch: Watch
  readonly alarm: AlarmState
  /** The stronger of the two looks over its present threshold. */
  readonly ratio: number
  /** Whether an alarm was accepted as the new normal at this step. */
  readonly hasAccepted: boolean
}

/** Judges one more step. Pure; O(1). @param score over the training threshold. */
export function watchScore (before: Watch, alarm: AlarmState, { score, rule }: { score: number, rule: WatchRule }): Watched {
  const sustained = sustain(before.sustained, score)
  const level = before.level + (Math.min(score, mostOfLevel) - before.level) / sustainedSteps
  const short = score / thresholdOf(before, 'short')
  const least = before.sustainedThreshold * thresholdOf(before, 'sustained')
  // What lasted is over when it is over, and not when its mean has been forgotten.
  const lasting = alarm.active ? Math.min(sustained, score) : sustained
  const ratio = Math.max(short, lasting / least)
  const { usual = assumedUsual } = before
  const isBelow = score < releaseLevel(thresholdOf(before, 'short'), usual.short) && lasting < releaseLevel(least, usual.sustained)
  const next = nextAlarm(alarm, ratio, lastingRule, isBelow)
  const hasEnded = alarm.active && !next.active
  const hasBegun = next.active && next.age === 0
  const hasAccepted = next.active && next.age * rule.stepSeconds >= rule.adoptAlarmSeconds
  const allowed = realShare * rule.falseAlarmsPerWeek * rule.stepSeconds / secondsPerWeek
  const accepted = hasAccepted
    ? margin * Math.max(level, sustained / before.sustainedThreshold, before.accepted)
    : 1 + (before.accepted - 1) * 0.5 ** (rule.stepSeconds / acceptedHalfLifeSeconds)
  const pressure = Math.min(mostPressure, Math.max(0, before.pressure + (hasBegun ? 1 : 0) - allowed))
  return {
    watch: { ...before, sustained: hasEnded ? Math.min(sustained, score) : sustained, level, accepted, pressure },
    alarm: hasAccepted ? { ...next, active: false } : next,
    ratio,
    hasAccepted
  }
}
