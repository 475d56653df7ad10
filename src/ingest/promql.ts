import { PrescaleError } from '../errors.ts'
import type { Outbound } from './outbound.ts'

export interface PrometheusServer {
  /** Without `/api/v1`; a path before it is kept. */
  readonly url: string
  readonly timeoutSeconds: number
  readonly maxBytes: number
  readonly headers?: Readonly<Record<string, string>>
}

export interface QuerySeries {
  readonly labels: readonly (readonly [name: string, value: string])[]
  /** Epoch ms and value, ascending. Values may be NaN or infinite. */
  readonly values: readonly (readonly [at: number, value: number])[]
}

export interface QueryRange {
  /** Epoch ms; both ends are moved back onto whole steps, as Prometheus' own graphs are. */
  readonly from: number
  readonly to: number
  readonly stepSeconds: number
}

/** Prometheus refuses a range of more than 11 000 points. */
const maxPointsPerQuery = 11_000

/** Evaluates a query at one time; a scalar is a series without labels. */
export async function queryInstant (server: PrometheusServer, query: string, { at, fetchBytes }: { at: number } & Pick<Outbound, 'fetchBytes'>): Promise<QuerySeries[]> {
  return toSeries(await ask(server, 'query', { query, time: seconds(at) }, fetchBytes))
}

/** Evaluates a query at every step of a range, in as many requests as it takes. */
export async function queryRange (server: PrometheusServer, query: string, { fetchBytes, ...range }: QueryRange & Pick<Outbound, 'fetchBytes'>): Promise<QuerySeries[]> {
  const merged = new Map<string, { labels: QuerySeries['labels'], values: [number, number][] }>()
  for (const { from, to } of rangeChunks(range)) {
    const data = await ask(server, 'query_range', { query, start: seconds(from), end: seconds(to), step: String(range.stepSeconds) }, fetchBytes)
    for (const { labels, values } of toSeries(data)) {
      const key = JSON.stringify([...labels].sort(([a], [b]) => a < b ? -1 : 1))
      const series = merged.get(key) ?? { labels, values: [] }
      for (const [at, value] of values) series.values.push([at, value])
      merged.set(key, series)
    }
  }
  return [...merged.values()]
}

/** Ranges that follow each other without a step in between or in common; both ends of each are whole steps. */
export function rangeChunks ({ from, to, stepSeconds }: QueryRange): { from: number, to: number }[] {
  const stepMs = Math.round(stepSeconds * 1000)
  const last = Math.floor(to / stepMs) * stepMs
  const chunks: { from: number, to: number }[] = []
  for (let start = Math.floor(from / stepMs) * stepMs; start <= last; start += maxPointsPerQuery * stepMs) {
    chunks.push({ from: start, to: Math.min(last, start + (maxPointsPerQuery - 1) * stepMs) })
  }
  return chunks
}

function seconds (at: number): string {
  return (at / 1000).toFixed(3)
}

async function ask (server: PrometheusServer, path: string, form: Record<string, string>, fetchBytes: Outbound['fetchBytes']): Promise<unknown> {
  const address = `${server.url.replace(/\/+$/, '')}/api/v1/${path}`
  const { status, body } = await fetchBytes(address, { ...server, form: new URLSearchParams({ ...form, timeout: `${server.timeoutSeconds}s` }) })
  const envelope = parseEnvelope(body)
  if (envelope?.status === 'success') return envelope.data
  const said = typeof envelope?.error === 'string' ? `${String(envelope.errorType)}: ${envelope.error}` : `status ${status} and no answer of the Prometheus API`
  // 400 and 422 are about the query; everything else is about the server or what stands before it.
  throw new PrescaleError(status === 400 || status === 422 ? 'invalid-request' : 'source-unreachable', `Prometheus at ${server.url} answers ${said}.`)
}

function parseEnvelope (body: Buffer): { status?: unknown, data?: unknown, error?: unknown, errorType?: unknown } | null {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return null
  }
}

function toSeries (data: unknown): QuerySeries[] {
  const { resultType, result } = (data ?? {}) as { resultType?: unknown, result?: unknown }
  if (resultType === 'scalar') return [{ labels: [], values: [toValue(result)] }]
  if ((resultType !== 'vector' && resultType !== 'matrix') || !Array.isArray(result)) throw strange(`a result of type ${String(resultType)}`)
  return result.flatMap((series: unknown) => {
    const { metric, value, values } = (series ?? {}) as { metric?: unknown, value?: unknown, values?: unknown }
    const list = resultType === 'vector' ? [value] : values
    // Native histograms come under another key and are no numbers.
    if (!Array.isArray(list) || list[0] === undefined) return []
    return [{ labels: toLabels(metric ?? {}), values: list.map(toValue) }]
  })
}

function toLabels (metric: unknown): [string, string][] {
  if (typeof metric !== 'object' || Array.isArray(metric)) throw strange('labels that are no object')
  return Object.entries(metric as object).map(([name, value]): [string, string] => {
    if (typeof value !== 'string') throw strange(`a label whose value is a ${typeof value}`)
    return [name, value]
  })
}

/** `[1700000000.123, "1.5"]`: the time in seconds, the value as text because JSON has no NaN. */
function toValue (pair: unknown): [number, number] {
  if (!Array.isArray(pair) || typeof pair[0] !== 'number' || typeof pair[1] !== 'string') throw strange(`the value ${JSON.stringify(pair)?.slice(0, 100)}`)
  const text = pair[1].replace(/^([+-]?)Inf$/, '$1Infinity')
  const value = Number(text)
  if (text.trim() === '' || (Number.isNaN(value) && text !== 'NaN')) throw strange(`the value ${JSON.stringify(pair)?.slice(0, 100)}`)
  return [Math.round(pair[0] * 1000), value]
}

function strange (what: string): PrescaleError {
  return new PrescaleError('source-unreachable', `Prometheus answers with ${what}, which is not understood.`)
}
