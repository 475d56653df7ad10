import type { Policy } from '../domain.ts'
import { largestBetween, loadBefore, type LoadWindow } from '../features/window.ts'
import { defaultSpikeCap, spike as tuned } from './defaults.ts'
import type { Possible } from './outage.ts'

/** A load that nobody could expect and that has not lasted yet: it is neither believed nor learned from. */
export interface Spike {
  /** Consecutive samples of it. */
  readonly steps: number
  /** What is more than this is part of it. */
  readonly bound: number
  /** The last load that was believed. */
  readonly accepted: number
}

interface Present {
  readonly at: number
  readonly load: number | null
  readonly window: LoadWindow | null
  readonly possible: Possible | null
  /** Whether the detector finds the sample unusual. */
  readonly isUnusual: boolean
}

/** The spike after one more load; null when the load is believed: it is possible, or it has lasted for so many steps. */
export function nextSpike (before: Spike | null, present: Present, { spikeCap = defaultSpikeCap, seasonSeconds, stepSeconds }: Policy): Spike | null {
  const { at, load, window, possible, isUnusual } = present
  if (load === null || window === null) return before
  const steps = (before?.steps ?? 0) + 1
  if (steps >= spikeCap.steps) return null
  if (before !== null) return load > before.bound ? { ...before, steps } : null
  if (!isUnusual) return null
  const largest = largestBetween(window, window.lastAt - seasonSeconds * 1000, window.lastAt)
  const forecast = possible !== null && at - possible.at <= tuned.freshSteps * stepSeconds * 1000 ? possible.high : 0
  const bound = Math.max(forecast, tuned.timesLargest * largest)
  return load > bound ? { steps, bound, accepted: loadBefore(window, 0) } : null
}
