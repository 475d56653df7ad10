import type { Adjustment, Override, Policy } from '../domain.ts'
import { stickyShare } from './defaults.ts'
import { limitRange, limitRate, stabilize } from './hpa.ts'
import type { Seen } from './scaling-state.ts'

interface Stage {
  readonly name: string
  /** The replicas that this rule leaves, and its reason where it changes them. */
  readonly apply: (replicas: number, seen: Seen, policy: Policy) => { replicas: number, reason: string }
}

/** In the order of HPA: stabilise, rate, range; before them what the present load needs, and an operator's word before the range. */
const stages: readonly Stage[] = [
  { name: 'need', apply: coverPresentLoad },
  { name: 'stabilize', apply: holdScaleIn },
  { name: 'stick', apply: keepSmallSurplus },
  { name: 'rate', apply: limitSteps },
  { name: 'override', apply: obeyOperator },
  { name: 'range', apply: keepRange }
]

/** Sends a recommendation through all stages; an adjustment is recorded where one changed it. */
export function applyStages (recommended: number, seen: Seen, policy: Policy): { replicas: number, adjustments: Adjustment[] } {
  const adjustments: Adjustment[] = []
  let replicas = recommended
  for (const { name, apply } of stages) {
    const left = apply(replicas, seen, policy)
    if (left.replicas !== replicas) adjustments.push({ stage: name, from: replicas, to: left.replicas, reason: left.reason })
    replicas = left.replicas
  }
  return { replicas, adjustments }
}

/** What the stages that look back in time were given: HPA records this, not what they made of it. */
export function stabilizedFrom (adjustments: readonly Adjustment[], replicas: number): number {
  return adjustments.find(({ stage }) => stage !== 'need')?.from ?? replicas
}

/** Instances that serve this load at full utilisation. */
export function replicasNeeded (load: number, fullCapacity: number): number {
  return Math.ceil(load / fullCapacity - 1e-9)
}

function coverPresentLoad (replicas: number, { demand: { load }, fullCapacity }: Seen) {
  const needed = load === null || fullCapacity === null ? 0 : replicasNeeded(load, fullCapacity)
  return { replicas: Math.max(replicas, needed), reason: `PresentLoad: the present load keeps ${needed} busy` }
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

function obeyOperator (replicas: number, { at, currentReplicas }: Seen, { override }: Policy) {
  if (override === undefined || (override.until !== undefined && at >= override.until)) return { replicas, reason: '' }
  const until = override.until === undefined ? '' : ` until ${new Date(override.until).toISOString()}`
  return { replicas: replicasUnder(override, replicas, currentReplicas ?? replicas), reason: `${words[override.kind]}${until}: ${override.reason}` }
}

const words = { pause: 'Paused', hold: 'ScaleInHeld', force: 'Forced' } as const

function replicasUnder (override: Override, replicas: number, currentReplicas: number): number {
  switch (override.kind) {
    case 'pause': return currentReplicas
    case 'hold': return Math.max(replicas, currentReplicas)
    case 'force': return override.replicas
  }
}

function keepRange (desired: number, _: Seen, policy: Policy) {
  const { replicas, reason } = limitRange(desired, policy)
  const limit = replicas < desired ? `ScalingLimited, ${desired - replicas} more are wanted` : `at least ${replicas}`
  return { replicas, reason: `${reason}: ${limit}` }
}
