import { Type } from 'typebox'
import { PrescaleError } from '../errors.ts'
import { envelopeKinds, isEnvelope, itemsOf } from '../store/envelope.ts'
import type { Api, ApiContext } from './context.ts'
import { answers } from './schemas.ts'

const tags = ['operations']
const params = Type.Object({ id: Type.String({ pattern: '^\\d{1,4}-\\d{1,15}-\\d{1,15}$', title: 'an id that the list of dead letters shows' }) })
const letterSchema = Type.Object({
  id: Type.String(),
  at: Type.Integer({ description: 'ms since 1970' }),
  service: Type.Union([Type.String(), Type.Null()]),
  kind: Type.Enum([...envelopeKinds, 'unreadable']),
  reason: Type.String(),
  items: Type.Union([Type.Integer(), Type.Null()])
})

/** Batches that could not be worked on. */
export function deadLetterRoutes (app: Api, { deadLetters, queue }: ApiContext): void {
  app.get('/v1/dead-letters', {
    schema: {
      tags,
      summary: 'Batches that were put aside, newest first',
      querystring: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })) }, { additionalProperties: false }),
      response: answers(200, Type.Object({ count: Type.Integer(), deadLetters: Type.Array(letterSchema) }), 503)
    }
  }, async ({ query: { limit = 100 } }) => {
    const [count, letters] = await Promise.all([deadLetters.count(), deadLetters.list({ limit })])
    const shown = letters.map(({ payload, ...letter }) => ({ ...letter, items: isEnvelope(payload) ? itemsOf(payload).length : null }))
    return { count, deadLetters: shown }
  })

  app.get('/v1/dead-letters/:id', {
    schema: { tags, summary: 'One of them with what it holds', params, response: answers(200, Type.Object({ id: Type.String(), payload: Type.Unknown() }, { additionalProperties: true }), 404, 503) }
  }, async ({ params: { id } }) => await deadLetters.find(id) ?? notThere(id))

  app.post('/v1/dead-letters/:id/replay', {
    schema: { tags, summary: 'Puts it back into the queue, behind what waits there', params, response: answers(202, Type.Object({ replayed: Type.String() }), 404, 409, 503) }
  }, async ({ params: { id } }, reply) => {
    const { replayed } = await deadLetters.replay([id], queue)
    if (replayed.length === 0) {
      if (await deadLetters.find(id) === null) return notThere(id)
      throw new PrescaleError('conflict', `The dead letter ${id} holds nothing that could be worked on again.`)
    }
    return reply.code(202).send({ replayed: id })
  })
}

function notThere (id: string): never {
  throw new PrescaleError('not-found', `There is no dead letter ${id}; it may have been replayed already.`)
}
