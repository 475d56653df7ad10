import { Type } from 'typebox'
import { PrescaleError } from '../errors.ts'
import { shownAddress, targetId } from '../push/targets.ts'
import type { Api, ApiContext } from './context.ts'
import { answers } from './schemas.ts'

const tags = ['operations']
const deadSchema = Type.Object({
  id: Type.String(),
  at: Type.Integer({ description: 'ms since 1970' }),
  target: Type.String(),
  attempts: Type.Integer(),
  reason: Type.String(),
  payload: Type.Unknown()
})

/** Whom we tell what changes, and what could not be told. */
export function pushRoutes (app: Api, { config, pushQueue }: ApiContext): void {
  if (!pushQueue) return

  app.get('/v1/push/targets', {
    schema: { tags, summary: 'Webhooks and Alertmanagers of the configuration', response: answers(200, Type.Object({ targets: Type.Array(Type.Object({}, { additionalProperties: true })) })) }
  }, async () => ({
    targets: config().push.map((target) => ({
      id: targetId(target), kind: target.kind, address: shownAddress(target), events: target.kind === 'webhook' ? target.events : 'incidents', services: target.services ?? 'all'
    }))
  }))

  app.get('/v1/push/dead-letters', {
    schema: {
      tags,
      summary: 'Messages that could not be delivered, newest first',
      querystring: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })) }, { additionalProperties: false }),
      response: answers(200, Type.Object({ count: Type.Integer(), deadLetters: Type.Array(deadSchema) }), 503)
    }
  }, async ({ query: { limit = 100 } }) => {
    const [count, deadLetters] = await Promise.all([pushQueue.deadCount(), pushQueue.dead({ limit })])
    return { count, deadLetters }
  })

  app.post('/v1/push/dead-letters/:id/replay', {
    schema: {
      tags,
      summary: 'Sends one of them again, with all its attempts',
      params: Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{32}$', title: 'an id that the list of dead letters shows' }) }),
      response: answers(202, Type.Object({ replayed: Type.String() }), 404, 503)
    }
  }, async ({ params: { id } }, reply) => {
    if (!await pushQueue.replay(id)) throw new PrescaleError('not-found', `There is no dead letter ${id}; it may have been replayed already.`)
    return reply.code(202).send({ replayed: id })
  })
}
