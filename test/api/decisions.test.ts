import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Verdict } from '../../src/domain.ts'
import { call, createTestApp, decisionOf, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('services: { shop: {} }') })
afterEach(() => test.close())
const get = (url: string) => call(test.app, 'GET', url)

const verdict: Verdict = {
  service: 'shop',
  asOf: now,
  score: 0.91,
  threshold: 0.7,
  isAnomaly: true,
  severity: 'high',
  causes: [{ signal: 'errorRatio', value: 0.2, expectedLow: 0, expectedHigh: 0.01, share: 0.8, text: 'errorRatio 0.2, usually 0 to 0.01' }],
  maintenance: { action: 'immediate_maintenance', probability: 0.8, reason: 'errors' },
  missingSignals: [],
  modelVersion: 'anomaly 1'
}

describe('GET /v1/services/{service}/decision', () => {
  it('is the latest decision as the worker wrote it, at the cost of one read', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop'))
    test.fakes.reads = 0
    const { status, body } = await get('/v1/services/shop/decision')
    expect(status).toBe(200)
    expect(body).toEqual(decisionOf('shop'))
    expect(test.fakes.reads).toBe(1)
  })

  it('is 503 once the decision is out of date, and says since when', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop', { asOf: now - 600_000, validUntil: now }))
    const { detail } = expectProblem(await get('/v1/services/shop/decision'), { status: 503, code: 'no-opinion' })
    expect(detail).toContain('600 s ago')
  })

  it('is 503 for a configured service without samples, and 404 for one that nobody has mentioned', async () => {
    expectProblem(await get('/v1/services/shop/decision'), { status: 503, code: 'no-opinion' })
    expectProblem(await get('/v1/services/nobody/decision'), { status: 404, code: 'unknown-service' })
  })

  it('says what is missing where samples come and nothing can be decided', async () => {
    test.fakes.verdicts.set('shop', verdict)
    expect(expectProblem(await get('/v1/services/shop/decision'), { status: 503, code: 'no-opinion' })['detail']).toContain('or, where target is auto, requestsPerSecond, cpuUsageRatio and readyReplicas')
  })

  it('is 503 while Redis is away, and recovers by itself', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop'))
    test.fakes.down = true
    const answer = await get('/v1/services/shop/decision')
    expectProblem(answer, { status: 503, code: 'store-unavailable' })
    expect(answer.headers['retry-after']).toBe('5')
    test.fakes.down = false
    expect((await get('/v1/services/shop/decision')).status).toBe(200)
  })

  it('refuses a name that cannot be one', async () => {
    const { errors } = expectProblem(await get('/v1/services/-a%20b/decision'), { status: 400, code: 'invalid-request' })
    expect(errors).toEqual([{ path: 'service', value: '-a b', expected: expect.stringContaining('letters, digits') }])
  })
})

describe('GET /v1/services/{service}/decisions', () => {
  it('lists newest first, since a time and up to a limit', async () => {
    test.fakes.history.set('shop', [3, 2, 1].map((minute) => decisionOf('shop', { asOf: minute * 60_000 })))
    const asOf = async (query: string) => (await get(`/v1/services/shop/decisions${query}`)).body['decisions'].map((decision: { asOf: number }) => decision.asOf)
    expect(await asOf('')).toEqual([180_000, 120_000, 60_000])
    expect(await asOf('?limit=2')).toEqual([180_000, 120_000])
    expect(await asOf('?since=60000')).toEqual([180_000, 120_000])
  })

  it('names what is wrong with a query', async () => {
    const { errors } = expectProblem(await get('/v1/services/shop/decisions?limit=0&sinc=1'), { status: 400, code: 'invalid-request' })
    expect(errors).toEqual([
      { path: 'sinc', value: '1', expected: 'did you mean "since"? one of the keys since, limit, offset' },
      { path: 'limit', value: 0, expected: 'a whole number from 1 to 1000' }
    ])
  })
})

describe('an address', () => {
  it.each([
    ['/v1/services/%ff/decision', 'The address /v1/services/%ff/decision is not percent-encoded UTF-8.'],
    [`/v1/services/${'a'.repeat(300)}`, expect.stringMatching(/^A part of the address .* is longer than 256 characters\.$/)]
  ])('that cannot be one is a problem like any other: %s', async (url, detail) => {
    expect(expectProblem(await get(url), { status: 400, code: 'invalid-request' })['detail']).toEqual(detail)
  })

  it.each(['limit=1e999', 'offset=1e999', 'since=-1e999'])('holds no number beyond all limits: %s', async (query) => {
    const { errors } = expectProblem(await get(`/v1/services/shop/decisions?${query}`), { status: 400, code: 'invalid-request' })
    expect(errors).toEqual([{ path: query.split('=')[0], value: expect.stringMatching(/^-?Infinity$/), expected: expect.stringContaining('a whole number') }])
  })
})

describe('the other answers about a service', () => {
  it('forecast: the quantiles, or 503 with the reason of a decision that has none', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop'))
    expect((await get('/v1/services/shop/forecast')).body).toMatchObject({ service: 'shop', load: 800, forecast: { horizonSeconds: 180 } })
    test.fakes.decisions.set('shop', decisionOf('shop', { forecast: null, source: 'reactive', reason: 'present load 800' }))
    expect(expectProblem(await get('/v1/services/shop/forecast'), { status: 503, code: 'no-opinion' })['detail']).toContain('present load 800')
  })

  it('verdict: score, causes and maintenance', async () => {
    test.fakes.verdicts.set('shop', verdict)
    expect((await get('/v1/services/shop/verdict')).body).toEqual(verdict)
    expect((await get('/v1/services/shop/maintenance')).body).toEqual({ service: 'shop', asOf: verdict.asOf, ...verdict.maintenance, windows: [] })
  })

  it('suggestion: 503 before there is one', async () => {
    expectProblem(await get('/v1/services/shop/suggestion'), { status: 503, code: 'no-opinion' })
  })
})

describe('GET /v1/services/{service}/keda', () => {
  it('is what KEDA\'s metrics-api trigger reads: value over target 1', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop'))
    const { status, body } = await get('/v1/services/shop/keda')
    expect(status).toBe(200)
    expect(body).toEqual({ value: 14, target: 1, active: true, source: 'forecast', asOf: '2026-11-20T11:59:30.000Z' })
  })

  it('calls the lower rungs of the ladder fallback, and a demonstration a demonstration', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop', { source: 'hold', replicas: 0, demo: true }))
    expect((await get('/v1/services/shop/keda')).body).toMatchObject({ value: 0, active: false, source: 'fallback', demo: true })
  })

  it('never says 0 when it does not know: 503 without a valid decision, 404 for an unknown service', async () => {
    expectProblem(await get('/v1/services/shop/keda'), { status: 503, code: 'no-opinion' })
    test.fakes.decisions.set('shop', decisionOf('shop', { validUntil: now - 1 }))
    expectProblem(await get('/v1/services/shop/keda'), { status: 503, code: 'no-opinion' })
    expectProblem(await get('/v1/services/nobody/keda'), { status: 404, code: 'unknown-service' })
  })
})
