import type { Cause, Direction, IncidentCause, Verdict } from '../domain.ts'

/** So many are kept; the state of a service is bounded, and nobody reads more. */
export const mostIncidentCauses = 6

/**
 * The causes of an incident with those of one more anomalous sample: each as it was at its worst, with its mean share, largest first.
 *
 * @param anomalies how many anomalous samples the incident has now, this one included.
 */
export function addCauses (causes: readonly IncidentCause[], { asOf, causes: present }: Verdict, anomalies: number): IncidentCause[] {
  const shareOf = (before: number, now: number) => before + (now - before) / anomalies
  const now = new Map(present.map(cause => [cause.signal, cause]))
  const known = causes.map((cause) => {
    const found = now.get(cause.signal)
    now.delete(cause.signal)
    if (!found) return { ...cause, share: shareOf(cause.share, 0) }
    const share = shareOf(cause.share, found.share)
    const worst = distance(found) > distance(cause) ? { ...described(found), peakAt: asOf } : {}
    return { ...cause, ...worst, share, lastAt: asOf }
  })
  const added = [...now.values()].map(cause => ({ ...described(cause), firstAt: asOf, lastAt: asOf, peakAt: asOf, share: shareOf(0, cause.share) }))
  return [...known, ...added].sort((a, b) => b.share - a.share || (a.signal < b.signal ? -1 : 1)).slice(0, mostIncidentCauses)
}

type Ranged = Pick<Cause, 'value' | 'expectedLow' | 'expectedHigh'>

export function directionOf ({ value, expectedLow, expectedHigh }: Ranged): Direction {
  return value > expectedHigh ? 'up' : value < expectedLow ? 'down' : 'both'
}

/** From the middle of what is usual. */
export function distance ({ value, expectedLow, expectedHigh }: Ranged): number {
  return Math.abs(value - (expectedLow + expectedHigh) / 2)
}

function described (cause: Cause) {
  const { signal, value, expectedLow, expectedHigh, text } = cause
  return { signal, direction: directionOf(cause), value, expectedLow, expectedHigh, text }
}
