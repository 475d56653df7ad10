import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PrescaleError } from '../../errors.ts'
import type { ApiOptions } from '../context.ts'
import type { Reading } from '../series.ts'
import { customVersion, discoveryDocuments, externalVersion, kindOf } from './discovery.ts'
import { parseLabelSelector, type LabelSelector } from './label-selector.ts'
import { readMetric, servicesOf, toTimestamp } from './metrics.ts'
import { toQuantity } from './quantity.ts'

type MetricContext = Pick<ApiOptions, 'decisions' | 'config' | 'now'>

export function discoveryRoutes (app: FastifyInstance): void {
  for (const [url, document] of Object.entries(discoveryDocuments)) {
    const body = JSON.stringify(document)
    app.get(url, async (_request, reply) => reply.type('application/json').send(body))
  }
}

/** HPA adds up all items, so the selector has to name the services. The namespace is not ours: services of prescale belong to none. */
export function externalMetricRoutes (app: FastifyInstance, context: MetricContext): void {
  app.get(`/apis/${externalVersion}/namespaces/:namespace/:metric`, async (request) => {
    const { metric } = request.params as { metric: string }
    const selector = selectorOf(request, 'labelSelector')
    const readings = await readMetric(metric, servicesOf(selector), selector, context)
    return { kind: 'ExternalMetricValueList', apiVersion: externalVersion, metadata: {}, items: readings.map((reading) => externalItem(metric, reading)) }
  })
}

function externalItem (metricName: string, { labels, from, value }: Reading) {
  return { metricName, metricLabels: labels, timestamp: toTimestamp(from), value: toQuantity(value) }
}

interface Described { readonly namespace?: string, readonly resource: string, readonly name: string, readonly metric: string }

/** The object bears the name of the service; `metric.selector` with `service` says otherwise. */
export function customMetricRoutes (app: FastifyInstance, context: MetricContext): void {
  const answer = async (request: FastifyRequest, { namespace, resource, name, metric }: Described) => {
    if (resource === 'pods') throw new PrescaleError('not-found', `the server could not find the metric ${metric} for pods: prescale speaks about services, and not about single pods`)
    if (name === '*') throw new PrescaleError('invalid-request', 'name one object: prescale does not know which objects have which labels')
    const selector = selectorOf(request, 'metricLabelSelector')
    const named = selector.some(({ label }) => label === 'service') ? servicesOf(selector) : [name]
    const [reading, ...more] = await readMetric(metric, named, selector, context)
    if (more.length > 0) throw new PrescaleError('invalid-request', 'an object has one value; name one service')
    const { kind, apiVersion } = kindOf(resource)
    const describedObject = { kind, ...(namespace !== undefined && { namespace }), name, apiVersion: apiVersion === 'v1' ? '/v1' : apiVersion }
    const item = {
      describedObject,
      metric: { name: metric, selector: toSelectorObject(selector) },
      timestamp: toTimestamp(reading.from),
      value: toQuantity(reading.value)
    }
    return { kind: 'MetricValueList', apiVersion: customVersion, metadata: {}, items: [item] }
  }
  const base = `/apis/${customVersion}`
  app.get(`${base}/namespaces/:namespace/:resource/:name/:metric`, (request) => answer(request, request.params as Described))
  app.get(`${base}/namespaces/:namespace/metrics/:metric`, (request) => {
    const { namespace, metric } = request.params as { namespace: string, metric: string }
    return answer(request, { resource: 'namespaces', name: namespace, metric })
  })
  app.get(`${base}/:resource/:name/:metric`, (request) => answer(request, request.params as Described))
}

function selectorOf ({ query }: FastifyRequest, parameter: string): LabelSelector {
  const text = (query as Record<string, unknown>)[parameter] ?? ''
  if (typeof text !== 'string') throw new PrescaleError('invalid-request', `${parameter} is given more than once`)
  return parseLabelSelector(text)
}

/** The answer repeats the selector of the metric; null for none. */
function toSelectorObject (selector: LabelSelector): object | null {
  if (selector.length === 0) return null
  return {
    matchExpressions: selector.map(({ label, values, negative }) => values === 'any'
      ? { key: label, operator: negative ? 'DoesNotExist' : 'Exists' }
      : { key: label, operator: negative ? 'NotIn' : 'In', values })
  }
}
