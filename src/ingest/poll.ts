import { serviceNamePattern, type Sample } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import type { Outbound } from './outbound.ts'
import { queryInstant, queryRange, type PrometheusServer, type QueryRange, type QuerySeries } from './promql.ts'

export interface PollSource extends PrometheusServer {
  /** The label whose value names the service. */
  readonly serviceLabel: string
  /** One PromQL query for each signal, grouped by that label. */
  readonly signals: Readonly<Record<string, string>>
}

export interface Polled {
  /** Ascending in time; a signal whose query gave no usable value for a service is missing in it. */
  readonly samples: Sample[]
  /** Queries that failed, by signal; their signal is missing everywhere. */
  readonly failed: { readonly signal: string, readonly reason: string }[]
  /** Results that no service could be made of: no label, a bad name, or the label's value twice. */
  readonly ignored: number
}

const serviceName = new RegExp(serviceNamePattern)

/**
 * Asks all queries at one time. One query that fails does not lose the others.
 *
 * @throws PrescaleError of the first query when all of them failed.
 */
export async function pollServices (source: PollSource, { at, fetchBytes }: { at: number } & Pick<Outbound, 'fetchBytes'>): Promise<Polled> {
  // Each result counts for the time that was asked for: Prometheus says when the query was evaluated, not when the value was scraped.
  return collect(source, (query) => queryInstant(source, query, { at, fetchBytes }))
}

/** The same over a stretch of the past, for training and for a start with history. */
export async function pollHistory (source: PollSource, { fetchBytes, ...range }: QueryRange & Pick<Outbound, 'fetchBytes'>): Promise<Polled> {
  return collect(source, (query) => queryRange(source, query, { ...range, fetchBytes }))
}

async function collect ({ serviceLabel, signals }: PollSource, ask: (query: string) => Promise<QuerySeries[]>): Promise<Polled> {
  const failures: { signal: string, error: PrescaleError }[] = []
  const table = new Map<string, Map<number, Record<string, number>>>()
  let ignored = 0
  for (const [signal, query] of Object.entries(signals)) {
    try {
      ignored += enter(table, { signal, serviceLabel, series: await ask(query) })
    } catch (error) {
      if (!(error instanceof PrescaleError)) throw error
      failures.push({ signal, error })
    }
  }
  if (failures.length > 0 && failures.length === Object.keys(signals).length) throw failures[0].error
  const samples = [...table].flatMap(([service, times]) => [...times].map(([at, values]): Sample => ({ service, at, signals: values })))
  return { samples: samples.sort((a, b) => a.at - b.at), failed: failures.map(({ signal, error }) => ({ signal, reason: error.message })), ignored }
}

interface Answer { readonly signal: string, readonly serviceLabel: string, readonly series: readonly QuerySeries[] }

/** @returns how many series could not be used. */
function enter (table: Map<string, Map<number, Record<string, number>>>, { signal, serviceLabel, series }: Answer): number {
  const seen = new Set<string>()
  let ignored = 0
  for (const { labels, values } of series) {
    const service = labels.find(([name]) => name === serviceLabel)?.[1] ?? ''
    if (!serviceName.test(service) || seen.has(service)) {
      ignored++
      continue
    }
    seen.add(service)
    const times = table.get(service) ?? new Map<number, Record<string, number>>()
    table.set(service, times)
    for (const [at, value] of values) {
      const row = times.get(at) ?? {}
      if (Number.isFinite(value)) row[signal] = value
      times.set(at, row)
    }
  }
  return ignored
}
