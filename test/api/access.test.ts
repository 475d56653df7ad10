import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAccess } from '../../src/access/access.ts'
import type { Scope } from '../../src/access/grants.ts'
import { hashToken } from '../../src/access/tokens.ts'
import { scopeOf } from '../../src/api/scopes.ts'
import { createFilter, wants } from '../../src/api/stream/filter.ts'
import { encodeV1, v1Headers } from '../support/remote-write-encoder.ts'
import { call, createTestApp, decisionOf, expectProblem, now } from './support.ts'

const entry = (name: string, scopes: Scope[], services?: string[]) => ({ name, sha256: hashToken(name), scopes, ...(services && { services }) })
const access = createAccess({
  tokens: [entry('reader', ['read']), entry('feeder', ['ingest']), entry('operator', ['operate']), entry('boss', ['admin']), entry('team', ['read', 'ingest', 'operate'], ['team-*'])],
  certificates: []
})

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('services: { shop: {}, team-a: {} }', { access: () => access }) })
afterEach(() => test.close())

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
const as = (token: string, method: Method, url: string, body?: unknown) => call(test.app, method, url, body, { authorization: `Bearer ${token}` })
const sample = (service: string) => ({ service, at: now, signals: { requestsPerSecond: 1 } })

describe('a token', () => {
  beforeEach(() => { test.fakes.decisions.set('shop', decisionOf('shop')) })
  const ask = (headers: Record<string, string>, query = '') => call(test.app, 'GET', `/v1/services/shop/keda${query}`, undefined, headers)
  const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })

  it.each([
    { mode: 'bearer', headers: { authorization: 'Bearer reader' } },
    { mode: 'bearer in another case', headers: { authorization: 'bearer reader' } },
    { mode: 'apiKey, method header', headers: { 'X-API-KEY': 'reader' } },
    { mode: 'apiKey, method query', headers: {}, query: '?api_key=reader' },
    { mode: 'basic', headers: basic('anyone:reader') },
    { mode: 'basic without a user', headers: basic(':reader') }
  ])('is taken as KEDA sends it with $mode', async ({ headers, query }) => {
    expect(await ask(headers as Record<string, string>, query)).toMatchObject({ status: 200, body: { value: 14 } })
  })

  it.each([
    { what: 'nothing', headers: {} },
    { what: 'a token that nobody holds', headers: { authorization: 'Bearer stranger' } },
    { what: 'an empty token', headers: { authorization: 'Bearer ' } },
    { what: 'another scheme', headers: { authorization: 'Digest reader' } },
    { what: 'no scheme', headers: { authorization: 'reader' } },
    { what: 'a bad token in the header, although there is a good one in the query', headers: { authorization: 'Bearer x' }, query: '?api_key=reader' },
    { what: 'two of them in the query', headers: {}, query: '?api_key=reader&api_key=reader' }
  ])('is asked for where there is $what', async ({ headers, query }) => {
    const answer = await ask(headers as Record<string, string>, query)
    expectProblem(answer, { status: 401, code: 'unauthorized' })
    expect(answer.headers['www-authenticate']).toContain('Basic realm="prescale"')
  })

  it('in the query is no parameter of the route that is asked', async () => {
    expect((await call(test.app, 'GET', '/v1/services/shop/decisions?limit=1&api_key=reader')).status).toBe(200)
  })

  it('ends with the list that it stands in', async () => {
    let present = access
    const changing = await createTestApp('services: { shop: {} }', { access: () => present })
    const status = async () => (await call(changing.app, 'GET', '/v1/services', undefined, { authorization: 'Bearer reader' })).status
    expect(await status()).toBe(200)
    present = createAccess({ tokens: [entry('other', ['read'])], certificates: [] })
    expect(await status()).toBe(401)
    await changing.close()
  })
})

describe('a scope', () => {
  const attempts: { scope: Scope, method: Method, url: string, body?: unknown }[] = [
    { scope: 'read', method: 'GET', url: '/v1/services' },
    { scope: 'read', method: 'GET', url: '/metrics' },
    { scope: 'read', method: 'GET', url: '/docs' },
    { scope: 'read', method: 'GET', url: '/api/v1/query?query=1' },
    { scope: 'read', method: 'GET', url: '/v1/stream' },
    { scope: 'ingest', method: 'POST', url: '/v1/samples', body: sample('shop') },
    { scope: 'ingest', method: 'POST', url: '/api/v1/write' },
    { scope: 'operate', method: 'PUT', url: '/v1/services/shop', body: {} },
    { scope: 'operate', method: 'POST', url: '/v1/services/shop/feedback', body: {} },
    { scope: 'operate', method: 'POST', url: '/v1/config/reload' },
    { scope: 'operate', method: 'POST', url: '/v1/dead-letters/1-1-1/replay' },
    { scope: 'admin', method: 'DELETE', url: '/v1/services/shop' }
  ]
  const holders: { token: string, scope: Scope }[] = [{ token: 'reader', scope: 'read' }, { token: 'feeder', scope: 'ingest' }, { token: 'operator', scope: 'operate' }]

  it.each(attempts)('$scope is what $method $url takes', async ({ scope, method, url, body }) => {
    for (const holder of holders) {
      if (holder.scope === scope) continue
      const { status, text } = await as(holder.token, method, url, body)
      expect(status).toBe(403)
      expect(text).toContain(`${holder.token} has not the scope ${scope}.`)
    }
  })

  it('admin holds all of them', async () => {
    expect((await as('boss', 'GET', '/v1/services')).status).toBe(200)
    expect((await as('boss', 'POST', '/v1/samples', sample('shop'))).status).toBe(202)
    expect((await as('boss', 'POST', '/v1/config/reload')).status).toBe(200)
    test.fakes.decisions.set('shop', decisionOf('shop'))
    expect((await as('boss', 'DELETE', '/v1/services/shop')).status).toBe(204)
  })

  it('is not needed for what says nothing: health, and addresses that are not there', async () => {
    expect((await call(test.app, 'GET', '/healthz')).status).toBe(200)
    expect((await call(test.app, 'GET', '/readyz')).status).toBe(200)
    expectProblem(await call(test.app, 'GET', '/nowhere'), { status: 404, code: 'not-found' })
  })

  it('is admin for a route that changes something and that nobody thought of', () => {
    expect(scopeOf('POST', '/v1/new')).toBe('admin')
    expect(scopeOf('DELETE', '/v1/new')).toBe('admin')
    expect(scopeOf('HEAD', '/v1/dead-letters')).toBe('operate')
  })

  it('is asked for by every route that is served', async () => {
    const { body } = await as('boss', 'GET', '/openapi.json')
    for (const [path, methods] of Object.entries(body['paths'] as Record<string, object>)) {
      for (const method of Object.keys(methods)) {
        const { status } = await call(test.app, method.toUpperCase() as Method, path.replaceAll(/\{[^}]+\}/g, 'x'))
        expect({ method, path, status }).toEqual({ method, path, status: ['/healthz', '/readyz'].includes(path) ? 200 : 401 })
      }
    }
  })
})

describe('somebody else\'s service', () => {
  beforeEach(() => {
    for (const service of ['shop', 'team-a']) {
      test.fakes.decisions.set(service, decisionOf(service))
      test.fakes.summaries.push({ service, asOf: now, decision: null, verdict: null })
    }
  })
  const absent = (answer: Awaited<ReturnType<typeof as>>) => expectProblem(answer, { status: 404, code: 'unknown-service' })['detail']

  it('is answered word by word as one that is not there', async () => {
    const foreign = absent(await as('team', 'GET', '/v1/services/shop/decision'))
    const nowhere = absent(await as('reader', 'GET', '/v1/services/nowhere/decision'))
    expect(foreign.replace('shop', 'X')).toBe(nowhere.replace('nowhere', 'X'))
  })

  it.each(['', '/decision', '/decisions', '/forecast', '/verdict', '/suggestion', '/keda'])('cannot be read at %s, one\'s own can', async (path) => {
    absent(await as('team', 'GET', `/v1/services/shop${path}`))
    expect([200, 503]).toContain((await as('team', 'GET', `/v1/services/team-a${path}`)).status)
  })

  it('is in no list', async () => {
    expect((await as('team', 'GET', '/v1/services')).body['services'].map(({ service }: { service: string }) => service)).toEqual(['team-a'])
    expect((await as('team', 'GET', '/api/v1/label/service/values')).body['data']).toEqual(['team-a'])
    expect((await as('team', 'GET', '/api/v1/series?match[]=prescale_replicas')).body['data']).toHaveLength(1)
  })

  it('has no series', async () => {
    expect((await as('team', 'GET', '/api/v1/query?query=prescale_replicas{service="team-a"}')).body['data'].result).toHaveLength(1)
    expect((await as('team', 'GET', '/api/v1/query?query=prescale_replicas')).body['data'].result).toHaveLength(1)
    expect((await as('team', 'GET', '/api/v1/query?query=prescale_replicas{service="shop"}')).text).toBe((await as('team', 'GET', '/api/v1/query?query=prescale_replicas{service="nowhere"}')).text.replaceAll('nowhere', 'shop'))
  })

  it('is recommended for nobody', async () => {
    absent(await as('team', 'POST', '/v1/recommendations', { targetRef: { name: 'shop' } }))
    absent(await as('team', 'POST', '/v1/recommendations/wpa', { targetRef: { name: 'team-a' }, settings: { service: 'shop' } }))
    absent(await as('team', 'POST', '/v1/recommendations/cpa', { resource: { metadata: { name: 'shop' } } }))
    expect((await as('team', 'POST', '/v1/recommendations', { targetRef: { name: 'team-a' } })).status).toBe(200)
  })

  it('cannot be set, nor taught', async () => {
    absent(await as('team', 'PUT', '/v1/services/shop', { minReplicas: 1 }))
    absent(await as('team', 'POST', '/v1/services/shop/feedback', { optimal: { threadPoolSize: 8 } }))
    expect(test.fakes.put.size).toBe(0)
    expect((await as('team', 'PUT', '/v1/services/team-b', { minReplicas: 1 })).status).toBe(201)
  })

  it('cannot be fed with samples: one\'s own are taken, the others are not, and alone they are 404', async () => {
    absent(await as('team', 'POST', '/v1/samples', sample('shop')))
    const { status, body } = await as('team', 'POST', '/v1/samples', [sample('shop'), sample('team-a')])
    expect(status).toBe(202)
    expect(body).toMatchObject({ accepted: 1, rejected: 1, errors: [{ index: 0, path: 'samples[0].service', value: 'shop' }] })
    expect(test.fakes.queued.map(({ service }) => service)).toEqual(['team-a'])
  })

  it('cannot be fed by remote write: its points are dropped as those that nobody reads', async () => {
    const services = ['shop', 'team-a'].map((name) => `${name}: { match: { job: ${name} }, signals: http }`).join(', ')
    const receiving = await createTestApp(`services: { ${services} }`, { access: () => access })
    const body = encodeV1(['shop', 'team-a'].map((job) => ({ labels: [['__name__', 'http_requests_total'], ['job', job]], samples: [{ at: now, value: 1 }] })))
    expect((await call(receiving.app, 'POST', '/api/v1/write', body, { ...v1Headers, authorization: 'Bearer team' })).status).toBe(204)
    expect(receiving.fakes.queued.map(({ service }) => service)).toEqual(['team-a'])
    await receiving.close()
  })

  it('is not heard of in the stream, whatever is asked for', () => {
    const mayUse = (service: string) => service.startsWith('team-')
    for (const service of [undefined, 'shop', 'shop,team-a']) {
      const filter = createFilter({ service }, mayUse)
      expect(wants(filter, { service: 'shop', kind: 'decision' })).toBe(false)
      expect(wants(filter, { service: 'team-a', kind: 'decision' })).toBe(service !== 'shop')
    }
  })

  it('is named by no route at all, whatever is asked of it', async () => {
    test.fakes.history.set('shop', [decisionOf('shop')])
    const { body } = await as('boss', 'GET', '/openapi.json')
    const urls = Object.keys(body['paths'] as object).filter((path) => !['/v1/stream', '/v1/ws', '/openapi.json'].includes(path))
    for (const url of urls.map((path) => path.replace('{service}', 'team-a').replace('{name}', 'service').replaceAll(/\{[^}]+\}/g, 'x'))) {
      for (const query of ['', '?limit=10', '?service=team-a']) {
        const { text } = await as('team', 'GET', url + query)
        expect({ url, query, text }).toEqual({ url, query, text: expect.not.stringMatching(/"shop"/) })
      }
    }
  })

  it.each([
    { method: 'GET', url: '/metrics' }, { method: 'POST', url: '/v1/config/reload' }, { method: 'GET', url: '/v1/dead-letters' }
  ] as const)('does not show at $url, which is about all of them', async ({ method, url }) => {
    expectProblem(await as('team', method, url), { status: 403, code: 'forbidden' })
  })
})
