import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { signCheckpoint } from '../checkpoint.ts'
import type { Api, ApiContext } from './context.ts'
import { answers } from './schemas.ts'

const tags = ['operations']
const entrySchema = Type.Object({
  id: Type.String(),
  at: Type.Integer({ description: 'ms since 1970' }),
  who: Type.String(),
  by: Type.Enum(['token', 'certificate', 'anybody', 'system']),
  action: Type.String(),
  service: Type.Optional(Type.String()),
  status: Type.Optional(Type.Integer()),
  address: Type.Optional(Type.String()),
  changes: Type.Optional(Type.Unknown())
})

/**
 * Writes a line for every use of a route for operators and administrators, also for a refused one; the answer waits for it. Where nobody
 * has to show anything, only what changes something is written. To be registered after the guard.
 */
export function auditRequests (app: Api, { audit, now, telemetry }: ApiContext): void {
  const write = async ({ principal, method, routeOptions, params, ip, changes }: FastifyRequest, { statusCode }: FastifyReply): Promise<void> => {
    if (principal === null || (principal.kind === 'anybody' && (method === 'GET' || method === 'HEAD'))) return
    const { service } = params as { service?: string }
    const entry = { at: now(), who: principal.name, by: principal.kind, action: `${method} ${routeOptions.url}`, ...(service !== undefined && { service }), status: statusCode, address: ip, ...(changes !== undefined && { changes }) }
    await audit.append(entry).catch((err: unknown) => { telemetry.log.error({ err, entry }, 'a line of the audit could not be written') })
  }
  app.decorateRequest('changes', undefined)
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope
    if (scope !== 'operate' && scope !== 'admin') return
    route.onSend = [...[route.onSend ?? []].flat(), async (request, reply, payload) => {
      await write(request, reply)
      return payload
    }]
  })
}

export function auditRoutes (app: Api, { audit, decisions, signingKey, now }: ApiContext): void {
  app.get('/v1/audit', {
    schema: {
      tags,
      summary: 'Who changed what, and who used the power to, newest first',
      querystring: Type.Object({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
        before: Type.Optional(Type.String({ pattern: '^\\d{1,15}-\\d{1,15}$', title: 'the id of an entry; only older ones' }))
      }, { additionalProperties: false }),
      response: answers(200, Type.Object({ entries: Type.Array(entrySchema) }), 400, 503)
    }
  }, async ({ query: { limit = 100, before } }) => ({ entries: await audit.list({ limit, before }) }))

  app.get('/v1/audit/checkpoint', {
    schema: {
      tags,
      summary: 'The newest decision of every service by its hash, signed; `prescale audit verify --checkpoint` compares',
      response: answers(200, Type.Object({}, { additionalProperties: true }), 503)
    }
  }, async () => signCheckpoint({ at: now(), services: await decisions.heads() }, signingKey()))
}
