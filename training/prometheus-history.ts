import { PrescaleError } from '../src/errors.ts'
import { createOutbound } from '../src/ingest/outbound.ts'
import { queryRange, type QuerySeries } from '../src/ingest/promql.ts'
import { withoutEmptySignals, type History } from './history.ts'
import { createProgress } from './progress.ts'

export interface PrometheusHistory {
  readonly url: string
  /** How far back, in seconds. */
  readonly sinceSeconds: number
  /** PromQL for each signal. */
  readonly queries: Readonly<Record<string, string>>
  readonly stepSeconds?: number
  /** Label that names the service, where the queries answer for several. */
  readonly serviceLabel?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Epoch ms of the end. */
  readonly until: number
}

const allServices = 'prometheus'
const timeoutSeconds = 60
const maxBytes = 256 * 1024 * 1024

/** "14d" → 1,209,600 seconds. */
export function parseDuration (text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h|d|w)$/.exec(text)
  if (match === null) throw new PrescaleError('invalid-request', `"${text}" is no duration; a number with s, m, h, d or w is expected, such as 14d.`)
  return Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[match[2] as 's' | 'm' | 'h' | 'd' | 'w']
}

/**
 * What a Prometheus server remembers, one query for each signal, on one grid of steps.
 *
 * @throws PrescaleError 'source-unreachable' if the server does not answer; 'invalid-request' for a query that it refuses, that has no answer at all,
 * or that has several where no label tells services apart.
 */
export async function readPrometheus ({ url, sinceSeconds, queries, stepSeconds = 60, serviceLabel, headers, until }: PrometheusHistory): Promise<History[]> {
  const signals = Object.keys(queries)
  if (signals.length === 0) throw new PrescaleError('invalid-request', 'There is no query; --query requestsPerSecond="sum(rate(http_requests_total[1m]))" is an example.')
  const stepMs = stepSeconds * 1000
  const from = Math.floor((until - sinceSeconds * 1000) / stepMs) * stepMs
  const rows = Math.floor((until - from) / stepMs) + 1
  const services = new Map<string, Float64Array>()
  const outbound = createOutbound()
  const progress = createProgress({ label: `asking ${url}`, total: signals.length, unit: 'queries' })
  try {
    for (const [column, signal] of signals.entries()) {
      const server = { url, timeoutSeconds, maxBytes, ...(headers && { headers }) }
      const answer = await queryRange(server, queries[signal], { from, to: until, stepSeconds, fetchBytes: outbound.fetchBytes })
      for (const { name, values } of byService(answer, { signal, query: queries[signal], serviceLabel })) {
        const x = services.get(name) ?? new Float64Array(rows * signals.length).fill(NaN)
        for (const [at, value] of values) if (Number.isFinite(value)) x[Math.round((at - from) / stepMs) * signals.length + column] = value
        services.set(name, x)
      }
      progress.advance()
    }
  } finally {
    progress.done()
    await outbound.close()
  }
  // A value of Prometheus speaks of the time before it: the step that began a step earlier.
  const at = Float64Array.from({ length: rows }, (_, row) => from + (row - 1) * stepMs)
  return [...services].map(([name, x]) => withoutEmptySignals({ name, stepSeconds, at, signals, x }))
}

function byService (series: readonly QuerySeries[], { signal, query, serviceLabel }: { signal: string, query: string, serviceLabel?: string }) {
  if (series.length === 0) throw new PrescaleError('invalid-request', `The query for ${signal} has no answer in that time: ${query}`)
  if (serviceLabel === undefined) {
    if (series.length === 1) return [{ name: allServices, values: series[0].values }]
    throw new PrescaleError('invalid-request',
      `The query for ${signal} answers with ${series.length} series where one is expected; sum them up, or name the label that tells services apart: ${query}`)
  }
  return series.map(({ labels, values }) => {
    const name = labels.find(([label]) => label === serviceLabel)?.[1]
    if (name === undefined) throw new PrescaleError('invalid-request', `The query for ${signal} answers with a series that has no label ${serviceLabel}: ${query}`)
    return { name, values }
  })
}
