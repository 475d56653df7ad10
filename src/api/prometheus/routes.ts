import { Type } from 'typebox'
import type { FastifyRequest } from 'fastify'
import { PrescaleError } from '../../errors.ts'
import type { Api, ApiContext } from '../context.ts'
import { allowedServices } from '../principal.ts'
import { toPrescaleError } from '../problem.ts'
import { answers } from '../schemas.ts'
import { seriesHelp, seriesNames, type Labels } from '../series.ts'
import { instantData, rangeData, sendError, success } from './answer.ts'
import type { Matcher } from './matcher.ts'
import { parseSelector } from './parser.ts'
import { queryInstant, queryRange } from './query.ts'
import { createSeriesSource, type SeriesSource } from './series-source.ts'
import { readStep, readTime } from './time.ts'

const longestForm = 65_536
const everyName: readonly Matcher[] = []
const anySuccess = Type.Object({ status: Type.Literal('success'), data: Type.Unknown() })

/**
 * The query API of Prometheus over our own numbers, so that KEDA's prometheus trigger, Nomad's Prometheus APM and Grafana need no plugin.
 * What we have no opinion about is 503 and never an empty answer, which would be taken for 0.
 */
export async function prometheusRoutes (app: Api, context: ApiContext): Promise<void> {
  await app.register(async (scope: Api) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: longestForm }, async (_request: FastifyRequest, body: string) => body)
    scope.setErrorHandler((error, request, reply) => sendError(reply, toPrescaleError(error, request)))

    const serve = (url: string, methods: ('GET' | 'POST')[], summary: string, answer: (form: URLSearchParams, source: SeriesSource, request: FastifyRequest) => unknown) => {
      scope.route({
        method: methods,
        url,
        schema: { tags: ['autoscalers'], summary, consumes: ['application/x-www-form-urlencoded'], response: answers(200, anySuccess, 400, 503) },
        handler: async (request: FastifyRequest) => success(await answer(formOf(request), createSeriesSource(context, allowedServices(request)), request))
      })
    }

    serve('/api/v1/query', ['GET', 'POST'], 'One value now or then (Prometheus query API)', async (form, source) => {
      const at = readTime('time', form.get('time'), context.now())
      return instantData(await queryInstant(form.get('query') ?? '', at, source), at)
    })

    serve('/api/v1/query_range', ['GET', 'POST'], 'Values over time (Prometheus query API)', async (form, source) => {
      const [start, end, stepMs] = [readTime('start', form.get('start')), readTime('end', form.get('end')), readStep(form.get('step'))]
      if (end < start) throw new PrescaleError('invalid-request', 'invalid parameter "end": end timestamp must not be before start time')
      return rangeData(await queryRange(form.get('query') ?? '', { start, end, stepMs, now: context.now() }, source))
    })

    serve('/api/v1/labels', ['GET', 'POST'], 'Names of labels (Prometheus query API)', async (form, source) => {
      return sorted((await seriesFor(form, source)).flatMap((labels) => Object.keys(labels)))
    })

    serve('/api/v1/label/:name/values', ['GET'], 'Values of a label (Prometheus query API)', async (form, source, request) => {
      const { name } = request.params as { name: string }
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new PrescaleError('invalid-request', `invalid label name: ${JSON.stringify(name)}`)
      if (!form.has('match[]') && name === '__name__') return [...seriesNames].sort()
      if (!form.has('match[]') && name === 'service') return sorted(await source.servicesFor(everyName))
      return sorted((await seriesFor(form, source)).flatMap((labels) => Object.hasOwn(labels, name) ? [labels[name]] : []))
    })

    serve('/api/v1/series', ['GET', 'POST'], 'Series that a selector means (Prometheus query API)', async (form, source) => {
      if (!form.has('match[]')) throw new PrescaleError('invalid-request', 'no match[] parameter provided')
      return await seriesFor(form, source)
    })

    serve('/api/v1/metadata', ['GET'], 'What the series are (Prometheus query API)', (form) => {
      const wanted = seriesNames.filter((name) => (form.get('metric') ?? name) === name)
      return Object.fromEntries(wanted.map((name) => [name, [{ type: 'gauge', help: seriesHelp[name], unit: '' }]]))
    })
  })

  /** Labels of the series of every selector. Its times are ignored: a series is listed as long as its service is known. */
  async function seriesFor (form: URLSearchParams, source: SeriesSource): Promise<Labels[]> {
    const selections = form.has('match[]') ? form.getAll('match[]').map((text) => parseSelector(text).matchers) : [everyName]
    const found = new Map<string, Labels>()
    for (const matchers of selections) {
      const services = await source.servicesFor(matchers)
      const labels = await Promise.all(services.map((service) => source.labelsOf(service, matchers)))
      for (const one of labels.flat()) found.set(JSON.stringify(one), one)
    }
    return [...found.values()]
  }
}

/** Parameters stand in the address, in a form, or in both. */
function formOf ({ url, body }: FastifyRequest): URLSearchParams {
  const form = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')
  if (typeof body === 'string') for (const [name, value] of new URLSearchParams(body)) form.append(name, value)
  return form
}

function sorted (values: readonly string[]): string[] {
  return [...new Set(values)].sort()
}
