import type { Observation } from './observations.ts'

/** Results that a new one is compared with; with fewer than the least nothing is known of what is usual. */
const compared = 50
export const leastCompared = 5

/**
 * A performance as far as it can be believed: at most one range beyond what was reported lately. One absurd number (a unit mistaken, a counter
 * that was reset) counts as very good or very bad and no more; a world that really is another is followed by one range a result.
 *
 * @param range best imaginable performance minus the worst.
 */
export function plausible (utility: number, observations: readonly Observation[], range: number): number {
  if (observations.length < leastCompared) return utility
  const lately = observations.slice(-compared).map(one => one.utility)
  return Math.min(Math.max(...lately) + range, Math.max(Math.min(...lately) - range, utility))
}

/** The first results seen together: none of them lies more than one range from their middle, which is the level that all are learned relative to. */
export function settle (first: readonly Observation[], range: number): { readonly level: number, readonly observations: readonly Observation[] } {
  const level = first.map(one => one.utility).sort((a, b) => a - b)[first.length >> 1]
  const within = (utility: number) => Math.min(level + range, Math.max(level - range, utility))
  return { level, observations: first.map(one => ({ ...one, utility: within(one.utility), defaultUtility: within(one.defaultUtility) })) }
}
