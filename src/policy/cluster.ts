/**
 * A cluster that obeys wishes, as a fluid queue in half-steps: what would have happened to a load, had these replicas been wished for.
 *
 * A new instance serves after the start-up time; a removed one (those still starting go first) stops at once. Load above the ready
 * capacity waits in a queue of at most 10 s of capacity, the rest times out. A request violates if it arrives while the ready
 * instances cannot serve queue and arrivals, or while a queue is being worked off. Load is counted in instances at 100 %.
 */
export interface Cluster {
  ready: number
  queue: number
  /** Instances on their way: [0] serves from the next half-step on, [i] i half-steps later. */
  readonly starting: Float64Array
}

/** What one step came to: requests and violating requests in instance-seconds, instances paid for in instance-seconds. */
export interface StepOutcome { readonly arrived: number, readonly violating: number, readonly paid: number }

const queueSeconds = 10

export function createCluster (ready: number, { startUpSeconds, stepSeconds }: { startUpSeconds: number, stepSeconds: number }): Cluster {
  return { ready, queue: 0, starting: new Float64Array(Math.floor(startUpSeconds / (stepSeconds / 2)) + 1) }
}

/** A copy of a cluster, for another start-up time; what is on its way arrives when it would have. */
export function copyCluster (cluster: Cluster, setting: { startUpSeconds: number, stepSeconds: number }): Cluster {
  const copy = createCluster(cluster.ready, setting)
  copy.queue = cluster.queue
  copy.starting.set(cluster.starting.subarray(0, copy.starting.length))
  for (let i = copy.starting.length; i < cluster.starting.length; i++) copy.starting[copy.starting.length - 1] += cluster.starting[i]
  return copy
}

/** Lets one step of this load pass, in place. */
export function passStep (cluster: Cluster, load: number, stepSeconds: number): StepOutcome {
  const seconds = stepSeconds / 2
  let arrived = 0
  let violating = 0
  let paid = 0
  for (let half = 0; half < 2; half++) {
    startNext(cluster)
    const arrivals = load * seconds
    const share = serve(cluster, { load, arrivals, seconds })
    arrived += arrivals
    violating += arrivals * share
    paid += paidFor(cluster) * seconds
  }
  return { arrived, violating, paid }
}

/** Obeys a wish that was made at the end of a step, in place. */
export function obey (cluster: Cluster, replicas: number): void {
  const { starting } = cluster
  const change = replicas - paidFor(cluster)
  if (change >= 0) {
    starting[starting.length - 1] += change
    return
  }
  let drop = -change
  for (let i = starting.length - 1; i >= 0 && drop > 0; i--) {
    const dropped = Math.min(drop, starting[i])
    starting[i] -= dropped
    drop -= dropped
  }
  cluster.ready = Math.max(Math.min(1, cluster.ready), cluster.ready - drop)
}

function startNext (cluster: Cluster): void {
  const { starting } = cluster
  cluster.ready += starting[0]
  starting.copyWithin(0, 1)
  starting[starting.length - 1] = 0
}

/** Returns the share of these arrivals that violate. */
function serve (cluster: Cluster, { load, arrivals, seconds }: { load: number, arrivals: number, seconds: number }): number {
  const capacity = cluster.ready * seconds
  const waiting = cluster.queue
  if (waiting + arrivals > capacity) {
    cluster.queue = Math.min(waiting + arrivals - capacity, cluster.ready * queueSeconds)
    return 1
  }
  cluster.queue = 0
  return waiting > 0 ? Math.min(1, waiting / Math.max(cluster.ready - load, 1e-12) / seconds) : 0
}

function paidFor ({ ready, starting }: Cluster): number {
  let sum = ready
  for (let i = 0; i < starting.length; i++) sum += starting[i]
  return sum
}
