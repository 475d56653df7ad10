import { Type } from 'typebox'
import { noRoomFor } from '../admission.ts'
import { differences } from '../config-changes.ts'
import { resolveService, type ResolvedService } from '../config.ts'
import { serviceSettingsSchema, type ServiceSettings } from '../config-schema.ts'
import { checkSettings } from '../config-service.ts'
import type { Policy, Suggestion, TimedOverride } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import type { ServiceSummary } from '../store/summary.ts'
import type { Api, ApiContext } from './context.ts'
import { learningOf, learningSchema } from './learning.ts'
import { allowedServices, unknownService } from './principal.ts'
import { answers, nullable, serviceParams } from './schemas.ts'

const tags = ['services']
const settingsBodyBytes = 262_144

const summarySchema = Type.Object({
  service: Type.String(),
  asOf: Type.Union([Type.Integer(), Type.Null()]),
  decision: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()]),
  verdict: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()]),
  saved: Type.Optional(Type.Object({
    since: Type.Integer(), instanceHours: Type.Number(), violationMinutes: Type.Number()
  }, { description: 'Against HPA, both simulated, since then; positive is better.' })),
  suggestion: Type.Optional(Type.Boolean({ description: 'A configuration is suggested that differs from what runs.' })),
  demo: Type.Optional(Type.Boolean())
})

const serviceSchema = Type.Object({
  service: Type.String(),
  settings: Type.Unsafe<ServiceSettings>(serviceSettingsSchema),
  origin: Type.Enum(['http', 'file', 'defaults'], { description: 'Where the settings come from; those put over HTTP take the place of the file\'s.' }),
  policy: Type.Object({}, { additionalProperties: true, description: 'All settings with their defaults, as the core sees them.' }),
  match: Type.Record(Type.String(), Type.String()),
  mappings: Type.Array(Type.Object({}, { additionalProperties: true })),
  decision: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()]),
  verdict: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()]),
  suggestion: nullable(Type.Object({}, { additionalProperties: true })),
  learning: nullable(learningSchema),
  savings: nullable(Type.Object({}, { additionalProperties: true, description: 'what it would have come to with us and with HPA so far' })),
  demo: Type.Optional(Type.Boolean())
})

export function serviceRoutes (app: Api, context: ApiContext): void {
  const { config, decisions, settings, overrides, now } = context

  app.get('/v1/services', {
    schema: { tags, summary: 'All services that are configured or have been heard of', response: answers(200, Type.Object({ services: Type.Array(summarySchema) }), 503) }
  }, async (request) => {
    const [heard, put] = await Promise.all([decisions.services(), settings.list()])
    const services = new Map<string, Omit<ServiceSummary, 'asOf'> & { asOf: number | null }>()
    for (const service of [...config().services.keys(), ...put.map(({ service }) => service)]) {
      services.set(service, { service, asOf: null, decision: null, verdict: null, ...(config().demoServices.has(service) && { demo: true }) })
    }
    for (const summary of heard) services.set(summary.service, summary)
    const mayUse = allowedServices(request) ?? (() => true)
    return { services: [...services.values()].filter(({ service }) => mayUse(service)).sort((a, b) => a.service < b.service ? -1 : 1) }
  })

  app.get('/v1/services/:service', {
    schema: { tags, summary: 'Settings of one service and what was said last', params: serviceParams, response: answers(200, serviceSchema, 404, 503) }
  }, async ({ params: { service } }) => {
    const [stored, { known, ...said }, learning, timed] = await Promise.all([
      settings.get(service), decisions.snapshot(service), learningOn(service, context), overrides.list(service, now())
    ])
    if (stored === null && !known && !config().services.has(service)) throw unknownService(service)
    return { ...withSaid(withOverrides(describe(service, stored as ServiceSettings | null, context), timed), said), learning }
  })

  app.put('/v1/services/:service', {
    bodyLimit: settingsBodyBytes,
    schema: {
      tags,
      summary: 'Sets what the file may also set; it takes the place of what the file says about this service',
      params: serviceParams,
      body: Type.Unsafe<ServiceSettings>(serviceSettingsSchema),
      response: answers([200, 201], serviceSchema, 400, 413, 415, 503)
    }
  }, async (request, reply) => {
    const { params: { service }, body } = request
    const details = checkSettings(body, config().defaults, '')
    if (details.length > 0) throw new PrescaleError('invalid-config', `The settings have ${details.length === 1 ? 'one error' : `${details.length} errors`}.`, { details })
    const before = await settings.get(service)
    if (before === null) await refuseTooMany(service, context)
    await settings.put(service, body)
    request.changes = differences(before as object | null ?? config().services.get(service) ?? {}, body)
    await context.settingsChanged()
    const [{ known: _, ...said }, learning, timed] = await Promise.all([decisions.snapshot(service), learningOn(service, context), overrides.list(service, now())])
    reply.code(before === null ? 201 : 200)
    return { ...withSaid(withOverrides(describe(service, body, context), timed), said), learning }
  })

  app.delete('/v1/services/:service', {
    schema: {
      tags,
      summary: 'Forgets settings that were put over HTTP, and all that was learned; a service of the file starts anew with what the file says',
      params: serviceParams,
      response: answers(204, Type.Null(), 404, 503)
    }
  }, async ({ params: { service } }, reply) => {
    const [hadSettings, hadState] = await Promise.all([settings.remove(service), context.forget(service)])
    if (!hadSettings && !hadState) throw unknownService(service)
    context.admission.forget(service)
    await context.settingsChanged()
    return reply.code(204).send(null)
  })
}

async function refuseTooMany (service: string, { config, admission }: ApiContext): Promise<void> {
  if (await admission.admits(service)) return
  throw new PrescaleError('limit-exceeded', 'There are as many services as may be.', { details: [noRoomFor(service, config().limits)] })
}

/** What operators said for a while counts as well, and is no setting. */
function withOverrides<T extends { policy: Policy }> (described: T, timed: readonly TimedOverride[]): T {
  const { policy } = described
  return timed.length === 0 ? described : { ...described, policy: { ...policy, overrides: [...policy.overrides ?? [], ...timed] } }
}

async function learningOn (service: string, { localModels }: ApiContext) {
  const [record, standings] = await Promise.all([localModels.read(service), localModels.standings([service])])
  return record && learningOf(record, standings.get(service) ?? [])
}

/** What was said last; no suggestion where tuning is off by now. */
function withSaid<D extends { readonly policy: Policy }, S extends { readonly suggestion: Suggestion | null }> (described: D, said: S): D & S {
  return { ...described, ...said, ...(described.policy.tuning?.mode === 'off' && { suggestion: null }) }
}

function describe (service: string, stored: ServiceSettings | null, { config }: ApiContext) {
  const { policy, match, mappings }: ResolvedService = resolveService(service, stored, config())
  const fromFile = config().services.get(service)
  return {
    service,
    settings: stored ?? fromFile ?? {},
    origin: stored !== null ? 'http' as const : fromFile !== undefined ? 'file' as const : 'defaults' as const,
    policy,
    match,
    mappings: [...mappings],
    ...(policy.demo && { demo: true })
  }
}
