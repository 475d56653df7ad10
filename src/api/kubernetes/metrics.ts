import { serviceNamePattern } from '../../domain.ts'
import { PrescaleError } from '../../errors.ts'
import type { ApiOptions } from '../context.ts'
import { notActing } from '../decisions.ts'
import { latestReadings } from '../latest-readings.ts'
import type { Reading, SeriesName } from '../series.ts'
import { allowedValues, selects, type LabelSelector } from './label-selector.ts'

/** Names as the users of HPA write them. */
export const metricNames: Readonly<Record<string, SeriesName>> = {
  desired_replicas: 'prescale_replicas', forecast_load: 'prescale_forecast', load: 'prescale_load', capacity: 'prescale_capacity', anomaly_score: 'prescale_anomaly_score'
}

/** What one scales by. */
const handedOut: ReadonlySet<string> = new Set(['desired_replicas', 'forecast_load'])

const serviceName = new RegExp(serviceNamePattern)

/**
 * The one reading of each service.
 *
 * @throws PrescaleError `not-found` for a metric that we do not have, `no-opinion` when one of the services has nothing valid to say (HPA
 * adds up what it gets, and part of a sum would scale in), `not-acting` when one is in shadow, `invalid-request` when a selector leaves several series of one service.
 */
export async function readMetric (metric: string, services: readonly string[], selector: LabelSelector, context: Pick<ApiOptions, 'decisions' | 'config' | 'now'>): Promise<Reading[]> {
  const name = Object.hasOwn(metricNames, metric) ? metricNames[metric] : undefined
  if (name === undefined) throw new PrescaleError('not-found', `the server could not find the metric ${metric}; there are ${Object.keys(metricNames).join(', ')}`)
  const now = context.now()
  return await Promise.all(services.map(async (service) => {
    const { decision, readings } = serviceName.test(service) ? await latestReadings(service, context) : { decision: null, readings: [] }
    if (decision !== null && decision.mode !== 'act' && handedOut.has(metric)) throw notActing(decision)
    const valid = readings.filter((reading) => reading.name === name && now < reading.until && selects(selector, reading.labels))
    if (valid.length === 0) throw new PrescaleError('no-opinion', `there is no valid ${metric} of ${service} now`)
    if (valid.length > 1) throw new PrescaleError('invalid-request', `${metric} of ${service} has ${valid.length} series; select one, as by quantile=${valid[valid.length - 1].labels['quantile']}`)
    return valid[0]
  }))
}

/** The services that a selector names. Without a name HPA would add up the replicas of all services. */
export function servicesOf (selector: LabelSelector): readonly string[] {
  const services = allowedValues(selector, 'service')
  if (services === null || services.length === 0) throw new PrescaleError('invalid-request', 'the label selector has to name the service, as in service=shop: values of several services would be added up')
  if (services.length > 100) throw new PrescaleError('invalid-request', `the label selector names ${services.length} services, at most 100 are allowed`)
  return services
}

/** RFC 3339 without fractions, as metav1.Time is written. */
export function toTimestamp (at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')
}
