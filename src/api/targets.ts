import { Type } from 'typebox'
import { scrapeSchema } from '../config-schema.ts'
import { serviceNamePattern } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { checkAddress } from '../ingest/outbound.ts'
import { publicReach } from '../ingest/reach.ts'
import type { Api, ApiContext } from './context.ts'
import { answers } from './schemas.ts'

const tags = ['operations']
const mostTargets = 1000
const params = Type.Object({ name: Type.String({ pattern: serviceNamePattern, title: 'a name: letters, digits, ".", "_" and "-", at most 128 characters' }) })
const targetSchema = Type.Object({ name: Type.String(), target: Type.Unknown() })

/** Exporters to scrape, beside those of the configuration file. Turned off unless the file allows it, because it makes us fetch what somebody asks for. */
export function targetRoutes (app: Api, { config, targets, sourcesChanged }: ApiContext): void {
  const requireEnabled = () => {
    if (!config().sources.overHttp.enabled) throw new PrescaleError('not-found', 'Exporters cannot be added over HTTP here (sources.overHttp.enabled).')
  }

  app.get('/v1/targets', {
    schema: { tags, summary: 'Exporters that were added over HTTP', response: answers(200, Type.Object({ targets: Type.Array(targetSchema) }), 404, 503) }
  }, async () => {
    requireEnabled()
    return { targets: await targets.list() }
  })

  app.put('/v1/targets/:name', {
    bodyLimit: 65_536,
    schema: { tags, summary: 'Adds or replaces an exporter to scrape', params, body: scrapeSchema, response: answers([200, 201], targetSchema, 400, 404, 413, 415, 503) }
  }, async ({ params: { name }, body }, reply) => {
    requireEnabled()
    // A name that resolves to a forbidden address is refused when it is fetched, every time anew.
    checkAddress(body.url, publicReach(config().sources.overHttp.allow))
    const known = await targets.list()
    const isNew = known.every((target) => target.name !== name)
    if (isNew && known.length >= mostTargets) throw new PrescaleError('limit-exceeded', `There are ${mostTargets} exporters already, which is the limit.`)
    await targets.put(name, body)
    await sourcesChanged()
    return reply.code(isNew ? 201 : 200).send({ name, target: body })
  })

  app.delete('/v1/targets/:name', {
    schema: { tags, summary: 'Scrapes that exporter no more', params, response: answers(204, Type.Null(), 404, 503) }
  }, async ({ params: { name } }, reply) => {
    requireEnabled()
    if (!await targets.remove(name)) throw new PrescaleError('not-found', `There is no exporter ${name} that was added over HTTP.`)
    await sourcesChanged()
    return reply.code(204).send(null)
  })
}
