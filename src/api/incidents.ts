import { Type, type Static } from 'typebox'
import type { FastifyRequest } from 'fastify'
import { serviceOfIncident, type Incident, type IncidentFeedback, type IncidentRemark } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import type { Api, ApiContext } from './context.ts'
import { refuseUnknown } from './decisions.ts'
import { findRelations } from './incident-relations.ts'
import { silentServices } from './incident-silence.ts'
import { allowedServices } from './principal.ts'
import { answers, incidentSchema, relationsSchema, serviceName, serviceParams } from './schemas.ts'

const tags = ['incidents']
const listSchema = Type.Object({ incidents: Type.Array(incidentSchema) })
const filters = {
  since: Type.Optional(Type.Integer({ minimum: 0, description: 'ms since 1970; only incidents with a later anomaly' })),
  state: Type.Optional(Type.Enum(['open', 'closed'])),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 }))
}
const idPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,143}$'
const incidentParams = Type.Object({ service: serviceName, id: Type.String({ pattern: idPattern, title: 'the id of an incident such as shop.1763640000000' }) })

const feedbackSchema = Type.Object({
  verdict: Type.Enum(['normal', 'real']),
  note: Type.Optional(Type.String({ minLength: 1, maxLength: 500 }))
}, { additionalProperties: false, title: '{ verdict: normal } or { verdict: real }, each with an optional note' })
const takenSchema = Type.Object({ incident: Type.String(), verdict: Type.Union([Type.Enum(['normal', 'real']), Type.Null()]) })

/** Incidents: consecutive anomalies of one service, opened and closed by the worker. */
export function incidentRoutes (app: Api, context: ApiContext): void {
  const { incidents } = context

  app.get('/v1/incidents', {
    schema: {
      tags,
      summary: 'Incidents of all services, newest anomaly first',
      querystring: Type.Object({ ...filters, service: Type.Optional(Type.String({ maxLength: 4096, title: 'names of services with commas between them' })) }, { additionalProperties: false }),
      response: answers(200, listSchema, 400, 503)
    }
  }, async (request) => {
    const { service, since, state, limit = 100 } = request.query
    const named = service === undefined ? null : new Set(service.split(','))
    const may = allowedServices(request as unknown as FastifyRequest)
    const wanted = (name: string) => (named?.has(name) ?? true) && (may?.(name) ?? true)
    return { incidents: await allShown(await incidents.list({ since, state, limit, wanted }), context) }
  })

  app.get('/v1/services/:service/incidents', {
    schema: {
      tags,
      summary: 'Incidents of one service, newest anomaly first',
      params: serviceParams,
      querystring: Type.Object(filters, { additionalProperties: false }),
      response: answers(200, listSchema, 400, 404, 503)
    }
  }, async ({ params: { service }, query: { since, state, limit = 100 } }) => {
    const found = await incidents.ofService(service, { since, state, limit })
    if (found.length === 0) await refuseUnknown(service, context)
    return { incidents: await allShown(found, context) }
  })

  app.get('/v1/services/:service/incidents/:id', {
    schema: {
      tags,
      summary: 'One incident, with those of other services that have to do with it, and where it probably began',
      params: incidentParams,
      response: answers(200, Type.Intersect([incidentSchema, relationsSchema]), 404, 503)
    }
  }, async (request) => {
    const incident = await requireIncident(request.params, context)
    const [seen] = await allShown([incident], context)
    return { ...seen, ...await findRelations(incident, context, allowedServices(request as unknown as FastifyRequest)) }
  })

  feedbackRoutes(app, context)
}

/** What people say about incidents. It goes through the queue, so that it is worked in between the samples that it lies between. */
function feedbackRoutes (app: Api, context: ApiContext): void {
  const url = '/v1/services/:service/incidents/:id/feedback'
  const send = async (request: FastifyRequest, { service, id }: Static<typeof incidentParams>, said: Pick<IncidentRemark, 'verdict' | 'note'>) => {
    const { feedback } = await requireIncident({ service, id }, context)
    const remark: IncidentRemark = { incident: id, at: context.now(), by: request.principal?.name ?? 'anybody', ...said }
    await context.queue.enqueue([{ kind: 'remarks', service, remarks: [remark] }])
    request.changes = { incident: id, before: feedback?.verdict ?? null, after: said.verdict, ...(said.note !== undefined && { note: said.note }) }
    return { incident: id, verdict: said.verdict }
  }

  app.post(url, {
    bodyLimit: 16_384,
    schema: {
      tags,
      summary: 'Says that an incident was normal, so that the same does not alarm again, or real; it takes the place of what was said before',
      params: incidentParams,
      body: feedbackSchema,
      response: answers(202, takenSchema, 400, 404, 413, 415, 503)
    }
  }, async (request, reply) => {
    const { verdict, note } = request.body
    reply.code(202)
    return await send(request as unknown as FastifyRequest, request.params, { verdict: verdict as IncidentFeedback['verdict'], ...(note !== undefined && { note }) })
  })

  app.delete(url, {
    schema: { tags, summary: 'Takes back what was said about an incident', params: incidentParams, response: answers(202, takenSchema, 404, 503) }
  }, async (request, reply) => {
    reply.code(202)
    return await send(request as unknown as FastifyRequest, request.params, { verdict: null })
  })
}

/** @throws PrescaleError `not-found`, also for the id of another service: it might be one that the asker may not see. */
async function requireIncident ({ service, id }: Static<typeof incidentParams>, { incidents }: Pick<ApiContext, 'incidents'>): Promise<Incident> {
  const incident = serviceOfIncident(id) === service ? await incidents.find(id) : null
  if (incident === null) throw new PrescaleError('not-found', `There is no incident ${id} of ${service}; GET /v1/services/${service}/incidents lists those that are kept.`)
  return incident
}

async function allShown (incidents: readonly Incident[], context: ApiContext) {
  const silent = await silentServices(incidents, context)
  const { demoServices } = context.config()
  return incidents.map((incident) => ({
    ...incident,
    ...(incident.state === 'open' && silent.has(incident.service) && { silentSince: silent.get(incident.service)! }),
    ...(demoServices.has(incident.service) && { demo: true as const })
  }))
}
