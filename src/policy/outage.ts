import type { Policy } from '../domain.ts'
import { largestBetween, loadBefore, type LoadWindow } from '../features/window.ts'
import { defaultOutageHold, outage as tuned } from './defaults.ts'

/** A load that collapsed: since when, and what it was expected to reach at least. */
export interface Outage {
  readonly since: number
  readonly expected: number
  /** When the hold ended before the load came back; null while it holds. */
  readonly releasedAt: number | null
}

/** The loads that the last forecast left possible; `high` is what it did not. */
export interface Possible { readonly at: number, readonly low: number, readonly high: number }

interface Present {
  readonly at: number
  readonly load: number | null
  /** Without the present load. */
  readonly window: LoadWindow | null
  readonly possible: Possible | null
  readonly fullCapacity: number | null
}

/**
 * The outage after one more load. It begins when the load falls far below all that was thought possible, unless former seasons fell at
 * this time, too; it ends when the load is back at half of what was expected, and holds nothing after its time to live.
 */
export function nextOutage (before: Outage | null, present: Present, policy: Policy): Outage | null {
  const { at, load } = present
  const { ttlSeconds } = policy.outageHold ?? defaultOutageHold
  if (ttlSeconds === 0) return null
  if (before === null) return begins(present, policy) ? { since: at, expected: expectedLow(present, policy)!, releasedAt: null } : null
  if (load !== null && load >= tuned.backShare * before.expected) return null
  return before.releasedAt === null && at >= before.since + ttlSeconds * 1000 ? { ...before, releasedAt: at } : before
}

function begins (present: Present, policy: Policy): boolean {
  const { at, load, window, fullCapacity } = present
  if (load === null || window === null) return false
  const expected = expectedLow(present, policy)
  // One instance's worth is nothing that could be held.
  if (expected === null || load >= tuned.collapseShare * expected || (fullCapacity !== null && expected <= fullCapacity)) return false
  return !fellInFormerSeasons(window, at)
}

/** What the load should reach at least: by the last forecast, else by the smallest of the last steps. */
function expectedLow ({ at, window, possible }: Present, { stepSeconds }: Policy): number | null {
  if (possible !== null && at - possible.at <= tuned.freshSteps * stepSeconds * 1000) return possible.low
  if (possible !== null || window === null || at - window.lastAt > tuned.freshSteps * stepSeconds * 1000) return null
  let smallest = Infinity
  for (let step = 0; step < tuned.recentSteps; step++) {
    const load = loadBefore(window, step)
    if (!(load >= 0)) return null
    smallest = Math.min(smallest, load)
  }
  return smallest / 2
}

/** Whether the load of an earlier season fell to less than half around this time of it. */
function fellInFormerSeasons (window: LoadWindow, at: number): boolean {
  const { stepMs, seasonSeconds } = window
  const around = tuned.aroundSteps * stepMs
  return [1, 2, 3, 7].some(seasons => {
    const then = at - seasons * seasonSeconds * 1000
    const largest = largestBetween(window, then - 4 * around, then + around)
    for (let from = then - around; from < then + around; from += stepMs) {
      if (largestBetween(window, from, from + stepMs) < largest / 2) return true
    }
    return false
  })
}
