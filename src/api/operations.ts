import { Type } from 'typebox'
import { configSchema } from '../config-schema.ts'
import { publicConfig } from '../public-config.ts'
import type { Api, ApiContext } from './context.ts'
import { answers } from './schemas.ts'

const tags = ['operations']

/** What we run on, and what an operator may make us do. */
export function operationRoutes (app: Api, { config, reload, registry, models }: ApiContext): void {
  app.get('/v1/models', {
    schema: {
      tags,
      summary: 'Trained models that lie in the models directory, and those in use',
      response: answers(200, Type.Object({}, { additionalProperties: true }))
    }
  }, async () => {
    const { forecast, anomaly, config: tuning } = models()
    return { active: { forecast: forecast?.version ?? null, anomaly: anomaly?.version ?? null, config: tuning?.version ?? null }, models: await registry.list() }
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
