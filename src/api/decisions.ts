import { Type } from 'typebox'
import type { Decision, Verdict } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import type { Api, ApiContext } from './context.ts'
import { unknownService } from './principal.ts'
import { answers, decisionSchema, forecastAnswerSchema, maintenanceSchema, serviceParams, verdictSchema } from './schemas.ts'

const tags = ['decisions']

/** What the worker decided and found; each answer is one read of Redis. */
export function decisionRoutes (app: Api, context: ApiContext): void {
  const { decisions } = context

  app.get('/v1/services/:service/decision', {
    schema: { tags, summary: 'The present decision, with its reasons', params: serviceParams, response: answers(200, decisionSchema, 404, 503) }
  }, async ({ params }, reply) => {
    const decision = await currentDecision(params.service, context)
    // Fastify passes on a text of this type as it is.
    return reply.type('application/json; charset=utf-8').send(textOf(decision) as never)
  })

  app.get('/v1/services/:service/decisions', {
    schema: {
      tags,
      summary: 'Past decisions, newest first',
      params: serviceParams,
      querystring: Type.Object({
        since: Type.Optional(Type.Integer({ minimum: 0, description: 'ms since 1970; only decisions on later samples' })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
        offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0, description: 'So many of the newest are left out.' }))
      }, { additionalProperties: false }),
      response: answers(200, Type.Object({ service: Type.String(), decisions: Type.Array(decisionSchema) }), 404, 503)
    }
  }, async ({ params: { service }, query: { since, limit = 100, offset = 0 } }) => {
    const history = await decisions.history(service, { since, limit, offset })
    if (history.length === 0 && since === undefined && offset === 0) await refuseUnknown(service, context)
    return { service, decisions: history }
  })

  app.get('/v1/services/:service/forecast', {
    schema: { tags, summary: 'What the load is expected to be', params: serviceParams, response: answers(200, forecastAnswerSchema, 404, 503) }
  }, async ({ params }) => {
    const { service, asOf, validUntil, load, capacity, forecast, topFeatures, demo, reason } = await currentDecision(params.service, context)
    if (forecast === null) throw new PrescaleError('no-opinion', `There is no forecast for ${service} yet; the present decision says: ${reason}`)
    return { service, asOf, validUntil, load, capacity, forecast, topFeatures, ...(demo && { demo }) }
  })

  app.get('/v1/services/:service/verdict', {
    schema: { tags, summary: 'Whether it behaves as usual, what does not, and what maintenance that calls for', params: serviceParams, response: answers(200, verdictSchema, 404, 503) }
  }, async ({ params: { service } }) => ({ ...await latestVerdict(service, context), ...demoMark(service, context) }))

  app.get('/v1/services/:service/maintenance', {
    schema: {
      tags,
      summary: 'What maintenance is called for, how surely, why, and when it would disturb least',
      params: serviceParams,
      response: answers(200, Type.Intersect([Type.Object({ service: Type.String(), asOf: Type.Integer() }), maintenanceSchema]), 404, 503)
    }
  }, async ({ params: { service } }) => {
    const { asOf, maintenance } = await latestVerdict(service, context)
    return { service, asOf, ...maintenance, windows: [...maintenance.windows ?? []], ...demoMark(service, context) }
  })
}

const texts = new WeakMap<Decision, string>()

/** The store gives the same object for the same decision, and many ask for it. */
function textOf (decision: Decision): string {
  let text = texts.get(decision)
  if (text === undefined) {
    text = JSON.stringify(decision)
    texts.set(decision, text)
  }
  return text
}

/** What it takes to hand out a decision. */
export type DecisionContext = Pick<ApiContext, 'decisions' | 'settings' | 'config' | 'now'>

async function latestVerdict (service: string, context: DecisionContext): Promise<Verdict> {
  const verdict = await context.decisions.verdict(service)
  if (verdict !== null) return verdict
  await refuseUnknown(service, context)
  throw new PrescaleError('no-opinion', `No sample of ${service} has been judged yet.`)
}

export function demoMark (service: string, { config }: Pick<ApiContext, 'config'>): { demo?: true } {
  return config().demoServices.has(service) ? { demo: true } : {}
}

/**
 * The latest decision, if it may still be handed out.
 *
 * @throws PrescaleError `no-opinion` before the first one and after its end, `unknown-service` where nobody has ever mentioned the service.
 */
export async function currentDecision (service: string, context: DecisionContext): Promise<Decision> {
  const decision = await context.decisions.latest(service)
  if (decision === null) {
    await refuseUnknown(service, context)
    throw new PrescaleError('no-opinion', `There is no decision for ${service} yet: ${await whatIsMissing(service, context)}`)
  }
  if (decision.validUntil <= context.now()) {
    const age = Math.round((context.now() - decision.asOf) / 1000)
    throw new PrescaleError('no-opinion', `The last decision for ${service} rests on a sample of ${age} s ago and is out of date; newer samples are needed.`)
  }
  return decision
}

async function whatIsMissing (service: string, { decisions }: DecisionContext): Promise<string> {
  if (await decisions.verdict(service) === null) return 'no sample of it has been worked on.'
  return 'its samples do not say what the load is or what one replica carries; they need the signal of target, or, where target is auto, requestsPerSecond, cpuUsageRatio and readyReplicas.'
}

/**
 * The latest decision for those who act on it.
 *
 * @throws PrescaleError as `currentDecision`, and `not-acting` where the service is not in the mode `act`.
 */
export async function decisionToObey (service: string, context: DecisionContext): Promise<Decision> {
  const decision = await currentDecision(service, context)
  if (decision.mode !== 'act') throw notActing(decision)
  return decision
}

export function notActing ({ service, mode }: Pick<Decision, 'service' | 'mode'>): PrescaleError {
  return new PrescaleError('not-acting',
    `${service} is in the mode ${mode}: GET /v1/services/${service}/decision shows what is decided, and nothing of it is handed out until the mode is act.`)
}

/** Costs a second read, so it comes only after a miss. */
export async function refuseUnknown (service: string, { config, settings, decisions }: DecisionContext): Promise<void> {
  if (config().services.has(service) || await settings.get(service) !== null) return
  if ((await decisions.services()).some((known) => known.service === service)) return
  throw unknownService(service)
}
