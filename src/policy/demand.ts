import type { Policy, Sample, Signals } from '../domain.ts'

/** What a sample says about the load, in the terms of the policy's target. */
export interface Demand {
  /** Summed over instances; null where the signals for it are missing. */
  readonly load: number | null
  /** Mean utilisation of the ready instances, 0 to 1 and above; null where it is not measured. */
  readonly usageRatio: number | null
  /** Load that one instance carries at the target, or null while it is to be learned. */
  readonly givenCapacity: number | null
  /** `givenCapacity` is this share of what one instance carries in the end. */
  readonly utilization: number
  readonly readyReplicas: number | null
  /** Signals that this target needs and that were not measured, or not as a number from 0 up. */
  readonly missingSignals: readonly string[]
}

/** @param assumedReplicas stands in for ready replicas where nobody reports them. */
export function demandOf (sample: Sample, { target }: Policy, assumedReplicas: number | null): Demand {
  const needed: string[] = []
  const read = (name: string) => {
    const value = usable(sample.signals, name)
    if (value === null) needed.push(name)
    return value
  }
  const readyReplicas = usable(sample.signals, 'readyReplicas')
  if (target.kind === 'perReplica') {
    const load = read(target.signal)
    return { load, usageRatio: null, givenCapacity: target.atTarget, utilization: target.utilization, readyReplicas, missingSignals: needed }
  }
  if (target.kind === 'ratio') {
    const usageRatio = read(target.signal)
    const replicas = read('readyReplicas') ?? assumedReplicas
    const load = usageRatio === null || replicas === null ? null : usageRatio * replicas
    return { load, usageRatio, givenCapacity: target.atTarget, utilization: target.atTarget, readyReplicas, missingSignals: needed }
  }
  const load = read('requestsPerSecond')
  const usageRatio = read('cpuUsageRatio')
  read('readyReplicas')
  return { load, usageRatio, givenCapacity: null, utilization: target.utilization, readyReplicas, missingSignals: needed }
}

/** Nothing is served so often; beyond lie wrong units and overflow. */
const largestUsable = 1e15

export function usable (signals: Signals, name: string): number | null {
  const value = Object.hasOwn(signals, name) ? signals[name] : NaN
  return value >= 0 && value <= largestUsable ? value : null
}
