import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import type { Point } from '../domain.ts'
import { checkTime } from '../admission.ts'
import { PrescaleError, type ErrorDetail } from '../errors.ts'
import { wattPoints, wattSignalsSchema, wattStatusSchema, wattUp } from '../ingest/watt.ts'
import type { Envelope } from '../store/envelope.ts'
import type { Api, ApiContext } from './context.ts'
import { allowedServices } from './principal.ts'
import { answers } from './schemas.ts'

const tags = ['ingest']
const bodyBytes = 8_388_608
const done = Type.Object({}, { additionalProperties: true })

/**
 * What pods with watt-extra tell their scaler: `PLT_ICC_URL` and the scaler's address point here. We raise no alerts (they would ask for
 * flame graphs). Points of applications that no service matches are received and dropped, as with remote write.
 */
export function wattRoutes (app: Api, context: ApiContext): void {
  app.post('/signals', {
    bodyLimit: bodyBytes,
    schema: { tags, summary: 'Health signals of watt-extra', body: wattSignalsSchema, response: answers(200, Type.Object({ alerts: Type.Array(Type.Unknown()) }), 400, 413, 415, 503) }
  }, async (request) => {
    await take(wattPoints(request.body), request, context)
    return { alerts: [] }
  })

  for (const [url, up, summary] of [['/connect', null, 'A runtime of watt-extra has connected'], ['/ready', true, 'A runtime of watt-extra is ready'], ['/disconnect', false, 'A runtime of watt-extra goes away']] as const) {
    app.post(url, { bodyLimit: 65_536, schema: { tags, summary, body: wattStatusSchema, response: answers(200, done, 400, 413, 415, 503) } }, async (request) => {
      const { body } = request
      // A runtime that connects is not ready yet: that is what readiness is measured from, and not an instance.
      if (up !== null) await take([wattUp(body, { at: body.timestamp ?? context.now(), up })], request, context)
      return {}
    })
  }
}

async function take (points: readonly Point[], request: FastifyRequest, { config, router, admission, queue, metrics, now }: ApiContext): Promise<void> {
  const present = now()
  let wrongTime: ErrorDetail | undefined
  const timely = points.filter(({ at }) => {
    const wrong = checkTime(at, config().limits, present)
    if (wrong) wrongTime ??= { path: 'signals', ...wrong }
    return wrong === null
  })
  const { byService } = router().route(timely)
  const envelopes: Envelope[] = []
  const mayUse = allowedServices(request) ?? (() => true)
  for (const [service, own] of byService) if (mayUse(service) && await admission.admits(service)) envelopes.push({ kind: 'points', service, points: own })
  await queue.enqueue(envelopes)
  const taken = envelopes.reduce((sum, envelope) => sum + (envelope.kind === 'points' ? envelope.points.length : 0), 0)
  metrics.received.inc({ source: 'watt', result: 'accepted' }, taken)
  metrics.received.inc({ source: 'watt', result: 'rejected' }, points.length - timely.length)
  if (timely.length === 0 && wrongTime) throw new PrescaleError('invalid-request', 'None of the points was taken.', { details: [wrongTime] })
}
