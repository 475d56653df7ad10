import type { Adjustment, Policy } from '../domain.ts'
import { activate } from './activation.ts'
import { keepBudget } from './budget.ts'
import { defaultOutageHold, defaultSpikeCap, stickyShare } from './defaults.ts'
import { limitRange, limitRate, stabilize } from './hpa.ts'
import { obeyOperators } from './overrides.ts'
import type { Seen } from './scaling-state.ts'
import { followSchedules } from './schedule.ts'

interface Stage {
  readonly name: string
  /** The replicas that this rule leaves, and its reason where it changes them. */
  readonly apply: (replicas: number, seen: Seen, policy: Policy, beside: Beside) => { replicas: number, reason: string }
}

/** What stages need to know beside the present. */
export interface Beside {
  /** What was asked for before any stage took something away. */
  readonly wanted: number
  /** Median of the largest load within the horizon; null where nobody forecasts. */
  readonly expectedLoad: number | null
}

/**
 * In the order of HPA: stabilise, rate, range. Before them what the present load needs, unless it cannot be believed; after them what knows more
 * than the load does, each allowed to overrule the one before: none when idle, holds, schedules, the budget, operators.
 */
const stages: readonly Stage[] = [
  { name: 'need', apply: coverPresentLoad },
  { name: 'spike', apply: capSpike },
  { name: 'stabilize', apply: holdScaleIn },
  { name: 'stick', apply: keepSmallSurplus },
  { name: 'rate', apply: limitSteps },
  { name: 'idle', apply: (replicas, seen, policy, { expectedLoad }) => activate(replicas, seen, policy, expectedLoad) },
  { name: 'missing', apply: holdWithoutMetrics },
  { name: 'outage', apply: holdInOutage },
  { name: 'schedule', apply: followSchedules },
  { name: 'budget', apply: (replicas, { state: { guards } }, policy) => keepBudget(replicas, guards?.spending ?? null, policy) },
  { name: 'override', apply: obeyOperators },
  { name: 'range', apply: keepRange }
]
/** They make up what HPA would call the recommendation. */
const beforeHistory = new Set(['need', 'spike'])

/** Sends a recommendation through all stages; an adjustment is recorded where one changed it. */
export function applyStages (recommended: number, seen: Seen, policy: Policy, expectedLoad: number | null = null): { replicas: number, adjustments: Adjustment[] } {
  const adjustments: Adjustment[] = []
  let replicas = recommended
  let wanted = recommended
  for (const { name, apply } of stages) {
    const left = apply(replicas, seen, policy, { wanted, expectedLoad })
    if (left.replicas !== replicas) adjustments.push({ stage: name, from: replicas, to: left.replicas, reason: left.reason })
    replicas = left.replicas
    // What a spike asks for is not believed yet.
    wanted = name === 'spike' ? replicas : Math.max(wanted, replicas)
  }
  return { replicas, adjustments }
}

/** What the stages that look back in time were given: HPA records this, not what they made of it. */
export function stabilizedFrom (adjustments: readonly Adjustment[], replicas: number): number {
  return adjustments.find(({ stage }) => !beforeHistory.has(stage))?.from ?? replicas
}

/** Instances that serve this load at full utilisation. */
export function replicasNeeded (load: number, fullCapacity: number): number {
  return Math.ceil(load / fullCapacity - 1e-9)
}

function coverPresentLoad (replicas: number, { demand: { load }, fullCapacity }: Seen) {
  const needed = load === null || fullCapacity === null ? 0 : replicasNeeded(load, fullCapacity)
  return { replicas: Math.max(replicas, needed), reason: `PresentLoad: the present load keeps ${needed} busy` }
}

/** What is not believed yet lets replicas grow by a factor a step, and never takes what the last believed load needs. */
function capSpike (replicas: number, { currentReplicas, fullCapacity, demand: { load }, state: { guards } }: Seen, { spikeCap = defaultSpikeCap }: Policy) {
  const spike = guards?.spike
  if (!spike) return { replicas, reason: '' }
  const current = currentReplicas ?? 1
  const needed = fullCapacity === null ? 0 : replicasNeeded(spike.accepted, fullCapacity)
  const limit = Math.max(current + 1, Math.ceil(current * spikeCap.factor), needed)
  const reason = `SpikeCapped: a load of ${load === null ? 'unknown size' : round(load)} was impossible (at most ${round(spike.bound)}), believed if it lasts for ${spikeCap.steps} samples, this is number ${spike.steps}`
  return { replicas: Math.min(replicas, limit), reason }
}

function holdScaleIn (desired: number, { at, currentReplicas, state: { history } }: Seen, { behavior }: Policy) {
  const { replicas, reason } = stabilize(desired, { at, currentReplicas: currentReplicas ?? desired, behavior, history })
  const rules = reason === 'ScaleUpStabilized' ? behavior.scaleUp : behavior.scaleDown
  const word = reason === 'ScaleUpStabilized' ? 'lowest' : 'highest'
  return { replicas, reason: `${reason}: the ${word} recommendation of the last ${rules.stabilizationWindowSeconds} s` }
}

function keepSmallSurplus (replicas: number, { currentReplicas, demand: { load } }: Seen) {
  const surplus = (currentReplicas ?? replicas) - replicas
  const small = surplus > 0 && surplus <= stickyShare * (replicas + surplus) && load !== null
  return { replicas: small ? replicas + surplus : replicas, reason: `SmallChange: ${surplus} fewer are not worth a change` }
}

function limitSteps (desired: number, { at, currentReplicas, state: { history } }: Seen, { behavior }: Policy) {
  const { replicas, reason } = limitRate(desired, { at, currentReplicas: currentReplicas ?? desired, behavior, history })
  return { replicas, reason: `${reason}: ${currentReplicas} to ${desired} is more than behavior allows at once` }
}

/** HPA's rule: a metric that is missing might have asked for more. */
function holdWithoutMetrics (replicas: number, { currentReplicas, drivers = [] }: Seen) {
  const missing = drivers.filter(({ value }) => value === null).map(({ signal }) => signal)
  if (missing.length === 0) return { replicas, reason: '' }
  return { replicas: Math.max(replicas, currentReplicas ?? replicas), reason: `MissingMetrics: no scale-in while ${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not measured` }
}

function holdInOutage (replicas: number, seen: Seen, policy: Policy) {
  const why = outageReason(seen, policy)
  return { replicas: why === null ? replicas : Math.max(replicas, seen.currentReplicas ?? replicas), reason: why ?? '' }
}

/** Why nothing may go now; null where nothing holds, or its time is over. */
function outageReason ({ at, state: { guards } }: Seen, { outageHold: { ttlSeconds } = defaultOutageHold, upstreams = [], holdSeconds }: Policy): string | null {
  const end = (since: number) => new Date(since + ttlSeconds * 1000).toISOString()
  const outage = guards?.outage
  if (outage && outage.releasedAt === null) return `OutageHold: the load fell below all that was possible, at least ${round(outage.expected)} was expected; until ${end(outage.since)}`
  const upstream = upstreams.find(({ since, asOf }) => at < since + ttlSeconds * 1000 && at - asOf <= holdSeconds * 1000)
  return upstream ? `OutageHold: ${upstream.service}, on which it depends, has an ${upstream.trouble}; until ${end(upstream.since)}` : null
}

function keepRange (desired: number, _: Seen, policy: Policy, { wanted }: Beside) {
  const { replicas, reason } = limitRange(desired, policy)
  const limit = replicas < desired ? `ScalingLimited, ${wanted - replicas} more are wanted` : `at least ${replicas}`
  return { replicas, reason: `${reason}: ${limit}` }
}

const round = (value: number) => Number(value.toPrecision(4))
