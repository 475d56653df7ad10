import { randomUUID } from 'node:crypto'
import { Type, type Static } from 'typebox'
import type { Feedback, TuningRules } from '../domain.ts'
import { PrescaleError, type ErrorDetail } from '../errors.ts'
import { isPreset } from '../tuning/preset.ts'
import { configurationProblem } from '../tuning/space.ts'
import { mostPerformance } from '../tuning/turn.ts'
import { checkTime, noRoomFor } from '../admission.ts'
import type { Api, ApiContext } from './context.ts'
import { answers, configurationSchema, serviceParams, signalsSchema } from './schemas.ts'
import { tuningOf } from './suggestions.ts'

const feedbackSchema = Type.Object({
  id: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._-]{1,128}$', title: 'letters, digits, ".", "_" and "-", at most 128', description: 'What has been learned once is not learned again.' })),
  at: Type.Optional(Type.Integer({ description: 'ms since 1970; now where not given' })),
  state: Type.Optional({ ...signalsSchema, description: 'What the samples said at that time where not given; nothing where there are none.' }),
  config: Type.Optional({ ...configurationSchema, description: 'What ran; parameters that it leaves out ran at their defaults.' }),
  performance: Type.Optional(Type.Number({ minimum: -mostPerformance, maximum: mostPerformance, description: 'How well it went with `config`; higher is better, in a unit of your own that stays the same. Where not given, it is computed from tuning.objective over the samples since the last change.' })),
  canary: Type.Optional(Type.Boolean({ description: 'It is of the one instance that tries (tuning.canary); with the same at as what the others report, both are compared.' })),
  optimal: Type.Optional({ ...configurationSchema, description: 'The configuration that would have been best, of the five parameters of the preset.' })
}, { additionalProperties: false, title: '{ config, performance } or { optimal }' })

const maxItems = 1000
const bodySchema = Type.Union([feedbackSchema, Type.Array(feedbackSchema, { minItems: 1, maxItems })], { title: `one feedback, or a list of 1 to ${maxItems}` })

/** What a service tells about a configuration: how well it went, or which one would have been best. */
export function feedbackRoutes (app: Api, context: ApiContext): void {
  const { config, queue, admission, metrics, settling, now } = context
  app.post('/v1/services/:service/feedback', {
    bodyLimit: 1_048_576,
    schema: {
      tags: ['tuning'],
      summary: 'Observed performance, or a known best configuration; learned from once for each id',
      params: serviceParams,
      body: bodySchema,
      response: answers(202, Type.Object({ accepted: Type.Integer(), ids: Type.Array(Type.String()) }), 400, 409, 413, 415, 503)
    }
  }, async ({ params: { service }, body }, reply) => {
    const items: Static<typeof feedbackSchema>[] = Array.isArray(body) ? body : [body]
    const present = now()
    const { limits } = config()
    const { rules } = await tuningOf(service, context)
    const details = items.flatMap((item, index) => {
      const wrongTime = item.at === undefined ? null : checkTime(item.at, limits, present)
      const found = [...checkFeedback(item, rules), ...(wrongTime ? [{ path: 'at', ...wrongTime }] : [])]
      return found.map((detail) => ({ ...detail, path: Array.isArray(body) ? `[${index}]${detail.path === '' ? '' : `.${detail.path}`}` : detail.path }))
    })
    if (details.length > 0) {
      metrics.rejected.inc({ source: 'feedback', reason: 'shape' }, items.length)
      throw new PrescaleError('invalid-request', 'The feedback was not taken.', { details })
    }
    if (!await admission.admits(service)) {
      metrics.rejected.inc({ source: 'feedback', reason: 'services' }, items.length)
      throw new PrescaleError('limit-exceeded', 'There are as many services as may be.', { details: [noRoomFor(service, limits)] })
    }
    const feedback: Feedback[] = items.map((item) => ({ ...item, id: item.id ?? randomUUID(), service, at: item.at ?? present }))
    await queue.enqueue([{ kind: 'feedback', service, feedback }])
    metrics.received.inc({ source: 'feedback', result: 'accepted' }, feedback.length)
    settling.note(service, feedback.at(-1)!.id)
    return reply.code(202).send({ accepted: feedback.length, ids: feedback.map(({ id }) => id) })
  })
}

function checkFeedback ({ config, performance, optimal }: Static<typeof feedbackSchema>, rules: TuningRules): ErrorDetail[] {
  const details: ErrorDetail[] = []
  if (optimal === undefined && config === undefined) details.push({ path: 'config', expected: 'config, what ran, with its performance; or optimal, what would have been best' })
  if (config === undefined && performance !== undefined) details.push({ path: 'performance', value: performance, expected: 'config beside it: performance of what?' })
  if (config !== undefined && performance === undefined && optimal === undefined && rules.objective.kind === 'reported') {
    details.push({ path: 'performance', expected: 'a number, because tuning.objective is "reported"; an expression over signals in its place computes it' })
  }
  if (optimal !== undefined && !isPreset(rules)) {
    return [...details, { path: 'optimal', value: optimal, expected: 'config and performance: the network knows the five parameters of the preset only, and others are declared' }]
  }
  for (const [path, value] of Object.entries({ config, optimal })) {
    const problem = value === undefined ? null : configurationProblem(value, rules)
    if (problem !== null) details.push({ path, value, expected: `a usable configuration: ${problem}` })
  }
  return details
}
