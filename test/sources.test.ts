import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAdmission } from '../src/admission.ts'
import type { Config } from '../src/config.ts'
import { createRouting } from '../src/routing.ts'
import { createSourceHandler, scheduledSources } from '../src/sources.ts'
import { createTelemetry } from '../src/telemetry.ts'
import { configOf, createFakes, now } from './api/support.ts'
import { silent } from './support/redis.ts'

let server: Server
let answer: RequestListener
let url: string
const closers: (() => unknown)[] = []
beforeEach(async () => {
  server = createServer((request, response) => { answer(request, response) }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  server.close()
})

function handlerFor (config: Config) {
  const { fakes, stores } = createFakes()
  const telemetry = createTelemetry({ log: silent, processMetrics: false })
  const shared = { config: () => config, settings: stores.settings, decisions: stores.decisions, telemetry }
  const routing = createRouting(shared)
  const sources = createSourceHandler({ ...shared, router: routing.router, queue: stores.queue, admission: createAdmission({ ...shared, now: () => now }), now: () => now })
  closers.push(routing.close, sources.close)
  const fetchAll = async () => { for (const source of scheduledSources(config.sources)) await sources.handle(source) }
  return { fakes, telemetry, fetchAll }
}

describe('an exporter', () => {
  const yaml = () => `services: { shop: { signals: http } }\nsources: { scrape: [{ url: "${url}/metrics", labels: { job: shop } }] }`

  it('is scraped, and its points go to the services that want them, with the labels of the target', async () => {
    answer = (_request, response) => { response.setHeader('content-type', 'text/plain; version=0.0.4').end('http_requests_total{code="200"} 7\nunwanted 1\n') }
    const { fakes, fetchAll } = handlerFor(configOf(yaml()))
    await fetchAll()
    expect(fakes.queued).toMatchObject([{ kind: 'points', service: 'shop', points: [{ metric: 'http_requests_total', value: 7, at: now }, { metric: 'up', value: 1 }] }])
    expect(fakes.queued[0]).toHaveProperty('points[0].labels', expect.arrayContaining([['job', 'shop'], ['instance', url.slice(7)], ['code', '200']]))
  })

  it('that gives points of another day has them left out and counted', async () => {
    answer = (_request, response) => { response.setHeader('content-type', 'text/plain; version=0.0.4').end('http_requests_total 7 1000\n') }
    const { fakes, telemetry, fetchAll } = handlerFor(configOf(yaml()))
    await fetchAll()
    expect(fakes.queued).toMatchObject([{ points: [{ metric: 'up' }] }])
    expect(await telemetry.registry.metrics()).toContain(`prescale_source_left_out_total{source="scrape ${url}/metrics",limit="time"} 1`)
  })

  it('that does not answer well is down: its services hear of it, and so does the metric', async () => {
    answer = (_request, response) => { response.writeHead(500).end() }
    const { fakes, telemetry, fetchAll } = handlerFor(configOf(yaml()))
    await fetchAll()
    expect(fakes.queued).toMatchObject([{ service: 'shop', points: [{ metric: 'up', value: 0 }] }])
    expect(await telemetry.registry.metrics()).toContain(`prescale_source_up{source="scrape ${url}/metrics"} 0`)
  })
})

describe('a Prometheus server', () => {
  const yaml = () => `
sources:
  prometheus:
    - { url: "${url}", serviceLabel: app, signals: { requestsPerSecond: rate, errorRatio: errors } }
`
  const vector = (values: Record<string, string>) => JSON.stringify({
    status: 'success', data: { resultType: 'vector', result: Object.entries(values).map(([app, value]) => ({ metric: { app }, value: [now / 1000, value] })) }
  })

  it('is asked one query for each signal, and every value of the label is a service', async () => {
    answer = (request, response) => {
      let form = ''
      request.on('data', (chunk: Buffer) => { form += chunk.toString() }).on('end', () => {
        response.end(new URLSearchParams(form).get('query') === 'rate' ? vector({ shop: '120', cart: '7' }) : vector({ shop: '0.01' }))
      })
    }
    const { fakes, fetchAll } = handlerFor(configOf(yaml()))
    await fetchAll()
    expect(fakes.queued).toEqual([
      { kind: 'samples', service: 'shop', samples: [{ service: 'shop', at: now, signals: { requestsPerSecond: 120, errorRatio: 0.01 } }] },
      { kind: 'samples', service: 'cart', samples: [{ service: 'cart', at: now, signals: { requestsPerSecond: 7 } }] }
    ])
  })

  it('that names more services than may be has the rest left out and counted', async () => {
    answer = (_request, response) => { response.end(vector({ shop: '120', cart: '7', till: '9' })) }
    const { fakes, telemetry, fetchAll } = handlerFor(configOf(`${yaml()}limits: { services: 1 }\n`))
    await fetchAll()
    expect(fakes.queued.map(({ service }) => service)).toEqual(['shop'])
    expect(await telemetry.registry.metrics()).toContain(`prescale_source_left_out_total{source="prometheus ${url}",limit="services"} 2`)
  })

  it('that cannot be reached is reported and makes no sample', async () => {
    answer = (_request, response) => { response.destroy() }
    const { fakes, telemetry, fetchAll } = handlerFor(configOf(yaml()))
    await fetchAll()
    expect(fakes.queued).toEqual([])
    expect(await telemetry.registry.metrics()).toContain(`prescale_source_up{source="prometheus ${url}"} 0`)
  })
})
