import { Type } from 'typebox'
import type { FastifyReply } from 'fastify'
import type { Point } from '../domain.ts'
import { PrescaleError, type ErrorDetail } from '../errors.ts'
import { decodeWriteRequest } from '../ingest/remote-write.ts'
import type { Envelope } from '../store/envelope.ts'
import { checkTime, noRoomFor } from '../admission.ts'
import { acceptBytes } from './bodies.ts'
import type { Api, ApiContext } from './context.ts'
import { allowedServices } from './principal.ts'
import { handleError } from './problem.ts'
import { answers } from './schemas.ts'

interface Written { readonly samples: number, readonly histograms: number, readonly exemplars: number }
const nothing: Written = { samples: 0, histograms: 0, exemplars: 0 }

/**
 * Receiver of Prometheus remote write 1.0 and 2.0. A sender repeats what was answered with 5xx and drops what was answered with 4xx, so a
 * full queue is 503 (never 429: Prometheus 2.42 drops the batch), and bad samples are 400 although the good ones beside them are kept.
 * Points that no service reads count as written: they have been received, there is nothing to repeat.
 */
export async function remoteWriteRoutes (app: Api, context: ApiContext): Promise<void> {
  await app.register(async (scope: Api) => {
    acceptBytes(scope)
    scope.addHook('onRequest', async (_request, reply) => { tellWritten(reply, nothing) })
    scope.setErrorHandler(handleError)
    scope.post('/api/v1/write', {
      bodyLimit: context.config().limits.bodyBytes,
      schema: {
        tags: ['ingest'],
        summary: 'Prometheus remote write 1.0 and 2.0: snappy, protobuf',
        consumes: ['application/x-protobuf'],
        response: answers(204, Type.Null(), 400, 404, 413, 415, 503)
      }
    }, async (request, reply) => {
      const { limits, sources } = context.config()
      if (!sources.remoteWrite.enabled) throw new PrescaleError('not-found', 'Remote write is turned off (sources.remoteWrite.enabled).')
      const { 'content-type': contentType, 'content-encoding': contentEncoding } = request.headers
      const body = request.body as Buffer | undefined ?? Buffer.alloc(0)
      const { points, written, invalid } = decodeWriteRequest({ body, contentType, contentEncoding, limits })
      const { taken, details } = await accept(points, { ...context, mayUse: allowedServices(request) ?? (() => true) })
      if (invalid.count > 0) {
        context.metrics.rejected.inc({ source: 'remote-write', reason: 'shape' }, invalid.count)
        details.push({ path: 'timeseries', expected: invalid.firstReason ?? 'valid series' })
      }
      const refused = points.length - taken + invalid.count
      tellWritten(reply, { ...written, samples: written.samples - (points.length - taken) })
      if (refused > 0) throw refusal(refused, points.length + invalid.count, details)
      return reply.code(204).send()
    })
  })
}

function refusal (refused: number, all: number, details: readonly ErrorDetail[]): PrescaleError {
  const code = details.every(({ expected }) => expected.includes('limit')) ? 'limit-exceeded' : 'invalid-request'
  return new PrescaleError(code, `${refused} of ${all} samples were refused, the others were taken: ${details[0].expected}.`, { details })
}

function tellWritten (reply: FastifyReply, { samples, histograms, exemplars }: Written): void {
  reply.headers({
    'x-prometheus-remote-write-samples-written': samples,
    'x-prometheus-remote-write-histograms-written': histograms,
    'x-prometheus-remote-write-exemplars-written': exemplars
  })
}

/** Points of the first `most` series; those that come with later requests are bounded in the worker. */
function firstSeries (points: readonly Point[], most: number): readonly Point[] {
  if (points.length <= most) return points
  const series = new Set<string>()
  return points.filter(({ metric, labels }) => {
    const name = JSON.stringify([metric, labels])
    if (!series.has(name) && series.size >= most) return false
    series.add(name)
    return true
  })
}

interface AcceptContext extends ApiContext {
  /** What somebody else's services would read is dropped as what nobody reads. */
  readonly mayUse: (service: string) => boolean
}
interface Accepted { readonly taken: number, readonly details: ErrorDetail[] }

/** Queues what may be taken, by service; says what may not, once for each limit. */
async function accept (points: readonly Point[], { config, router, queue, admission, metrics, now, mayUse }: AcceptContext): Promise<Accepted> {
  const { limits } = config()
  const details = new Map<string, ErrorDetail>()
  const refuse = (reason: string, count: number, detail: ErrorDetail) => {
    metrics.rejected.inc({ source: 'remote-write', reason }, count)
    if (!details.has(reason)) details.set(reason, detail)
  }
  const present = now()
  const timely = points.filter(({ at, metric }) => {
    const wrongTime = checkTime(at, limits, present)
    if (wrongTime) refuse('time', 1, { path: metric, ...wrongTime })
    return wrongTime === null
  })
  const { byService, dropped, droppedBy } = router().route(timely)
  let taken = timely.length - droppedBy.overLimit
  if (droppedBy.overLimit > 0) refuse('services', droppedBy.overLimit, noRoomFor('a new one', limits))
  const envelopes: Envelope[] = []
  for (const [service, own] of [...byService].filter(([service]) => mayUse(service))) {
    if (!await admission.admits(service)) {
      taken -= own.length
      refuse('services', own.length, noRoomFor(service, limits))
      continue
    }
    const kept = firstSeries(own, limits.seriesPerService)
    if (kept.length < own.length) {
      taken -= own.length - kept.length
      refuse('series', own.length - kept.length, { path: service, expected: `at most ${limits.seriesPerService} series a service (limits.seriesPerService)` })
    }
    envelopes.push({ kind: 'points', service, points: kept })
  }
  await queue.enqueue(envelopes)
  metrics.received.inc({ source: 'remote-write', result: 'accepted' }, taken - dropped + droppedBy.overLimit)
  metrics.received.inc({ source: 'remote-write', result: 'unwanted' }, dropped - droppedBy.overLimit)
  metrics.received.inc({ source: 'remote-write', result: 'rejected' }, points.length - taken)
  return { taken, details: [...details.values()] }
}
