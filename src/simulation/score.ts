import { createCluster, obey, passStep } from '../policy/cluster.ts'

/** What the cluster of a simulation is like. */
export interface ClusterSetting {
  readonly startUpSeconds: number
  readonly stepSeconds: number
  readonly minReplicas: number
  readonly maxReplicas: number
  /** Utilisation that a reactive rule aims at, 0 to 1; it also sets how many instances there are at the beginning. */
  readonly target: number
}

/** Loads of a service on an even grid of steps. */
export interface LoadSeries {
  /** Epoch ms of the end of the first step. */
  readonly startAt: number
  /** Load in instances at full utilisation; NaN where none was measured. */
  readonly loads: Float64Array
}

export interface WorstHour {
  /** Epoch ms of its begin. */
  readonly at: number
  readonly violationRatio: number
}

/** What wishes came to in a cluster that obeyed them. */
export interface Score {
  /** Violating requests / requests; 0 where there were none. */
  readonly violationRatio: number
  /** Minutes of which all requests violated; one in which half of them did counts half. */
  readonly violationMinutes: number
  /** Paid for: ready and starting. */
  readonly instanceHours: number
  /** instanceHours / those of the cheapest cover, which knows the load beforehand and starts instances at once. */
  readonly costRatio: number
  readonly changesPerHour: number
  /** The hour with most violating requests; null where none violated. */
  readonly worstHour: WorstHour | null
  readonly hours: number
}

const hourMs = 3_600_000

/** As many instances as a service has when a simulation begins. */
export function firstReplicas (load: number, { minReplicas, target }: Pick<ClusterSetting, 'minReplicas' | 'target'>): number {
  return Math.max(minReplicas, Math.ceil((load || 0) / target))
}

/**
 * Lets a cluster obey wishes, each made at the end of its step, and counts what came of it from step `scoreFrom` on.
 *
 * @param wishes shape [steps]; NaN keeps the wish before.
 */
export function score ({ startAt, loads }: LoadSeries, wishes: Float64Array, { scoreFrom = 0, ...setting }: ClusterSetting & { scoreFrom?: number }): Score {
  const { stepSeconds, minReplicas, maxReplicas } = setting
  const cluster = createCluster(firstReplicas(loads[0], setting), setting)
  const hours = new Map<number, { arrived: number, violating: number }>()
  let [wish, changes, arrived, violating, paid, cover, violatingSeconds] = [cluster.ready, 0, 0, 0, 0, 0, 0]
  for (const [step, measured] of loads.entries()) {
    const load = measured || 0
    const before = wish
    const passed = passStep(cluster, load, stepSeconds)
    wish = Math.min(maxReplicas, Math.max(minReplicas, Number.isNaN(wishes[step]) ? before : Math.ceil(wishes[step] - 1e-9)))
    obey(cluster, wish)
    if (step < scoreFrom) continue
    if (wish !== before) changes++
    arrived += passed.arrived
    violating += passed.violating
    paid += passed.paid
    cover += Math.max(minReplicas, Math.ceil(load - 1e-9)) * stepSeconds
    if (passed.arrived > 0) violatingSeconds += stepSeconds * passed.violating / passed.arrived
    addHour(hours, startAt + (step - 1) * stepSeconds * 1000, passed)
  }
  const scoredHours = Math.max(0, loads.length - scoreFrom) * stepSeconds / 3600
  return {
    violationRatio: arrived > 0 ? violating / arrived : 0,
    violationMinutes: violatingSeconds / 60,
    instanceHours: paid / 3600,
    costRatio: cover > 0 ? paid / cover : 1,
    changesPerHour: scoredHours > 0 ? changes / scoredHours : 0,
    worstHour: worstOf(hours),
    hours: scoredHours
  }
}

function addHour (hours: Map<number, { arrived: number, violating: number }>, at: number, { arrived, violating }: { arrived: number, violating: number }): void {
  const hour = Math.floor(at / hourMs) * hourMs
  const sum = hours.get(hour)
  if (sum === undefined) hours.set(hour, { arrived, violating })
  else {
    sum.arrived += arrived
    sum.violating += violating
  }
}

function worstOf (hours: ReadonlyMap<number, { arrived: number, violating: number }>): WorstHour | null {
  let worst: WorstHour | null = null
  let most = 0
  for (const [at, { arrived, violating }] of hours) {
    if (violating <= most) continue
    most = violating
    worst = { at, violationRatio: violating / arrived }
  }
  return worst
}
