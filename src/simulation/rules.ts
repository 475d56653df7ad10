import { emptyScaleHistory } from '../policy/hpa.ts'
import { hpaStep } from '../policy/hpa-controller.ts'
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

/**
 * HorizontalPodAutoscaler as it comes; nothing changes while no load is known.
 *
 * @param expect what stands in for the present load, where that is more; the load itself where not given.
 */
export function hpaRule (setting: ClusterSetting, { expect }: { expect?: (moment: Moment) => number } = {}): Rule {
  let history = emptyScaleHistory
  return (moment) => {
    const expected = expect?.(moment) || 0
    if (Number.isNaN(moment.load)) return moment.currentReplicas
    const step = hpaStep(history, { ...setting, ...moment, load: Math.max(moment.load, expected) })
    history = step.history
    return step.replicas
  }
}
