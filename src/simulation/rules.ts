import type { Behavior } from '../domain.ts'
import { emptyScaleHistory, kubernetesBehavior, limitRange, limitRate, rememberScaling, replicasForLoad, stabilize, type ScaleHistory } from '../policy/hpa.ts'
import { firstReplicas, type ClusterSetting, type LoadSeries } from './score.ts'

/** The end of one step, as a rule sees it. */
export interface Moment {
  readonly step: number
  /** Epoch ms. */
  readonly at: number
  /** In instances at full utilisation; NaN where none was measured. */
  readonly load: number
  readonly currentReplicas: number
}
/** Replicas that are wished for at this moment. A rule remembers what it has seen, and is asked once for each step, in their order. */
export type Rule = (moment: Moment) => number

/** Asks a rule at the end of each step, in a cluster that obeys it. Shape [steps]. */
export function wishesOf ({ startAt, loads }: LoadSeries, rule: Rule, setting: ClusterSetting): Float64Array {
  let currentReplicas = firstReplicas(loads[0], setting)
  return loads.map((load, step) => {
    currentReplicas = rule({ step, at: startAt + step * setting.stepSeconds * 1000, load, currentReplicas })
    return currentReplicas
  })
}

/** How often HPA looks, which its rate limits count on. */
const syncSeconds = 15

/**
 * HorizontalPodAutoscaler as it comes: an External metric of the type AverageValue, stabilisation, rate limits, range. In a longer step
 * it has as many rounds as it would have, each on the load of the whole step.
 *
 * @param expect what stands in for the present load, where that is more; the load itself where not given.
 */
export function hpaRule (setting: ClusterSetting, { behavior = kubernetesBehavior, expect }: { behavior?: Behavior, expect?: (moment: Moment) => number } = {}): Rule {
  const rounds = Math.max(1, Math.floor(setting.stepSeconds / syncSeconds))
  let history: ScaleHistory = emptyScaleHistory

  function round (at: number, load: number, currentReplicas: number): number {
    const recommended = replicasForLoad(load, { atTarget: setting.target, currentReplicas, behavior })
    // As at first sight of a service: what runs counts as recommended.
    if (history.recommendations.length === 0) history = rememberScaling(history, { at: at - 1, recommended: currentReplicas, change: 0, behavior })
    const present = { at, currentReplicas, behavior, history }
    const stable = stabilize(recommended, present).replicas
    const replicas = limitRange(limitRate(stable, present).replicas, setting).replicas
    history = rememberScaling(history, { at, recommended, change: replicas - currentReplicas, behavior })
    return replicas
  }

  return (moment) => {
    const expected = expect?.(moment) || 0
    let replicas = moment.currentReplicas
    if (Number.isNaN(moment.load)) return replicas
    for (let left = rounds - 1; left >= 0; left--) replicas = round(moment.at - left * syncSeconds * 1000, Math.max(moment.load, expected), replicas)
    return replicas
  }
}
