import type { Decision } from './domain.ts'

/** The story of one decision, one sentence each, for somebody who wants to know why. */
export function explain (decision: Decision): string[] {
  return [opening(decision), ...demand(decision), ...expectation(decision), ...recommendations(decision), ...adjustments(decision), ...grounds(decision)]
}

function opening ({ service, asOf, replicas, currentReplicas, demo }: Decision): string {
  const change = replicas === currentReplicas ? 'as many as there were' : `${replicas > currentReplicas ? 'up' : 'down'} from ${currentReplicas}`
  return `On the sample of ${new Date(asOf).toISOString()}, ${service}${demo ? ' (demonstration)' : ''} was to have ${count(replicas)}, ${change}.`
}

function demand ({ load, capacity }: Decision): string[] {
  if (load === null) return ['No load was known.']
  if (capacity === null) return [`The load was ${number(load)}; what one replica carries was not known yet.`]
  return [`The load was ${number(load)}, and one replica carries ${number(capacity)} at the target utilisation: ${number(load / capacity)} replicas' worth.`]
}

function expectation ({ forecast }: Decision): string[] {
  if (forecast === null) return ['There was no forecast.']
  const at = (wanted: number) => forecast.quantiles.reduce((best, one) => Math.abs(one.quantile - wanted) < Math.abs(best.quantile - wanted) ? one : best)
  const [middle, high] = [at(0.5), at(0.95)]
  return [
    `Within ${number(forecast.horizonSeconds)} s its largest value was expected to be ${number(middle.load)}, and to stay below ${number(high.load)} with probability ${high.quantile} (${forecast.modelVersion}).`,
    ...trust(forecast)
  ]
}

function trust ({ reason, calibration }: NonNullable<Decision['forecast']>): string[] {
  const shares = calibration?.coverage.map(({ quantile, share }) => `${number(100 * share)} % of the time below the quantile ${quantile}`)
  return [
    ...(reason === undefined ? [] : [`It was a ${reason}.`]),
    ...(shares === undefined ? [] : [`Over ${calibration!.forecasts} forecasts the load stayed ${shares.join(', ')}.`])
  ]
}

function recommendations ({ rawRecommendations: [chosen, ...others] }: Decision): string[] {
  if (chosen === undefined) return []
  return [
    `The ${chosen.source} rule was followed: ${chosen.reason}.`,
    ...others.map(({ source, reason }) => `The ${source} rule would have said: ${reason}.`)
  ]
}

function adjustments ({ adjustments }: Decision): string[] {
  if (adjustments.length === 0) return ['No rule changed that.']
  return adjustments.map(({ stage, from, to, reason }) => `Then ${stage} made ${from} into ${to}: ${reason}.`)
}

function grounds ({ topFeatures, missingSignals, forecast }: Decision): string[] {
  const features = topFeatures.map(({ name, value }) => `${name} (${number(value)})`)
  return [
    ...(forecast !== null && features.length > 0 ? [`What weighs most in the forecast: ${features.join(', ')}.`] : []),
    ...(missingSignals.length > 0 ? [`These signals were missing: ${missingSignals.join(', ')}.`] : [])
  ]
}

function count (replicas: number): string {
  return replicas === 1 ? '1 replica' : `${replicas} replicas`
}

function number (value: number): string {
  return String(Number(value.toPrecision(4)))
}
