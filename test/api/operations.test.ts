import { Ajv } from 'ajv'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PrescaleError } from '../../src/errors.ts'
import { call, configOf, createTestApp, decisionOf, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp() })
afterEach(() => test.close())
const get = (url: string) => call(test.app, 'GET', url)

describe('errors', () => {
  it('of unknown addresses are 404, of known ones with another method 405 with the methods that they take', async () => {
    expectProblem(await get('/v2/services'), { status: 404, code: 'not-found' })
    const answer = await call(test.app, 'DELETE', '/v1/services/shop/decision')
    expectProblem(answer, { status: 405, code: 'method-not-allowed' })
    expect(answer.headers['allow']).toBe('GET, HEAD')
  })

  it('that are our fault say nothing of our inside', async () => {
    const broken = await createTestApp('', { missing: async () => { throw new Error('secret') } })
    const answer = await call(broken.app, 'GET', '/readyz')
    expectProblem(answer, { status: 500, code: 'internal' })
    expect(answer.text).not.toContain('secret')
    await broken.close()
  })
})

describe('health', () => {
  it('is alive as soon as it answers', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } })
  })

  it('is ready when nothing is missing, and says what is', async () => {
    expect(await get('/readyz')).toMatchObject({ status: 200, body: { status: 'ready', without: [] } })
    const waiting = await createTestApp('', { missing: async () => ['Redis (redis://localhost:6379)'] })
    expect(expectProblem(await call(waiting.app, 'GET', '/readyz'), { status: 503, code: 'not-ready' })['errors'][0]['path']).toBe('Redis (redis://localhost:6379)')
    await waiting.close()
  })
})

describe('GET /metrics', () => {
  it('has the content type without which Prometheus 3 refuses a scrape, and labels that strangers cannot multiply', async () => {
    await get('/v1/services/one/decision')
    await get('/nowhere/at/all')
    const { type, text } = await get('/metrics')
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(text).toContain('prescale_http_request_duration_seconds_count{method="GET",route="/v1/services/:service/decision",status="404"} 1')
    expect(text).toContain('route="none"')
    expect(text).not.toContain('nowhere')
  })
})

describe('the documents', () => {
  it('/openapi.json describes every route and the problems that it answers with', async () => {
    const { body } = await get('/openapi.json')
    expect(body['openapi']).toBe('3.1.0')
    expect(Object.keys(body['paths'])).toEqual(expect.arrayContaining([
      '/v1/services', '/v1/services/{service}', '/v1/services/{service}/decision', '/v1/services/{service}/keda', '/v1/samples', '/api/v1/write', '/v1/recommendations', '/readyz'
    ]))
    for (const [path, methods] of Object.entries(body['paths'] as Record<string, Record<string, { summary?: string }>>)) {
      for (const { summary } of Object.values(methods)) expect({ path, summary }).toEqual({ path, summary: expect.any(String) })
    }
    expect(body['paths']['/v1/services/{service}/decision'].get.responses['503'].content).toHaveProperty(['application/problem+json'])
  })

  it('/docs shows pages', async () => {
    expect((await get('/docs/')).type).toContain('text/html')
  })

  it('/schema/prescale.json is a JSON Schema that other programs can use', async () => {
    const { type, body } = await get('/schema/prescale.json')
    expect(type).toContain('application/schema+json')
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(body)
    expect(validate({ services: { shop: { minReplicas: 2, target: { requestsPerSecond: 100 }, signals: 'http' } } })).toBe(true)
    expect(validate({ services: { shop: { minReplica: 2 } } })).toBe(false)
  })
})

describe('POST /v1/config/reload', () => {
  it('tells what is now set', async () => {
    const reloaded = await createTestApp('', { reload: async () => configOf('services: { a: {}, b: {} }') })
    expect(await call(reloaded.app, 'POST', '/v1/config/reload')).toMatchObject({ status: 200, body: { services: 2, sources: { scrape: 0, prometheus: 0 } } })
    await reloaded.close()
  })

  it('refuses a bad file with every error', async () => {
    const details = [{ path: 'partitions', value: 0, expected: 'a whole number from 1 to 256' }]
    const refused = await createTestApp('', { reload: async () => { throw new PrescaleError('invalid-config', 'prescale.yaml has one error.', { details }) } })
    expect(expectProblem(await call(refused.app, 'POST', '/v1/config/reload'), { status: 400, code: 'invalid-config' })['errors']).toEqual(details)
    await refused.close()
  })
})

describe('dead letters', () => {
  const payload = { kind: 'samples', service: 'shop', samples: [{ service: 'shop', at: now, signals: {} }] }
  beforeEach(() => {
    test.fakes.letters.push({ id: '3-1700000000000-0', at: now, service: 'shop', kind: 'samples', reason: 'expected 3 features, got 2', payload })
    test.fakes.letters.push({ id: '1-1600000000000-0', at: now - 1, service: null, kind: 'unreadable', reason: 'no samples', payload: 7 })
  })

  it('are listed with the reason and how much they hold, and shown with it one by one', async () => {
    expect((await get('/v1/dead-letters')).body).toEqual({
      count: 2,
      deadLetters: [
        { id: '3-1700000000000-0', at: now, service: 'shop', kind: 'samples', reason: 'expected 3 features, got 2', items: 1 },
        { id: '1-1600000000000-0', at: now - 1, service: null, kind: 'unreadable', reason: 'no samples', items: null }
      ]
    })
    expect((await get('/v1/dead-letters/3-1700000000000-0')).body).toMatchObject({ payload })
  })

  it('can be replayed once; what cannot be read cannot', async () => {
    const replay = (id: string) => call(test.app, 'POST', `/v1/dead-letters/${id}/replay`)
    expect(await replay('3-1700000000000-0')).toMatchObject({ status: 202, body: { replayed: '3-1700000000000-0' } })
    expectProblem(await replay('3-1700000000000-0'), { status: 404, code: 'not-found' })
    expectProblem(await replay('1-1600000000000-0'), { status: 409, code: 'conflict' })
    expectProblem(await replay('x'), { status: 400, code: 'invalid-request' })
  })
})

describe('GET /v1/models', () => {
  it('tells which models are there and which are in use', async () => {
    expect((await get('/v1/models')).body).toEqual({ active: { forecast: null, anomaly: null, config: null }, models: [], learned: [] })
  })

  it('tells what was learned from single services, and how that does', async () => {
    const heldBack = { forecasts: 300, loss: 0.01, rival: 'forecast 1', rivalLoss: 0.02 }
    const model = { version: 'local/1', kind: 'load-forecaster' as const, trainedAt: now, rows: 900, range: { from: 0, to: now }, seed: 1, horizonSteps: 3, heldBack, sha256: 'ab', bytes: 9, storedBytes: 5 }
    test.fakes.learning.set('cart', { format: 1, service: 'cart', learned: 0, triedAt: now, nextAt: now + 1, outcome: 'too few', models: [] })
    test.fakes.learning.set('shop', { format: 1, service: 'shop', learned: 2, triedAt: now, nextAt: now + 1, outcome: 'learned', models: [model, { ...model, version: 'local/2' }] })
    const live = { since: 5, forecasts: 7, loss: 0.1, rival: 'forecast 1', rivalLoss: 0.3 }
    test.fakes.standings.set('shop', [{ version: 'local/1', life: 'active', ...live }])
    test.fakes.decisions.set('shop', decisionOf('shop'))

    const { seed: _, storedBytes: __, kind: ___, ...shown } = model
    const learned = {
      service: 'shop',
      triedAt: now,
      nextAt: now + 1,
      outcome: 'learned',
      models: [{ ...shown, life: 'active', live }, { ...shown, version: 'local/2', life: 'shadow', live: null }]
    }
    expect((await get('/v1/models')).body['learned']).toEqual([learned])
    expect((await get('/v1/services/shop')).body['learning']).toEqual(learned)
    expect((await get('/v1/services/cart')).status).toBe(404)
  })
})
