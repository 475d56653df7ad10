import { randomUUID } from 'node:crypto'
import { Type, type Static } from 'typebox'
import type { FastifyRequest } from 'fastify'
import { resolveService } from '../config.ts'
import type { Override, TimedOverride } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { activeOverrides, contradictions } from '../policy/overrides.ts'
import type { Api, ApiContext } from './context.ts'
import { refuseUnknown } from './decisions.ts'
import './principal.ts'
import { answers, serviceName, serviceParams } from './schemas.ts'

const longestSeconds = 31_536_000
const flag = (description: string) => Type.Optional(Type.Literal(true, { description }))
const bodySchema = Type.Object({
  hold: flag('may grow, does not shrink'),
  pause: flag('stays as it is'),
  outage: flag('as hold, and so does what depends on it'),
  force: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'exactly so many replicas, within minReplicas and maxReplicas' })),
  ttlSeconds: Type.Number({ minimum: 1, maximum: longestSeconds, description: 'It ends by itself after so long.' }),
  reason: Type.String({ minLength: 1, maxLength: 200 })
}, { additionalProperties: false, title: 'one of hold: true, pause: true, outage: true and force: REPLICAS, with ttlSeconds and reason' })

const overrideSchema = Type.Object({
  id: Type.Optional(Type.String({ description: 'of one that was set here; those of the settings have none' })),
  kind: Type.Enum(['hold', 'pause', 'outage', 'force']),
  replicas: Type.Optional(Type.Integer()),
  reason: Type.String(),
  until: Type.Optional(Type.Integer({ description: 'ms since 1970' })),
  at: Type.Optional(Type.Integer({ description: 'ms since 1970; when it was set' })),
  by: Type.Optional(Type.String())
})
const contradictionsSchema = Type.Array(Type.String(), { description: 'those that cannot all be obeyed; the one with the most replicas counts' })
const idParams = Type.Object({ service: serviceName, id: Type.String({ pattern: '^[0-9a-f-]{36}$', title: 'the id of an override' }) })
const tags = ['services']

/** What operators say for a while, beside the settings, which stay as they are. It counts from the next sample on. */
export function overrideRoutes (app: Api, context: ApiContext): void {
  const { overrides, now } = context

  app.get('/v1/services/:service/overrides', {
    schema: {
      tags,
      summary: 'Overrides in force, those of the settings included, and which of them contradict each other',
      params: serviceParams,
      response: answers(200, Type.Object({ overrides: Type.Array(overrideSchema), contradictions: contradictionsSchema }), 404, 503)
    }
  }, async ({ params: { service } }) => {
    await refuseUnknown(service, context)
    return await inForce(service, context)
  })

  app.post('/v1/services/:service/overrides', {
    bodyLimit: 16_384,
    schema: {
      tags,
      summary: 'Holds, pauses or forces a service for a while',
      params: serviceParams,
      body: bodySchema,
      response: answers(201, Type.Object({ override: overrideSchema, contradictions: contradictionsSchema }), 400, 404, 413, 415, 503)
    }
  }, async (request, reply) => {
    const { params: { service }, body } = request
    await refuseUnknown(service, context)
    const asked = request as unknown as FastifyRequest
    const override: TimedOverride = { ...toOverride(body), id: randomUUID(), at: now(), until: now() + Math.round(body.ttlSeconds * 1000), by: asked.principal?.name ?? 'anybody' }
    await overrides.add(service, override)
    asked.changes = { override }
    const { contradictions: found } = await inForce(service, context)
    reply.code(201)
    return { override, contradictions: found }
  })

  app.delete('/v1/services/:service/overrides/:id', {
    schema: { tags, summary: 'Lifts an override before its time', params: idParams, response: answers(204, Type.Null(), 404, 503) }
  }, async (request, reply) => {
    const { params: { service, id } } = request
    const lifted = await overrides.remove(service, id)
    if (lifted === null) throw new PrescaleError('not-found', `${service} has no override ${id}.`);
    (request as unknown as FastifyRequest).changes = { lifted }
    return reply.code(204).send(null)
  })
}

function toOverride (body: Static<typeof bodySchema>): Override {
  const { hold, pause, outage, force, reason } = body
  const given = Object.entries({ hold, pause, outage, force }).filter(([, value]) => value !== undefined).map(([kind]) => kind as Override['kind'])
  if (given.length !== 1) {
    const details = [{ path: '', value: body, expected: `one of hold, pause, outage and force, not ${given.length === 0 ? 'none' : given.join(' and ')}` }]
    throw new PrescaleError('invalid-request', 'An override is of one kind.', { details })
  }
  const [kind] = given
  return kind === 'force' ? { kind, replicas: force!, reason } : { kind, reason }
}

async function inForce (service: string, { overrides, settings, decisions, config, now }: ApiContext) {
  const [said, stored, decision] = await Promise.all([overrides.list(service, now()), settings.get(service), decisions.latest(service)])
  const { policy } = resolveService(service, stored, config())
  const present = activeOverrides({ ...policy, overrides: [...policy.overrides ?? [], ...said] }, now())
  return { overrides: present, contradictions: contradictions(present, decision?.currentReplicas ?? null) }
}
