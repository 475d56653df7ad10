import { recentSteps, slowSteps } from '../features/anomaly-features.ts'
import { field, fields } from '../features/signal-memory.ts'
import type { SignalMemory } from '../features/signal-memory.ts'

/** Signals that are a share of something that runs out: full at 1. */
const sharesOfALimit = /UsageRatio$/
/** A trend counts when the two recent means differ by this many of the signal's usual residuals. */
const leastRise = 3

/**
 * The signal that reaches its limit first if its trend goes on. A recent mean over n steps lags a straight line by n − 1 steps, so the
 * difference of two of them, divided by the difference of their lags, is the slope.
 */
export function saturationOf (memory: SignalMemory, stepSeconds: number): { signal: string, secondsLeft: number } | null {
  if (memory.steps < slowSteps) return null
  let first: { signal: string, secondsLeft: number } | null = null
  for (const [i, signal] of memory.signals.entries()) {
    if (!sharesOfALimit.test(signal)) continue
    const at = i * fields
    const recent = memory.values[at + field.recent]
    const rise = recent - memory.values[at + field.slow]
    if (rise <= leastRise * Math.sqrt(memory.values[at + field.residualSquare])) continue
    const secondsLeft = Math.max(0, 1 - recent) / (rise / (slowSteps - recentSteps)) * stepSeconds
    if (!first || secondsLeft < first.secondsLeft) first = { signal, secondsLeft }
  }
  return first
}
