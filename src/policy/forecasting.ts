import type { Decision, Policy } from '../domain.ts'
import type { LoadForecaster } from '../ml/forecaster.ts'
import { calibrationOf, comeDue, nextCalibration, noCalibration, openForecast, type Calibration, type OpenForecast, type Said } from './forecast-record.ts'
import { explainContest, inUse, nextContest, type ModelContest } from './model-contest.ts'
import { foresee } from './scaling.ts'
import type { Outlook, Seen } from './scaling-state.ts'

/** What is remembered of the forecasts of one service: about 2 kB, at most 4 kB where models compete. */
export interface ForecastsState {
  readonly open: readonly OpenForecast[]
  readonly calibration: Calibration
  readonly contest: ModelContest
}

export const noForecasts: ForecastsState = { open: [], calibration: noCalibration, contest: [] }

export interface ForecastModels {
  /** The shipped one, which serves everybody. */
  readonly forecast: LoadForecaster | null
  /** Learned from this very service. Which of all decides, the contest says. */
  readonly local?: readonly LoadForecaster[]
}

/**
 * Compares what came due with what came, and looks ahead with the model that has shown to be the best on this service. Pure.
 *
 * @param lastAt epoch ms of the sample before; after a gap nothing that is open can be compared.
 */
export function forecastLoad (before: ForecastsState, seen: Seen, { models, lastAt, policy }: { models: ForecastModels, lastAt: number, policy: Policy }):
{ state: ForecastsState, outlook: Outlook | null } {
  const { at, demand, state: { guards } } = seen
  const stepMs = policy.stepSeconds * 1000
  const isKnown = !guards?.spike && at - lastAt < 2 * stepMs
  const { open, outcomes } = comeDue(before.open, { at, load: isKnown ? demand.load : null })
  const { forecast: shipped, local = [] } = models
  const calibration = nextCalibration(before.calibration, outcomes)
  if (shipped === null) return { state: { open, calibration, contest: [] }, outlook: null }
  const contest = nextContest(before.contest, outcomes, { present: local.map(({ version }) => version), shipped: shipped.version, at })
  const outlook = foresee(seen, shipped, policy)
  if (outlook === null) return { state: { open, calibration, contest }, outlook }
  const looks = [outlook, ...local.map(forecaster => lookWith(forecaster, outlook, seen, policy))]
  const decided = decidingOutlook(looks, contest)
  const said: Said[] = local.length === 0 ? [] : looks.map(({ forecaster: { version }, quantiles }) => ({ version, quantiles: new Float32Array(quantiles) }))
  return { state: { open: openForecast(open, { at, stepMs, outlook: decided, said }), calibration, contest }, outlook: decided }
}

/** Models of one season see the same features; one that found another season has its own. */
function lookWith (forecaster: LoadForecaster, shipped: Outlook, seen: Seen, policy: Policy): Outlook {
  const isSame = (forecaster.seasonSeconds ?? policy.seasonSeconds) === (shipped.forecaster.seasonSeconds ?? policy.seasonSeconds)
  return isSame ? { ...shipped, forecaster, quantiles: forecaster.quantiles(shipped.x) } : foresee(seen, forecaster, policy)!
}

/** A canary may raise what is expected, and not lower it. */
function decidingOutlook ([shipped, ...local]: readonly Outlook[], contest: ModelContest): Outlook {
  const standing = inUse(contest)
  const own = local.find(({ forecaster: { version } }) => version === standing?.version)
  if (own === undefined) return shipped
  return standing?.life === 'canary' ? { ...own, quantiles: own.quantiles.map((quantile, i) => Math.max(quantile, shipped.quantiles[i])) } : own
}

/** The decision with what is known of its forecast: how well forecasts covered the load, and why this model made it. */
export function withForecastRecord (decision: Decision | null, { calibration, contest }: ForecastsState, { forecast: shipped }: ForecastModels): Decision | null {
  if (decision === null || decision.forecast === null) return decision
  const known = calibrationOf(calibration)
  const why = shipped === null ? null : explainContest(contest, shipped.version)
  return {
    ...decision,
    reason: why === null || decision.source !== 'forecast' ? decision.reason : `${decision.reason}; ${why}`,
    forecast: { ...decision.forecast, ...why !== null && { reason: why }, ...known !== null && { calibration: known } }
  }
}
