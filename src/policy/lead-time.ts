/** How long it takes from a wish for more replicas until they are ready, learned from the reported ready replicas. */
export interface LeadTime {
  /** The newest wishes' durations, oldest first. */
  readonly observedSeconds: readonly number[]
  /** The wish that is being waited for. */
  readonly pending: { readonly at: number, readonly replicas: number } | null
}

export const emptyLeadTime: LeadTime = { observedSeconds: [], pending: null }

const kept = 20
const samplesNeeded = 3
/** Usual for a container that must be scheduled, pulled and started; used until it has been observed. */
const assumedSeconds = 120
/** A wish that is not met in this time is met by nobody (no nodes, quota): no measure of starting. */
const givenUpAfterMs = 3600_000

/** Has the wish that we wait for been met by now? */
export function observeReady (leadTime: LeadTime, at: number, readyReplicas: number | null): LeadTime {
  const { pending, observedSeconds } = leadTime
  if (pending === null || readyReplicas === null) return leadTime
  if (at - pending.at > givenUpAfterMs) return { ...leadTime, pending: null }
  if (readyReplicas < pending.replicas) return leadTime
  return { observedSeconds: [...observedSeconds, (at - pending.at) / 1000].slice(-kept), pending: null }
}

/** Waits for this wish, unless an earlier one is still on its way; a wish for less ends the waiting. */
export function expectReady (leadTime: LeadTime, wish: { at: number, from: number, to: number }): LeadTime {
  const { pending } = leadTime
  if (pending !== null && wish.to < pending.replicas) return { ...leadTime, pending: null }
  if (pending !== null || wish.to <= wish.from) return leadTime
  return { ...leadTime, pending: { at: wish.at, replicas: wish.to } }
}

/** The configured seconds, else the nearly longest observed: being late costs more than being early. */
export function leadSeconds (leadTime: LeadTime, configured: number | 'auto'): number {
  if (configured !== 'auto') return configured
  const sorted = leadTime.observedSeconds.toSorted((a, b) => a - b)
  if (sorted.length < samplesNeeded) return assumedSeconds
  return sorted[Math.ceil(sorted.length * 0.9) - 1]
}
