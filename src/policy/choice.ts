import { forecastProbabilities } from '../ml/forecaster.ts'
import { leastSaving } from './defaults.ts'
import type { Outlook } from './scaling-state.ts'

export interface Choice {
  readonly replicas: number
  /** That the load stays within what they carry for the whole horizon. */
  readonly probability: number
  /** Other than `replicas` where what runs is kept because a change would save too little. */
  readonly cheapest: number
}

/** Nobody wants fewer than what one forecast in five stays below. */
const lowestUseful = forecastProbabilities.indexOf(0.2)
const last = forecastProbabilities.length - 1
const tailFrom = forecastProbabilities.indexOf(0.995)

/** Neighbouring candidates are one apart, or this share where that is more. */
const stride = 0.01
/** What comes above twenty times the present level comes without warning: no number of instances is worth holding for it. */
const highestLogRatio = Math.log(20)

/**
 * The newsvendor's choice: as many instances as make instances + price × expected violating load smallest. More where the forecast
 * is sure and one more instance saves much, fewer where only a great many would help.
 *
 * @param instance load that one instance carries at 100 %.
 * @param price instances that one instance's worth of violating load costs.
 * @param current what is wished for at present; kept where another choice would not save enough to be worth a change.
 * @see Arrow, Harris and Marschak, "Optimal inventory policy", Econometrica 1951.
 */
export function chooseReplicas (outlook: Outlook, { instance, price, current = null }: { instance: number, price: number, current?: number | null }): Choice {
  const { quantiles, level, quiet } = outlook
  const replicasAt = (logRatio: number) => Math.max(0, (level * Math.exp(logRatio) - quiet) / instance)
  const lowest = Math.floor(replicasAt(quantiles[lowestUseful]))
  const highest = Math.ceil(replicasAt(Math.min(highestLogRatio, quantiles[last] + 3 * tailScale(quantiles)))) + 1
  const isSilent = replicasAt(quantiles[last]) < 1e-6
  const costOf = (replicas: number) => {
    const exceeded = exceedance(quantiles, Math.log((replicas * instance + quiet) / level))
    return { exceeded, cost: replicas + price * replicas * exceeded }
  }
  let best = { replicas: highest, probability: 1, cheapest: highest }
  let leastCost = Infinity
  for (let replicas = lowest; replicas <= highest; replicas = Math.max(replicas + 1, Math.floor(replicas * (1 + stride)))) {
    const { exceeded, cost } = costOf(replicas)
    // None only for silence: without instances every request violates, and the cost would not show it.
    if (cost < leastCost && (replicas > 0 || isSilent)) {
      leastCost = cost
      best = { replicas, probability: 1 - exceeded, cheapest: replicas }
    }
  }
  if (!current || current === best.replicas) return best
  const { exceeded, cost } = costOf(current)
  const worthwhile = leastSaving.ofInstance + leastSaving.share * current
  return cost - leastCost < worthwhile ? { replicas: current, probability: 1 - exceeded, cheapest: best.replicas } : best
}

/** Mean excess above the highest quantile, of an exponential tail through the last quantiles. */
function tailScale (quantiles: Float64Array): number {
  const steps = Math.log((1 - forecastProbabilities[tailFrom]) / (1 - forecastProbabilities[last]))
  return Math.max(1e-4, (quantiles[last] - quantiles[tailFrom]) / steps)
}

/** Probability that the log ratio lies above `logRatio`: linear between quantiles, exponential above the last. */
export function exceedance (quantiles: Float64Array, logRatio: number): number {
  if (logRatio >= quantiles[last]) return (1 - forecastProbabilities[last]) * Math.exp(-(logRatio - quantiles[last]) / tailScale(quantiles))
  if (logRatio < quantiles[0]) return 1
  let above = last
  while (quantiles[above - 1] > logRatio) above--
  const width = quantiles[above] - quantiles[above - 1]
  const share = width > 0 ? (logRatio - quantiles[above - 1]) / width : 1
  return 1 - forecastProbabilities[above - 1] - share * (forecastProbabilities[above] - forecastProbabilities[above - 1])
}
