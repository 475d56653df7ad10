import type { Decision, Objective, Policy } from '../domain.ts'
import { copyCluster, createCluster, obey, passStep, type Cluster, type StepOutcome } from './cluster.ts'
import { steering } from './defaults.ts'

/**
 * Integral feedback on the violations seen: the price of a violating request rises with each of them and falls while there are
 * fewer than the target allows, so that over time just the allowed share violates. No model has to be calibrated for that.
 */
export interface Steering {
  /** ln of the price, counted from where it begins for this target. */
  readonly logPrice: number
  /** The kind of model that it was found with; another has other tails, and its price is found anew. */
  readonly model: string
  /** Steps that it has been steered for. */
  readonly steps: number
  /** Typical load of one step in instance-seconds, decayed over a day of minutes. */
  readonly typicalArrivals: number
  /** What the instances that were decided on made of the load. */
  readonly cluster: Cluster | null
}

export const emptySteering: Steering = { logPrice: 0, model: '', steps: 0, typicalArrivals: 0, cluster: null }

const memory = 1 / 1000

/**
 * Instances per violating instance's worth of requests: what the newsvendor weighs (see choice.ts).
 *
 * With an objective it follows from the money, and is not steered: while the whole of a load of n instances violates, a minute costs
 * `costPerViolationMinute`, so one instance's worth of it costs 60 × costPerViolationMinute / n an hour, in instances of `costPerReplicaHour`.
 *
 * @param load present load in instances at full utilisation; below one it counts as one.
 */
export function priceOf ({ logPrice }: Steering, { violationTarget, objective }: Policy, load = 1): number {
  if (objective !== undefined) return priceByMoney(objective, load)
  const { firstPrice, firstPriceAt, strictness } = steering
  return firstPrice * Math.max(1, firstPriceAt / violationTarget) ** strictness * Math.exp(logPrice)
}

/** Free instances are worth any price, but a finite one. */
const highestPrice = 1e6

function priceByMoney ({ costPerReplicaHour, costPerViolationMinute }: Objective, load: number): number {
  return Math.min(highestPrice, 60 * costPerViolationMinute / Math.max(costPerReplicaHour, 1e-9) / Math.max(1, load))
}

interface SteeredStep { readonly load: number, readonly readyReplicas: number | null, readonly isOurs: boolean, readonly foreseen?: StepOutcome | undefined }

/**
 * Lets one step of load pass and moves the price.
 *
 * @param load in instances at full utilisation. @param readyReplicas as reported, or null: then they are simulated.
 * @param isOurs false where another rule than the forecast decided: its violations say nothing about the price.
 * @param foreseen where another rule stands in for the forecast: what the last step would have come to with the forecast.
 */
export function steer (state: Steering, { load, readyReplicas, isOurs, foreseen }: SteeredStep, { violationTarget, stepSeconds }: Policy): Steering {
  const cluster = presentCluster(state.cluster, readyReplicas)
  if (cluster === null) return state
  const passed = passStep(cluster, load, stepSeconds)
  const typicalArrivals = state.typicalArrivals === 0 ? passed.arrived : state.typicalArrivals + memory * (passed.arrived - state.typicalArrivals)
  const { arrived, violating } = foreseen ?? passed
  if (!(isOurs || foreseen) || typicalArrivals === 0) return { ...state, typicalArrivals, cluster }
  const gain = steering.gain + steering.earlyGain / (1 + state.steps / steering.earlySteps)
  const excess = (violating - violationTarget * arrived) / typicalArrivals
  const logPrice = Math.min(Math.log(steering.mostRise), Math.max(-Math.log(steering.mostFall), state.logPrice + gain * excess))
  return { ...state, logPrice, steps: state.steps + 1, typicalArrivals, cluster }
}

/** What is reported is believed; where nobody reports, instances start as the lead time says. */
function presentCluster (before: Cluster | null, readyReplicas: number | null): Cluster | null {
  if (readyReplicas !== null) return { ready: readyReplicas, queue: before?.queue ?? 0, starting: new Float64Array(1) }
  return before && { ...before, starting: before.starting.slice() }
}

/** Lets the cluster obey a decision, and begins anew for another kind of model. */
export function afterDecision (state: Steering, { replicas, source, modelVersion }: Pick<Decision, 'replicas' | 'source' | 'modelVersion'>,
  { startUpSeconds, stepSeconds }: { startUpSeconds: number, stepSeconds: number }): Steering {
  const setting = { startUpSeconds, stepSeconds }
  const cluster = state.cluster === null ? createCluster(replicas, setting) : copyCluster(state.cluster, setting)
  obey(cluster, replicas)
  // "load/1.2.0" and "load/1.3.0" are of one kind.
  const model = source === 'forecast' ? modelVersion.split('/')[0] : state.model
  return model === state.model ? { ...state, cluster } : { ...state, cluster, model, logPrice: 0, steps: 0 }
}
