import type { Decision, Incident, IncidentChange, Policy, Sample, Suggestion, Verdict } from './domain.ts'
import { fromContest, nextRuleContest } from './policy/rule-contest.ts'
import { decide } from './policy/decide.ts'
import { nextForecastErrors, noForecastErrors, riseOf, withForecastError, type ForecastErrors } from './policy/forecast-error.ts'
import { forecastLoad, noForecasts, withForecastRecord, type ForecastModels, type ForecastsState } from './policy/forecasting.ts'
import { emptyIncidentState, isOpen, nextIncident, type IncidentState } from './policy/incident.ts'
import { expectations, thresholdFactor } from './policy/incident-feedback.ts'
import { compareWithHpa, type SavingsState } from './policy/savings.ts'
import { nextMaintenancePlan, type MaintenancePlan } from './policy/maintenance-windows.ts'
import { emptyScalingState, learn, observe } from './policy/scaling.ts'
import type { ScalingState } from './policy/scaling-state.ts'
import { detect, emptyAnomalyState, type AnomalyModel, type AnomalyState } from './policy/verdict.ts'
import type { ConfigModel, TuningState } from './policy/suggest.ts'
import { followSample } from './tuning/follow.ts'
import { holdOf } from './tuning/health.ts'
import { tuningRules } from './tuning/preset.ts'

export interface Models extends ForecastModels {
  readonly anomaly: AnomalyModel | null
  readonly config: ConfigModel | null
}

/** Everything that is remembered about one service: plain objects, numbers, strings, arrays and typed arrays; at most 64 KiB. */
export interface ServiceState {
  readonly version: 1
  /** Epoch ms of the newest sample that it holds; an older one is stale. */
  readonly lastAt: number
  readonly scaling: ScalingState
  readonly anomaly: AnomalyState
  readonly tuning: TuningState | null
  /** Absent in what an earlier release has written. */
  readonly incidents?: IncidentState
  readonly plan?: MaintenancePlan
  readonly forecastErrors?: ForecastErrors
  readonly forecasts?: ForecastsState
  /** Absent in what an earlier release has written, and null before the first decision. */
  readonly savings?: SavingsState | null
}

/** What one sample did to the incidents of its service. */
export interface IncidentNews {
  /** What is worth telling. */
  readonly changes: readonly IncidentChange[]
  /** The newest one, as it is now, if the sample touched it. */
  readonly touched: Incident | null
}

export type Evaluation =
  | { readonly status: 'stale', readonly state: ServiceState }
  | { readonly status: 'warming-up', readonly state: ServiceState, readonly verdict: Verdict, readonly incidents: IncidentNews }
  | { readonly status: 'decided', readonly state: ServiceState, readonly decision: Decision, readonly verdict: Verdict, readonly incidents: IncidentNews, readonly suggestion: Suggestion | null }

export function emptyState (): ServiceState {
  return { version: 1, lastAt: -Infinity, scaling: emptyScalingState(), anomaly: emptyAnomalyState(), tuning: null, incidents: emptyIncidentState, savings: null }
}

/**
 * The whole product as a function: what one sample of one service makes us remember, decide, suspect and suggest.
 *
 * Pure: no network, disk, clock or chance, and `state` is never changed. Live worker, replay and backtest all call it.
 * A sample that is not newer than the state is stale and changes nothing.
 */
export function evaluate (state: ServiceState, sample: Sample, models: Models, policy: Policy): Evaluation {
  if (!(sample.at > state.lastAt)) return { status: 'stale', state }

  const { incidents: before = emptyIncidentState } = state
  const { state: anomaly, verdict: found } = detect(state.anomaly, sample, {
    model: models.anomaly, ...policy, expected: expectations(before), thresholdFactor: thresholdFactor(before)
  })
  const { state: incidents, changes } = nextIncident(before, found, policy)
  const plan = nextMaintenancePlan(state.plan, state.scaling.window, { ...policy, ...sample })
  const news: IncidentNews = { changes, touched: incidents === before ? null : incidents.newest }

  const seen = observe(state.scaling, sample, policy, found.score >= found.threshold)
  const { state: forecasts, outlook } = forecastLoad(state.forecasts ?? noForecasts, seen, { models, lastAt: state.lastAt, policy })
  const contest = seen.state.contest ?? null
  const saved = state.savings ?? null
  const decision = withForecastRecord(decide(seen, outlook, policy, fromContest(contest, saved, seen, policy)), forecasts, models)
  const learned = learn(seen, decision, policy)

  const savings = decision === null ? saved : compareWithHpa(saved, seen, decision, policy)
  const scaling = decision === null ? learned : { ...learned, contest: nextRuleContest(contest, seen, { decision, outlook, savings: [saved, savings] }, policy) }

  const forecastErrors = nextForecastErrors(state.forecastErrors ?? noForecastErrors, sample.at, decision)
  const verdict = {
    ...found,
    maintenance: { ...found.maintenance, windows: plan.windows },
    incident: isOpen(incidents) ? incidents.newest!.id : null,
    drift: withForecastError(found.drift, riseOf(forecastErrors, { ...policy, ...sample }))
  }

  const hold = holdOf(sample, verdict, decision)
  const { state: tuning, suggestion } = followSample(state.tuning, sample, { rules: tuningRules(policy), model: models.config, hold })

  const next: ServiceState = { version: 1, lastAt: sample.at, scaling, anomaly, tuning, incidents, plan, forecastErrors, forecasts, savings }
  if (decision === null) return { status: 'warming-up', state: next, verdict, incidents: news }
  return { status: 'decided', state: next, decision, verdict, incidents: news, suggestion }
}
