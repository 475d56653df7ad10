import { connect, type AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { InjectOptions } from 'fastify'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAccess } from '../../src/access/access.ts'
import { hashToken } from '../../src/access/tokens.ts'
import { encodeV1, v1Headers } from '../support/remote-write-encoder.ts'
import { createTestApp, decisionOf, now } from '../api/support.ts'
import { damaged, heapBytes, longEnough, runs, tolerableGrowthBytes, wordy } from './fuzz.ts'

const access = createAccess({
  tokens: [{ name: 'boss', sha256: hashToken('boss'), scopes: ['admin'] }, { name: 'team', sha256: hashToken('team'), scopes: ['read', 'ingest', 'operate'], services: ['team-*'] }], certificates: []
})
let server: Awaited<ReturnType<typeof createTestApp>>
let routes: { method: string, path: string }[]
let heapBefore: number
/** Streams do not end by themselves; their parameters are fuzzed as the parsers that read them. */
const endless = ['/v1/stream', '/v1/ws']

beforeAll(async () => {
  server = await createTestApp('services: { shop: { signals: http }, team-a: {} }\nsources: { overHttp: { enabled: true } }\nlimits: { services: 50 }', { access: () => access })
  for (const service of ['shop', 'team-a']) {
    server.fakes.decisions.set(service, decisionOf(service))
    server.fakes.history.set(service, [decisionOf(service)])
    server.fakes.summaries.push({ service, asOf: now, decision: null, verdict: null })
  }
  const { paths } = (await server.app.inject({ url: '/openapi.json', headers: { authorization: 'Bearer boss' } })).json() as { paths: Record<string, object> }
  routes = Object.entries(paths)
    .filter(([path]) => !endless.includes(path))
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })))
  expect(routes.length).toBeGreaterThan(30)
  heapBefore = heapBytes()
}, longEnough)
afterAll(async () => {
  expect(taken['GET']).toBeGreaterThan(2_000)
  expect(taken['POST']).toBeGreaterThan(500)
  expect(taken['PUT']).toBeGreaterThan(20)
  forget()
  expect(heapBytes() - heapBefore).toBeLessThan(tolerableGrowthBytes)
  await server.close()
})

/** What the fakes keep of what was taken is not the API's memory. */
function forget (): void {
  server.fakes.queued.length = 0
  server.fakes.audit.length = 0
  server.fakes.put.clear()
  server.fakes.targets.clear()
}

/** How many requests of each method were sound: a suite in which all are refused at the door proves little. */
const taken: Record<string, number> = {}

interface Sent { readonly method: string, readonly url: string, readonly headers: Record<string, string>, readonly payload?: Buffer | string }

/** Never our fault, and always in words: only that there is no opinion may be 503. */
async function expectNoFault (sent: Sent): Promise<void> {
  const { statusCode, body, headers } = await server.app.inject(sent as InjectOptions)
  taken[sent.method] = (taken[sent.method] ?? 0) + (statusCode < 300 ? 1 : 0)
  if (server.fakes.queued.length > 100) forget()
  if (statusCode >= 500) {
    expect({ sent, statusCode, body }).toEqual({ sent, statusCode: 503, body: expect.stringMatching(/problem:no-opinion|"errorType":"unavailable"/) })
  } else if (statusCode >= 400) {
    expect({ sent, type: headers['content-type'] }).toEqual({ sent, type: expect.stringContaining('json') })
  }
}

const odd = ['__proto__', 'constructor', 'toString', '..', '%00', '%', '%zz', '%2e%2e%2f', '💥', '-', 'a'.repeat(129), '', ' ', 'null', '0', '-1', '1e999', 'NaN', '9007199254740993', '%ff', '&', '=', '[]']
const parameter = fc.oneof({ weight: 3, arbitrary: fc.constantFrom('shop', 'team-a', 'nowhere') }, { weight: 2, arbitrary: fc.constantFrom(...odd) }, { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }).map(encodeURIComponent) })
const queryNames = ['limit', 'since', 'offset', 'before', 'kind', 'service', 'query', 'time', 'start', 'end', 'step', 'match[]', 'value', 'api_key', 'metric', 'lastEventId', '__proto__', 'limit[]', 'timeout']
const queryValues = ['1', '10', '2000', 'shop', 'prescale_replicas', 'prescale_forecast{quantile=~".*"}', 'sum(prescale_load)', '{}', String(now), '2026-11-20T12:00:00Z', '15s', '1', '1-0', 'decision', ...odd]
const queryValue = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...queryValues) }, { weight: 1, arbitrary: fc.webQueryParameters() })
const query = fc.array(fc.tuple(fc.constantFrom(...queryNames), queryValue), { maxLength: 4 })
  .map((pairs) => pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.join('=')).join('&')}`.replaceAll(/[^\x21-\x7e]/g, '%20'))
const token = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('Bearer boss', 'Bearer team') }, { weight: 1, arbitrary: fc.constantFrom('Bearer x', 'Basic x', 'Basic ', 'Bearer', '', `Basic ${Buffer.from('u:boss').toString('base64')}`) })
const contentType = fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain', 'application/x-protobuf', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'x', '')

/** Bodies near what is expected, with anything in their places. */
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(0, 1, -1, 1e308, now, 'shop', 'team-a', '', null, true, [], {}, 'auto', '2026-11-20T12:00:00Z', 0.5, { requestsPerSecond: 1 }, 'http', { __proto__: null, cpuUsageRatio: 0.7 }) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 2 }) }
)
const keys = ['service', 'at', 'signals', 'samples', 'minReplicas', 'maxReplicas', 'target', 'match', 'override', 'behavior', 'startUpSeconds', 'stepSeconds', 'config', 'performance', 'optimal', 'id', 'state', 'targetRef', 'constraints', 'targets', 'settings', 'resource', 'metrics', 'runType', 'url', 'labels', 'applicationId', 'runtimeId', 'timestamp', 'batchStartedAt', 'name', '__proto__', 'constructor']
const near = fc.oneof(
  fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 5 }),
  fc.record({ service: value, at: value, signals: fc.dictionary(fc.constantFrom('requestsPerSecond', 'errorRatio', 'readyReplicas', '__proto__', 'A'), value, { maxKeys: 3 }) }, { requiredKeys: [] }),
  fc.record({
    targetRef: fc.record({ name: value }, { requiredKeys: [] }),
    signals: value,
    constraints: fc.oneof(value, fc.record({ minReplicas: value, maxReplicas: value })),
    targets: fc.array(fc.record({ type: value, upperBound: value }), { maxLength: 2 }),
    settings: value
  }, { requiredKeys: [] }),
  fc.record({
    target: value,
    override: fc.oneof(value, fc.record({ force: value, until: value, reason: value }, { requiredKeys: [] })),
    behavior: fc.oneof(value, fc.record({ scaleUp: value })),
    signals: value,
    match: value
  }, { requiredKeys: [] }),
  fc.record({ config: value, performance: value, optimal: value, at: value }, { requiredKeys: [] }),
  fc.record({ resource: fc.record({ metadata: fc.record({ name: value }) }), metrics: value }, { requiredKeys: [] }),
  fc.record({
    applicationId: value,
    runtimeId: value,
    timestamp: value,
    batchStartedAt: value,
    signals: fc.oneof(value, fc.dictionary(fc.string({ maxLength: 5 }), fc.record({ elu: value, heap: value })))
  }, { requiredKeys: [] })
)
const json = fc.oneof(near, fc.array(near, { maxLength: 3 }), near.map((one) => ({ samples: [one] })), fc.jsonValue()).map((body) => JSON.stringify(body) ?? 'null')
const form = query.map((text) => text.slice(1))
const payload = fc.oneof(
  { weight: 8, arbitrary: json },
  { weight: 2, arbitrary: form },
  { weight: 2, arbitrary: damaged(json.map((text) => Buffer.from(text))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) }
)
/** What each route wants, with one value of it exchanged for anything. */
const sound: Record<string, object> = {
  '/v1/samples': { service: 'team-a', at: now, signals: { requestsPerSecond: 1 } },
  '/v1/services/{service}': { minReplicas: 1, maxReplicas: 9, target: { requestsPerSecond: 100 }, override: { hold: true, reason: 'x' } },
  '/v1/services/{service}/feedback': { config: { threadPoolSize: 8 }, performance: 1, at: now },
  '/v1/recommendations': { targetRef: { name: 'team-a' }, signals: { cpuUsageRatio: 0.5, readyReplicas: 2 }, targets: [{ type: 'cpu', upperBound: 0.7 }] },
  '/v1/recommendations/wpa': { targetRef: { name: 'team-a' }, constraints: { minReplicas: 1 }, settings: { service: 'team-a' } },
  '/v1/recommendations/cpa': { resource: { metadata: { name: 'team-a' } }, metrics: [] },
  '/v1/targets/{name}': { url: 'http://exporter.example/metrics', intervalSeconds: 15, labels: { job: 'shop' } },
  '/signals': { applicationId: 'a', runtimeId: 'b', batchStartedAt: now, signals: { main: { elu: { options: { threshold: 0.8 }, workers: { 0: { values: [[now, 0.5]] } } } } } }
}
const exchange = fc.record({ key: fc.nat({ max: 8 }), value, keep: fc.boolean() })
const soundBody = (path: string, { key, value, keep }: { key: number, value: unknown, keep: boolean }) => {
  const body: Record<string, unknown> = { ...sound[path] }
  const names = Object.keys(body)
  if (!keep && names.length > 0) body[names[key % names.length]] = value
  return JSON.stringify(body)
}
const addressOf = (path: string, parameters: readonly string[]) => {
  let next = 0
  return path.replaceAll(/\{[^}]+\}/g, () => parameters[next++ % parameters.length])
}
const route = fc.nat({ max: 10_000 }).map((number) => routes[number % routes.length])
const parameters = fc.array(parameter, { minLength: 1, maxLength: 2 })

describe('any request', () => {
  test('for what is served is answered, and what is wrong is the caller\'s', async () => {
    const asking = route.filter(({ method }) => method === 'GET')
    await fc.assert(fc.asyncProperty(asking, parameters, query, token, async ({ method, path }, given, search, authorization) => {
      await expectNoFault({ method, url: addressOf(path, given) + search, headers: { authorization } })
    }), runs(12_000))
  }, longEnough)

  test('that sends something is answered, and what is wrong is the caller\'s', async () => {
    const sending = route.filter(({ method }) => method !== 'GET')
    const type = fc.oneof({ weight: 5, arbitrary: fc.constant('application/json') }, { weight: 1, arbitrary: contentType })
    await fc.assert(fc.asyncProperty(sending, parameters, fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: query }), token, type, fc.oneof(payload, exchange), async ({ method, path }, given, search, authorization, contentType, either) => {
      const body = typeof either === 'object' && 'keep' in either ? soundBody(path, either) : either
      await expectNoFault({ method, url: addressOf(path, given) + search, headers: { authorization, ...(contentType && { 'content-type': contentType }) }, payload: body })
    }), runs(14_000))
  }, longEnough)

  test('with an encoding that may be none is answered', async () => {
    const packed = fc.oneof(json.map((text) => gzipSync(text)), damaged(json.map((text) => gzipSync(text))), payload)
    await fc.assert(fc.asyncProperty(packed, fc.constantFrom('gzip', 'x-gzip', 'br', 'identity', 'snappy', 'gzip, gzip'), async (body, encoding) => {
      await expectNoFault({ method: 'POST', url: '/v1/samples', headers: { authorization: 'Bearer boss', 'content-type': 'application/json', 'content-encoding': encoding }, payload: body })
    }), runs(2_000))
  }, longEnough)

  test('of remote write is answered', async () => {
    const sound = encodeV1([{ labels: [['__name__', 'http_requests_total'], ['job', 'shop']], samples: [{ at: now, value: 1 }, { at: now - 1000, value: 'stale' }] }])
    await fc.assert(fc.asyncProperty(damaged(fc.constant(sound)), contentType, fc.boolean(), async (body, type, known) => {
      await expectNoFault({ method: 'POST', url: '/api/v1/write', headers: { authorization: 'Bearer boss', ...v1Headers, ...(!known && { 'content-type': type }) }, payload: body })
    }), runs(3_000))
  }, longEnough)

  test('for an address that is or is not there, by any method, is answered', async () => {
    const path = wordy(['/', 'v1', 'services', 'shop', 'api', 'docs', 'dashboard', '..', '%2e%2e', '.', ';', '?', '#', '//', '\\', '%5c', '*', ':service', 'metrics', 'static'], { maxLength: 8 })
    const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS')
    await fc.assert(fc.asyncProperty(path, method, token, async (text, how, authorization) => {
      const url = `/${text.replaceAll(/[^\x21-\x7e]/g, '%20')}`
      if (!URL.canParse(url, 'http://localhost') || endless.some((one) => url.startsWith(one))) return
      await expectNoFault({ method: how, url, headers: { authorization } })
    }), runs(4_000))
  }, longEnough)
})

test('any bytes on a connection are answered or cut off, and the next request is served', async () => {
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.app.server.address() as AddressInfo
  const words = ['GET', 'POST', ' ', '/healthz', ' HTTP/1.1', ' HTTP/9.9', '\r\n', '\n', 'Host: x', 'Content-Length: 5', 'Content-Length: -1', 'Content-Length: 99999999999999999999', 'Transfer-Encoding: chunked', 'ffffffffffffffff\r\n', '0\r\n\r\n', ': ', '\0', 'Connection: upgrade', 'Upgrade: websocket', 'Expect: 100-continue', `X: ${'x'.repeat(20_000)}`, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']
  await fc.assert(fc.asyncProperty(wordy(words), async (text) => {
    const answer = await new Promise<string>((resolve) => {
      let received = ''
      const socket = connect(port, '127.0.0.1', () => { socket.end(text) })
      socket.on('data', (chunk: Buffer) => { received += chunk.toString('latin1') }).on('error', () => {}).on('close', () => { resolve(received) })
      socket.setTimeout(2_000, () => { socket.destroy() })
    })
    expect(answer).not.toMatch(/^HTTP\/1\.1 5/)
  }), runs(500))
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
}, longEnough)
