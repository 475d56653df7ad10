import type { Decision, Forecast, Policy, Recommendation } from '../domain.ts'
import { largestBetween } from '../features/window.ts'
import { forecastProbabilities } from '../ml/forecaster.ts'
import { chooseReplicas } from './choice.ts'
import { fromDrivers } from './drivers.ts'
import { kubernetesBehavior, replicasForLoad, replicasForUsage } from './hpa.ts'
import { noticesOf, outageSince } from './notices.ts'
import type { Outlook, Seen } from './scaling-state.ts'
import { applyStages, replicasNeeded } from './stages.ts'
import { priceOf } from './steering.ts'

/**
 * Recommend, then let every stage have its say. Null while nothing is known that could be recommended from.
 *
 * @param better what a rule asks for that has been better than the forecast of late.
 */
export function decide (seen: Seen, outlook: Outlook | null, policy: Policy, better: Recommendation | null = null): Decision | null {
  const recommendations = recommend(seen, outlook, { policy, better })
  if (recommendations.length === 0) return null
  const chosen = recommendations[0]
  const forecast = outlook && describe(outlook, policy)
  const { replicas, adjustments } = applyStages(chosen.replicas, seen, { ...policy, behavior: behaviorFor(chosen, policy) }, forecast && medianOf(forecast))
  const notices = noticesOf(replicas, seen, policy)
  const since = outageSince(seen, policy)
  return {
    service: seen.service,
    mode: policy.mode,
    asOf: seen.at,
    validUntil: seen.at + policy.decisionTtlSeconds * 1000,
    replicas,
    currentReplicas: seen.demand.readyReplicas ?? seen.currentReplicas ?? replicas,
    source: chosen.source,
    rawRecommendations: recommendations,
    adjustments,
    ...notices.length > 0 && { notices },
    ...since !== null && { outageSince: since },
    reason: [chosen.reason, ...adjustments.map(({ to, reason }) => `${count(to)} by ${reason}`)].join('; '),
    load: seen.demand.load,
    capacity: seen.fullCapacity === null ? null : seen.fullCapacity * seen.demand.utilization,
    forecast,
    topFeatures: outlook ? topFeatures(outlook) : [],
    missingSignals: [...seen.demand.missingSignals, ...missingDrivers(seen)],
    modelVersion: outlook?.forecaster.version ?? 'none',
    ...policy.demo && { demo: true }
  }
}

/** What does not see ahead keeps to the rules that HPA has for that, unless an operator gave others. */
function behaviorFor ({ source }: Recommendation, { behavior, hpaBehavior = kubernetesBehavior }: Policy) {
  return source === 'forecast' ? behavior : hpaBehavior
}

/**
 * The ladder, highest rung first; a rung without an opinion is left out. Further signals stand beside it, and as in HPA the largest wins:
 * the one that counts comes first.
 */
function recommend (seen: Seen, outlook: Outlook | null, { policy, better }: { policy: Policy, better: Recommendation | null }): Recommendation[] {
  const rungs = [better, fromForecast(seen, outlook, policy), fromPresentLoad(seen, policy), fromLastDecision(seen, policy), fromHistory(seen, policy)]
    .filter(rung => rung !== null)
  if (!seen.drivers?.length) return rungs
  const currentReplicas = seen.currentReplicas ?? 0
  const drivers = fromDrivers(seen.drivers, { readyReplicas: seen.demand.readyReplicas ?? currentReplicas, currentReplicas }, policy)
  const largest = [...rungs.slice(0, 1), ...drivers].reduce<Recommendation | null>((best, next) => best === null || next.replicas > best.replicas ? next : best, null)
  return largest === null ? [] : [largest, ...[...rungs, ...drivers].filter(rung => rung !== largest)]
}

const medianOf = ({ quantiles }: Forecast) => quantiles.find(({ quantile }) => quantile === 0.5)?.load ?? null

/** Each only once, also where it is needed for the target, too. */
function missingDrivers ({ demand: { missingSignals }, drivers = [] }: Seen): string[] {
  return drivers.filter(({ signal, value }) => value === null && !missingSignals.includes(signal)).map(({ signal }) => signal)
}

function fromForecast (seen: Seen, outlook: Outlook | null, policy: Policy): Recommendation | null {
  if (outlook === null || seen.fullCapacity === null) return null
  const price = priceOf(seen.state.steering, policy, (seen.demand.load ?? 0) / seen.fullCapacity)
  const { replicas, probability, cheapest } = chooseReplicas(outlook, { instance: seen.fullCapacity, price, current: seen.currentReplicas })
  const seconds = outlook.horizonSteps * policy.stepSeconds
  // Where hardly anything of what may be violated has been, a violation costs so little that even a sure one can be the cheapest.
  const why = probability < 0.5 ? 'at what a violation costs now, the cheapest: ' : ''
  const kept = cheapest === replicas ? '' : `; ${cheapest} would not save enough to be worth a change`
  return { source: 'forecast', replicas, reason: `${why}${count(replicas)} can carry ${round(replicas * seen.fullCapacity)}, and the load of the next ${seconds} s stays below that with probability ${round(probability)}${kept}` }
}

/** Exactly what HPA would compute. */
function fromPresentLoad ({ demand, fullCapacity, currentReplicas: current }: Seen, { target, behavior }: Policy): Recommendation | null {
  const { load, usageRatio, readyReplicas, utilization } = demand
  const currentReplicas = current ?? 0
  if (usageRatio !== null && readyReplicas !== null && (target.kind === 'ratio' || fullCapacity === null || load === null)) {
    const replicas = replicasForUsage(usageRatio, { atTarget: utilization, readyReplicas, currentReplicas, behavior })
    return { source: 'reactive', replicas, reason: `usage ${round(usageRatio)} of ${readyReplicas} replicas, target ${utilization}: ${count(replicas)}` }
  }
  if (load === null || fullCapacity === null) return null
  const atTarget = fullCapacity * utilization
  const replicas = replicasForLoad(load, { atTarget, currentReplicas, behavior })
  return { source: 'reactive', replicas, reason: `present load ${round(load)}, ${round(atTarget)} for each replica: ${count(replicas)}` }
}

function fromLastDecision ({ state: { last }, at, demand }: Seen, { holdSeconds }: Policy): Recommendation | null {
  const seconds = last === null ? Infinity : (at - last.loadAt) / 1000
  if (last === null || seconds > holdSeconds) return null
  const why = demand.load === null ? `no load known for ${round(seconds)} s, holding ` : 'the last decision: '
  return { source: 'hold', replicas: last.replicas, reason: why + count(last.replicas) }
}

/** Blind for long: not more than now, and not less than the last season needed. Never scaled out of ignorance, nor in to nothing. */
function fromHistory ({ state: { last, window }, at, demand, fullCapacity, currentReplicas }: Seen, policy: Policy): Recommendation | null {
  if (last === null || currentReplicas === null) return null
  const largest = window === null ? NaN : largestBetween(window, at - policy.seasonSeconds * 1000, at)
  const needed = largest >= 0 && fullCapacity !== null ? replicasNeeded(largest, fullCapacity) : currentReplicas
  const replicas = Math.min(currentReplicas, Math.max(policy.minReplicas, needed))
  const why = demand.load === null ? `no load known for more than ${policy.holdSeconds} s, ` : ''
  const bound = replicas < needed ? `; ${count(replicas)}, never more than now` : replicas > needed ? `; ${count(replicas)}, the fewest allowed` : ''
  const known = largest >= 0 && fullCapacity !== null
    ? `the largest load of the last season, ${round(largest)}, needs ${count(needed)}${bound}`
    : `what the last season needed is not known, keeping ${count(replicas)}`
  return { source: 'floor', replicas, reason: why + known }
}

function describe ({ horizonSteps, quantiles, level, quiet, forecaster }: Outlook, { stepSeconds }: Policy): Forecast {
  return {
    horizonSeconds: horizonSteps * stepSeconds,
    quantiles: forecastProbabilities.map((quantile, i) => ({ quantile, load: Math.max(0, level * Math.exp(quantiles[i]) - quiet) })),
    modelVersion: forecaster.version
  }
}

const featuresShown = 5

function topFeatures ({ x, forecaster: { features, importance, mostImportant } }: Outlook) {
  return mostImportant.slice(0, featuresShown).map(i => ({ name: features[i], value: x[i], importance: importance[i] }))
}

const round = (value: number) => Number(value.toPrecision(4))
const count = (replicas: number) => replicas === 1 ? '1 replica' : `${replicas} replicas`
