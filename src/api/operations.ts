import { Type } from 'typebox'
import { configSchema } from '../config-schema.ts'
import { publicConfig } from '../public-config.ts'
import type { Api, ApiContext } from './context.ts'
import { learningOf, learningSchema } from './learning.ts'
import { allowedServices } from './principal.ts'
import { answers } from './schemas.ts'

const tags = ['operations']

/** What we run on, and what an operator may make us do. */
export function operationRoutes (app: Api, { config, reload, registry, models, localModels }: ApiContext): void {
  app.get('/v1/models', {
    schema: {
      tags,
      summary: 'Trained models that lie in the models directory, those in use, and those that were learned from single services',
      response: answers(200, Type.Object({
        active: Type.Object({}, { additionalProperties: true, description: 'version by kind; null where there is none' }),
        models: Type.Array(Type.Object({}, { additionalProperties: true, description: 'a manifest' })),
        learned: Type.Array(learningSchema)
      }), 503)
    }
  }, async (request) => {
    const { forecast, anomaly, config: tuning } = models()
    const mayUse = allowedServices(request) ?? (() => true)
    const manifests = await registry.list()
    const records = (await localModels.list()).filter(({ service, models: own }) => own.length > 0 && mayUse(service))
    const standings = await localModels.standings(records.map(({ service }) => service))
    return {
      active: { forecast: forecast?.version ?? null, anomaly: anomaly?.version ?? null, config: tuning?.version ?? null },
      models: manifests,
      learned: records.map((record) => learningOf(record, standings.get(record.service) ?? []))
    }
  })

  app.get('/v1/config', {
    schema: {
      tags, summary: 'The configuration in force, defaults included; what may hold a secret is left out', response: answers(200, Type.Object({}, { additionalProperties: true }))
    }
  }, async () => publicConfig(config()))

  app.post('/v1/config/reload', {
    schema: { tags, summary: 'Reads prescale.yaml again; a bad file is refused and the old settings stay', response: answers(200, Type.Object({}, { additionalProperties: true }), 400) }
  }, async () => {
    const { file, services, sources } = await reload()
    return { file, services: services.size, sources: { scrape: sources.scrape.length, prometheus: sources.prometheus.length } }
  })

  app.get('/schema/prescale.json', {
    schema: { tags, summary: 'JSON Schema of prescale.yaml', produces: ['application/schema+json'], response: answers(200, Type.Object({}, { additionalProperties: true })) }
  }, async (_request, reply) => {
    const { host, port } = config().listen
    const document = { $schema: 'http://json-schema.org/draft-07/schema#', $id: `http://${host}:${port}/schema/prescale.json`, ...configSchema }
    return reply.type('application/schema+json').send(JSON.stringify(document))
  })
}
