import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { resolveService } from '../config.ts'
import type { Policy, Signals, Suggestion, TuningRules } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { openNetwork } from '../feedback.ts'
import { emptyTuningState, suggest } from '../policy/suggest.ts'
import { allowed, usesNetwork } from '../tuning/follow.ts'
import { tuningRules } from '../tuning/preset.ts'
import { noProof, proofOf } from '../tuning/proof.ts'
import { configurationProblem } from '../tuning/space.ts'
import { takeTurn } from '../tuning/turn.ts'
import type { Api, ApiContext } from './context.ts'
import { demoMark, refuseUnknown } from './decisions.ts'
import { answers, serviceParams, signalsSchema, suggestionSchema, tuningProofSchema } from './schemas.ts'

const tags = ['tuning']
const headers = Type.Object({ 'if-none-match': Type.Optional(Type.String({ maxLength: 8192, description: 'The ETag of an earlier answer: 304 while the configuration is still that one.' })) }, { additionalProperties: true })

/** Which configuration a service should run: as it is now, and as somebody says that it is. */
export function suggestionRoutes (app: Api, context: ApiContext): void {
  const { decisions, settling } = context

  app.get('/v1/services/:service/suggestion', {
    schema: {
      tags,
      summary: 'A configuration that should serve better now',
      description: 'May be polled by the service itself: the ETag changes with the configuration only.',
      params: serviceParams,
      headers,
      response: answers([200, 304], suggestionSchema, 404, 409, 503)
    }
  }, async ({ params: { service }, headers }, reply) => {
    const { policy, rules } = await tuningOf(service, context)
    await settling.settled(service)
    const stored = await decisions.suggestion(service)
    const suggestion = stored !== null && fits(stored, rules) ? stored : await suggestAnew(service, policy, context, { hadNone: stored === null })
    const etag = etagOf(suggestion)
    reply.header('etag', etag)
    if (matches(headers['if-none-match'], etag)) return reply.code(304).send(null as never)
    return { ...suggestion, ...demoMark(service, context) }
  })

  app.post('/v1/services/:service/suggestion', {
    bodyLimit: 65_536,
    schema: {
      tags,
      summary: 'A configuration that should serve better in a given state',
      params: serviceParams,
      body: Type.Object({ state: signalsSchema }, { additionalProperties: false, title: '{ state }, signals by name' }),
      response: answers(200, suggestionSchema, 400, 404, 409, 413, 415, 503)
    }
  }, async ({ params: { service }, body: { state } }) => {
    const { policy } = await tuningOf(service, context)
    await settling.settled(service)
    return { ...await suggestFor(service, policy, context, state), ...demoMark(service, context) }
  })

  app.get('/v1/services/:service/suggestion/proof', {
    schema: { tags, summary: 'What tuning was worth so far against the defaults, from alternating periods', params: serviceParams, response: answers(200, tuningProofSchema, 404, 409, 503) }
  }, async ({ params: { service } }) => {
    const { rules } = await tuningOf(service, context)
    const { record, known } = await context.tuning.read(service)
    if (!known) await refuseUnknown(service, context)
    return { service, ...proofOf(record?.proof ?? noProof, rules.proofShare) }
  })
}

/** @throws PrescaleError `conflict` where tuning is off. */
export async function tuningOf (service: string, { config, settings }: ApiContext): Promise<{ policy: Policy, rules: TuningRules }> {
  const { policy } = resolveService(service, await settings.get(service), config())
  const rules = tuningRules(policy)
  if (rules.mode === 'off') throw new PrescaleError('conflict', `Tuning of ${service} is off: set tuning.mode of the service to suggest or apply.`)
  return { policy, rules }
}

/** Whether what was suggested is still allowed, and so is the way back: modes, bounds and parameters may have changed since. */
const fits = ({ config, undo, canary, mode = 'suggest' }: Suggestion, rules: TuningRules) => mode === rules.mode &&
  rules.parameters.every(({ name }) => config[name] !== undefined) &&
  [config, undo, canary?.config].every((one) => one === undefined || configurationProblem(one, rules) === null)

async function suggestAnew (service: string, policy: Policy, context: ApiContext, { hadNone }: { hadNone: boolean }): Promise<Suggestion> {
  if (hadNone) await refuseUnknown(service, context)
  if (hadNone && policy.tuning === undefined) throw new PrescaleError('no-opinion', `There is no suggestion for ${service} yet; POST /v1/services/${service}/feedback teaches.`)
  return await suggestFor(service, policy, context)
}

/** @param signals the newest ones that are known where not given. */
async function suggestFor (service: string, policy: Policy, context: ApiContext, signals?: Signals): Promise<Suggestion> {
  const { state: kept, network, record, known } = await context.tuning.read(service)
  if (!known) await refuseUnknown(service, context)
  const rules = tuningRules(policy)
  const state = kept ?? emptyTuningState()
  const shared = context.models().config
  if (signals !== undefined && usesNetwork(state, rules) && shared !== null) {
    const model = network === null ? shared : openNetwork(network, shared)
    const suggestion = allowed(suggest(state, { service, at: context.now(), signals }, model).suggestion, rules)
    if (suggestion !== null) return { ...suggestion, mode: rules.mode === 'apply' ? 'apply' : 'suggest' }
  }
  const asked = signals === undefined ? {} : { signals, at: context.now() }
  return takeTurn({ service, state, record, feedback: [], rules, holdMs: 1000 * policy.decisionTtlSeconds, ...asked }).suggestion
}

function etagOf ({ config, canary }: Suggestion): string {
  const sorted = [config, canary?.config ?? {}].map((one) => Object.entries(one).sort(([a], [b]) => a < b ? -1 : 1))
  return `W/"${createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 22)}"`
}

/** Weakly, as GET compares. */
function matches (asked: string | undefined, etag: string): boolean {
  const plain = (tag: string) => tag.trim().replace(/^W\//, '')
  return asked !== undefined && (asked.trim() === '*' || asked.split(',').some((tag) => plain(tag) === plain(etag)))
}
