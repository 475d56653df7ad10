import type { Demand } from './demand.ts'

/** What one instance carries at full utilisation, learned from load, CPU and ready replicas. */
export interface CapacityEstimate {
  /** Decayed sums over samples that say something: load, and the instances' worth of work that it took. */
  readonly loads: number
  readonly works: number
  readonly samples: number
}

export const emptyCapacity: CapacityEstimate = { loads: 0, works: 0, samples: 0 }

/** Below, the idle cost of a process drowns the load; above, a capped CPU is not the demand. */
const usableUsage = { low: 0.1, high: 0.9 }
/** A single minute may hold a warm-up or a garbage collection. */
const samplesNeeded = 5
/** Half of the weight lies on the last 700 samples: half a day of minutes, so that a release is learned within a day. */
const memory = 1 - Math.LN2 / 700

export function learnCapacity (estimate: CapacityEstimate, { load, usageRatio, readyReplicas, givenCapacity }: Demand): CapacityEstimate {
  if (givenCapacity !== null || !load || usageRatio === null || !readyReplicas) return estimate
  if (usageRatio < usableUsage.low || usageRatio > usableUsage.high) return estimate
  return {
    loads: estimate.loads * memory + load,
    works: estimate.works * memory + usageRatio * readyReplicas,
    samples: Math.min(estimate.samples + 1, 1e9)
  }
}

/** Load that one instance carries at 100 % utilisation; null while nobody knows. */
export function fullCapacity (estimate: CapacityEstimate, { givenCapacity, utilization }: Demand): number | null {
  if (givenCapacity !== null) return givenCapacity / utilization
  return estimate.samples < samplesNeeded ? null : estimate.loads / estimate.works
}
