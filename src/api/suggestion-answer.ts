import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { SuggestionAnswer } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { configurationProblem } from '../tuning/space.ts'
import type { Api, ApiContext } from './context.ts'
import { refuseUnknown } from './decisions.ts'
import './principal.ts'
import { answers, configurationSchema, serviceParams } from './schemas.ts'
import { tuningOf } from './suggestions.ts'

const bodySchema = Type.Object({
  answer: Type.Enum(['accepted', 'refused']),
  // Suggestions change with every sample; an answer is to what somebody has seen.
  config: Type.Optional({ ...configurationSchema, description: 'The configuration that is meant; the present suggestion where not given.' }),
  note: Type.Optional(Type.String({ minLength: 1, maxLength: 500 }))
}, { additionalProperties: false, title: '{ answer: accepted } or { answer: refused }, each with an optional config and note' })
const takenSchema = Type.Object({ answer: Type.Enum(['accepted', 'refused']), config: configurationSchema })

/** What operators say to suggestions. It goes through the queue, so that it is worked in between the samples that it lies between. */
export function suggestionAnswerRoutes (app: Api, context: ApiContext): void {
  const { decisions, queue, now } = context
  app.post('/v1/services/:service/suggestion/answer', {
    bodyLimit: 16_384,
    schema: {
      tags: ['tuning'],
      summary: 'Accepts the suggested configuration, which is then taken to run, or refuses it, so that it is not proposed again as it is',
      params: serviceParams,
      body: bodySchema,
      response: answers(202, takenSchema, 400, 404, 409, 413, 415, 503)
    }
  }, async (request, reply) => {
    const { params: { service }, body: { answer, config: meant, note } } = request
    const { rules } = await tuningOf(service, context)
    const suggestion = await decisions.suggestion(service)
    if (suggestion === null) {
      await refuseUnknown(service, context)
      throw new PrescaleError('no-opinion', `Nothing is suggested for ${service}.`)
    }
    const problem = meant === undefined ? null : configurationProblem(meant, rules)
    if (problem !== null) throw new PrescaleError('invalid-request', `The configuration cannot be meant: ${problem}.`, { details: [{ path: 'config', value: meant, expected: `a usable configuration: ${problem}` }] })
    const config = { ...suggestion.config, ...meant }
    const asked = request as unknown as FastifyRequest
    const by = asked.principal?.name ?? 'anybody'
    const given: SuggestionAnswer = { answer: answer as SuggestionAnswer['answer'], config, at: now(), by, ...(note !== undefined && { note }) }
    await queue.enqueue([{ kind: 'answers', service, answers: [given] }])
    asked.changes = { suggestion: answer, config, ...(note !== undefined && { note }) }
    reply.code(202)
    return { answer: given.answer, config }
  })
}
