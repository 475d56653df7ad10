import type { Behavior } from '../domain.ts'
import { kubernetesBehavior, limitRange, limitRate, rememberScaling, replicasForLoad, stabilize, type ScaleHistory } from './hpa.ts'

/** How often HPA looks, which its rate limits count on. */
const syncSeconds = 15

export interface HpaStepOptions {
  /** Epoch ms of the end of the step. */
  readonly at: number
  /** In instances at full utilisation. */
  readonly load: number
  readonly currentReplicas: number
  /** Utilisation that it aims at, 0 to 1. */
  readonly target: number
  readonly stepSeconds: number
  readonly minReplicas: number
  readonly maxReplicas: number
  /** What it does as it comes, where not given. */
  readonly behavior?: Behavior
}

/**
 * What HorizontalPodAutoscaler makes of one step: an External metric of the type AverageValue, stabilisation, rate limits, range. In a
 * longer step it has as many rounds as it would have, each on the load of the whole step.
 */
export function hpaStep (history: ScaleHistory, options: HpaStepOptions): { replicas: number, history: ScaleHistory } {
  const { at, load, currentReplicas, target, behavior = kubernetesBehavior, stepSeconds, ...range } = options
  let replicas = currentReplicas
  for (let left = Math.max(1, Math.floor(stepSeconds / syncSeconds)) - 1; left >= 0; left--) {
    const present = { at: at - left * syncSeconds * 1000, currentReplicas: replicas, behavior }
    // As at first sight of a service: what runs counts as recommended.
    if (history.recommendations.length === 0) history = rememberScaling(history, { ...present, at: present.at - 1, recommended: replicas, change: 0 })
    const recommended = replicasForLoad(load, { atTarget: target, currentReplicas: replicas, behavior })
    const stable = stabilize(recommended, { ...present, history }).replicas
    const next = limitRange(limitRate(stable, { ...present, history }).replicas, range).replicas
    history = rememberScaling(history, { ...present, recommended, change: next - replicas })
    replicas = next
  }
  return { replicas, history }
}
