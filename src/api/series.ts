import type { Decision, Verdict } from '../domain.ts'

/** The numbers that those who think in metrics and labels may ask for. */
export const seriesHelp = {
  prescale_replicas: 'Replicas of the decision that was valid at that time.',
  prescale_shadow_replicas: 'The same of a service whose decisions are not handed out (mode shadow or advise).',
  prescale_forecast: 'Quantiles of the largest load that was expected within the horizon.',
  prescale_forecast_coverage: 'Share of the forecasts of late whose quantile the load did not exceed; 0.95 is right for the quantile 0.95.',
  prescale_load: 'Load of the whole service that the decision rests on.',
  prescale_capacity: 'Load that one replica carries at the target utilisation.',
  prescale_anomaly_score: 'Score of the verdict, 0 to 1, higher is more anomalous.',
  prescale_drift: 'Stability index of the last day against those before, above 0.25 something has moved; of the score and of the signals that moved most.',
  prescale_incident_open: 'Whether an incident of the service was open, 0 or 1.'
} as const
export type SeriesName = keyof typeof seriesHelp
export const seriesNames = Object.keys(seriesHelp) as SeriesName[]

export type Labels = Readonly<Record<string, string>>

/** One number, and the time in which it is what we say: [from, until), epoch ms. */
export interface Reading {
  readonly name: SeriesName
  readonly labels: Labels
  readonly value: number
  readonly from: number
  readonly until: number
}

type Numbers = Pick<Decision, 'service' | 'mode' | 'asOf' | 'validUntil' | 'replicas' | 'load' | 'capacity' | 'forecast' | 'demo'>

/** What one decision says. A load or capacity that it does not know has no reading: it is missing, and not 0. */
export function readingsOfDecision ({ service, mode, asOf, validUntil, replicas, load, capacity, forecast, demo }: Numbers): Reading[] {
  const labels = labelsOf(service, demo)
  const reading = (name: SeriesName, value: number | null, more: Labels = {}): Reading[] =>
    value === null ? [] : [{ name, labels: { ...labels, ...more }, value, from: asOf, until: validUntil }]
  return [
    ...reading(mode === 'act' ? 'prescale_replicas' : 'prescale_shadow_replicas', replicas),
    ...(forecast?.quantiles ?? []).flatMap(({ quantile, load: expected }) => reading('prescale_forecast', expected, { quantile: String(quantile) })),
    ...(forecast?.calibration?.coverage ?? []).flatMap(({ quantile, share }) => reading('prescale_forecast_coverage', share, { quantile: String(quantile) })),
    ...reading('prescale_load', load),
    ...reading('prescale_capacity', capacity)
  ]
}

type Judged = Pick<Verdict, 'service' | 'asOf' | 'score' | 'incident' | 'drift'>

/** @param lifeSeconds how long a verdict may be handed out after its sample. */
export function readingsOfVerdict ({ service, asOf, score, incident, drift }: Judged, { lifeSeconds, demo }: { lifeSeconds: number, demo?: boolean | undefined }): Reading[] {
  const common: Pick<Reading, 'labels' | 'from' | 'until'> = { labels: labelsOf(service, demo), from: asOf, until: asOf + lifeSeconds * 1000 }
  const moved = drift ? [{ signal: 'score', index: drift.score }, ...drift.signals] : []
  return [
    { name: 'prescale_anomaly_score', ...common, value: score },
    { name: 'prescale_incident_open', ...common, value: incident ? 1 : 0 },
    ...moved.map(({ signal, index }): Reading => ({ name: 'prescale_drift', ...common, labels: { ...common.labels, signal }, value: index }))
  ]
}

function labelsOf (service: string, demo: boolean | undefined): Labels {
  return { service, ...(demo && { demo: 'true' }) }
}
