import type { Behavior, ScalingRules } from '../domain.ts'

/**
 * The algorithm of Kubernetes' HorizontalPodAutoscaler as pure functions: formula, stabilisation, rate limits, bounds.
 *
 * @see kubernetes/kubernetes, pkg/controller/podautoscaler: replica_calculator.go and horizontal.go
 */

/** What Kubernetes does where `behavior` is present but empty (pkg/apis/autoscaling/v2/defaults.go). */
export const kubernetesBehavior: Behavior = {
  scaleUp: {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }, { type: 'Percent', value: 100, periodSeconds: 15 }],
    tolerance: 0.1
  },
  scaleDown: {
    stabilizationWindowSeconds: 300,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    tolerance: 0.1
  }
}

/** One step of the algorithm: what it left of the replicas, and the word that HPA puts in its conditions. */
export interface HpaStep { readonly replicas: number, readonly reason: string }

/** The moment that a time-dependent rule looks back from. */
interface Present { readonly at: number, readonly currentReplicas: number, readonly behavior: Behavior, readonly history: ScaleHistory }

/** What the time-dependent rules need to know of the past; bounded by their windows. */
export interface ScaleHistory {
  /** What was recommended before stabilising, oldest first. */
  readonly recommendations: readonly { readonly at: number, readonly replicas: number }[]
  /** What was changed in the end, oldest first; positive added. */
  readonly changes: readonly { readonly at: number, readonly change: number }[]
}

/** Two hours of 15 s steps; what a longer window would need beyond it is forgotten, to keep the state small. */
const longestHistory = 480

export const emptyScaleHistory: ScaleHistory = { recommendations: [], changes: [] }

/** The history after one more round, without what no rule looks back to any more. */
export function rememberScaling ({ recommendations, changes }: ScaleHistory, { at, recommended, change, behavior }:
{ at: number, recommended: number, change: number, behavior: Behavior }): ScaleHistory {
  const { scaleUp, scaleDown } = behavior
  const longestWindow = Math.max(scaleUp.stabilizationWindowSeconds, scaleDown.stabilizationWindowSeconds)
  const longestPeriod = Math.max(longestPeriodOf(scaleUp), longestPeriodOf(scaleDown))
  const recent = { recommendations: since(recommendations, at - longestWindow * 1000), changes: since(changes, at - longestPeriod * 1000) }
  recent.recommendations.push({ at, replicas: recommended })
  if (change !== 0) recent.changes.push({ at, change })
  return recent
}

function longestPeriodOf ({ policies }: ScalingRules): number {
  return policies.reduce((longest, { periodSeconds }) => Math.max(longest, periodSeconds), 0)
}

/** What came after a time, as far as it is kept; a copy with room for one more. */
function since<T extends { readonly at: number }> (past: readonly T[], after: number): T[] {
  let first = Math.max(0, past.length + 1 - longestHistory)
  while (first < past.length && past[first].at <= after) first++
  return past.slice(first)
}

/**
 * Replicas for a load that is counted over all instances (External metric, type AverageValue).
 *
 * @param currentReplicas `status.replicas`: ready and starting.
 * @returns `currentReplicas` while load / (atTarget × currentReplicas) is within the tolerances.
 */
export function replicasForLoad (load: number, { atTarget, currentReplicas, behavior }:
{ atTarget: number, currentReplicas: number, behavior: Behavior }): number {
  if (currentReplicas > 0 && isTolerated(load / (atTarget * currentReplicas), behavior)) return currentReplicas
  return ceil(load / atTarget)
}

/**
 * Replicas for a mean utilisation of the ready instances (Resource metric, type Utilization, nothing missing or unready).
 *
 * @param usage mean over the ready instances, in the unit of `atTarget`.
 */
export function replicasForUsage (usage: number, { atTarget, readyReplicas, currentReplicas, behavior }:
{ atTarget: number, readyReplicas: number, currentReplicas: number, behavior: Behavior }): number {
  const ratio = usage / atTarget
  return isTolerated(ratio, behavior) ? currentReplicas : ceil(ratio * readyReplicas)
}

function isTolerated (ratio: number, { scaleUp, scaleDown }: Behavior): boolean {
  return ratio >= 1 - scaleDown.tolerance && ratio <= 1 + scaleUp.tolerance
}

/** A count that is a whole number but for rounding stays that number. */
function ceil (count: number): number {
  return Math.min(2 ** 31 - 1, Math.max(0, Math.ceil(count - 1e-9)))
}

/**
 * Never below the lowest recommendation of the scale-up window, never above it being the highest of the scale-down window.
 *
 * @param history recommendations before this one.
 */
export function stabilize (desired: number, { at, currentReplicas, behavior, history }: Present): HpaStep {
  let lowest = desired
  let highest = desired
  const upSince = at - behavior.scaleUp.stabilizationWindowSeconds * 1000
  const downSince = at - behavior.scaleDown.stabilizationWindowSeconds * 1000
  for (const past of history.recommendations) {
    if (past.at > upSince) lowest = Math.min(lowest, past.replicas)
    if (past.at > downSince) highest = Math.max(highest, past.replicas)
  }
  const replicas = Math.min(Math.max(currentReplicas, lowest), highest)
  const reason = replicas === desired ? 'ReadyForNewScale' : replicas < desired ? 'ScaleUpStabilized' : 'ScaleDownStabilized'
  return { replicas, reason }
}

/** At most what the policies let come or go within their periods. */
export function limitRate (desired: number, { at, currentReplicas, behavior, history }: Present): HpaStep {
  if (desired > currentReplicas) {
    const limit = Math.max(currentReplicas, rateLimit(behavior.scaleUp, { at, currentReplicas, history, isUp: true }))
    if (desired > limit) return { replicas: limit, reason: 'ScaleUpLimit' }
  }
  if (desired < currentReplicas) {
    const limit = Math.min(currentReplicas, rateLimit(behavior.scaleDown, { at, currentReplicas, history, isUp: false }))
    if (desired < limit) return { replicas: limit, reason: 'ScaleDownLimit' }
  }
  return { replicas: desired, reason: 'DesiredWithinRange' }
}

function rateLimit ({ selectPolicy, policies }: ScalingRules, { at, currentReplicas, history, isUp }: Omit<Present, 'behavior'> & { isUp: boolean }): number {
  if (selectPolicy === 'Disabled') return currentReplicas
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const start = currentReplicas - changeWithin(history, at - periodSeconds * 1000)
    if (isUp) return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100))
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100))
  })
  // Max is the policy that lets most change: upwards the highest limit, downwards the lowest.
  return (selectPolicy === 'Max') === isUp ? Math.max(...limits) : Math.min(...limits)
}

/** Replicas added less replicas removed after `since`. */
function changeWithin (history: ScaleHistory, since: number): number {
  let sum = 0
  for (const { at, change } of history.changes) if (at > since) sum += change
  return sum
}

export function limitRange (desired: number, { minReplicas, maxReplicas }: { minReplicas: number, maxReplicas: number }): HpaStep {
  if (desired > maxReplicas) return { replicas: maxReplicas, reason: 'TooManyReplicas' }
  if (desired < minReplicas) return { replicas: minReplicas, reason: 'TooFewReplicas' }
  return { replicas: desired, reason: 'DesiredWithinRange' }
}
