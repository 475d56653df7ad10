import type { FastifyReply } from 'fastify'
import type { PrescaleError } from '../../errors.ts'
import type { Value } from './evaluate.ts'
import type { MatrixSeries } from './query.ts'

/** Times are seconds as a number, values are text. */
type Pair = readonly [seconds: number, value: string]

export function success (data: unknown) {
  return { status: 'success' as const, data }
}

export function instantData (value: Value, at: number) {
  if (typeof value === 'number') return { resultType: 'scalar' as const, result: pair(at, value) }
  return { resultType: 'vector' as const, result: value.map(({ labels, value: number }) => ({ metric: labels, value: pair(at, number) })) }
}

export function rangeData (series: readonly MatrixSeries[]) {
  return { resultType: 'matrix' as const, result: series.map(({ labels, values }) => ({ metric: labels, values: values.map(([at, value]) => pair(at, value)) })) }
}

function pair (at: number, value: number): Pair {
  return [at / 1000, Number.isNaN(value) ? 'NaN' : value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value)]
}

/** Error types of Prometheus, web/api/v1. */
function errorType ({ code, status }: PrescaleError): string {
  if (code === 'limit-exceeded') return 'execution'
  return { 400: 'bad_data', 404: 'not_found', 500: 'internal', 503: 'unavailable' }[status] ?? 'bad_data'
}

export function sendError (reply: FastifyReply, error: PrescaleError): FastifyReply {
  const type = errorType(error)
  if (error.status === 503) reply.header('retry-after', 5)
  if (error.status === 500) reply.log.error({ err: error, url: reply.request.url }, 'request failed')
  const status = type === 'execution' ? 422 : error.status
  return reply.code(status).type('application/json').send(JSON.stringify({ status: 'error', errorType: type, error: error.message }))
}
