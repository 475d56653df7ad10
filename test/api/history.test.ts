import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, createTestApp, decisionOf, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => {
  test = await createTestApp('services: { shop: {} }')
  // Newest first, as Redis has them.
  test.fakes.history.set('shop', [
    decisionOf('shop', {
      asOf: now - 60_000,
      replicas: 15,
      load: 801.23456789,
      forecast: { horizonSeconds: 180, quantiles: [0.05, 0.5, 0.95].map((quantile) => ({ quantile, load: 1000 * quantile })), modelVersion: 'forecast 1' },
      rawRecommendations: [{ source: 'forecast', replicas: 15, reason: 'a' }, { source: 'reactive', replicas: 12, reason: 'b' }]
    }),
    decisionOf('shop', { asOf: now - 120_000, replicas: 14, load: null, forecast: null, source: 'hold' })
  ])
  test.fakes.pastVerdicts.set('shop', [{ asOf: now - 60_000, score: 0.25, threshold: 0.5, isAnomaly: false, severity: 'none' }])
})
afterEach(() => test.close())
const get = (url: string) => call(test.app, 'GET', url)

describe('GET /v1/services/{service}/series', () => {
  it('is the past as columns, oldest first, with holes where nothing was known', async () => {
    expect((await get('/v1/services/shop/series')).body).toEqual({
      service: 'shop',
      decisions: {
        at: [now - 120_000, now - 60_000],
        load: [null, 801.235],
        capacity: [70, 70],
        low: [null, 50],
        middle: [null, 500],
        high: [null, 950],
        wanted: [14, 15],
        ready: [12, 12],
        reactive: [null, 12],
        source: ['hold', 'forecast']
      },
      verdicts: { at: [now - 60_000], score: [0.25], threshold: [0.5], anomaly: [false] },
      horizonSeconds: 180
    })
  })

  it('begins after a time', async () => {
    const { body } = await get(`/v1/services/shop/series?since=${now - 60_000}`)
    expect([body['decisions'].at, body['verdicts'].at]).toEqual([[], []])
  })

  it('does not exist for a service that nobody has mentioned', async () => {
    expectProblem(await get('/v1/services/nobody/series'), { status: 404, code: 'unknown-service' })
  })
})

describe('GET /v1/services/{service}/explanation', () => {
  it('tells the story of the latest decision', async () => {
    const { body } = await get('/v1/services/shop/explanation')
    expect(body['decision']).toMatchObject({ asOf: now - 60_000, replicas: 15 })
    expect(body['story'][0]).toContain('shop was to have 15 replicas, up from 12.')
  })

  it('tells that of the decision which was in force at a time', async () => {
    const { body } = await get(`/v1/services/shop/explanation?at=${now - 60_001}`)
    expect(body['decision']).toMatchObject({ asOf: now - 120_000, replicas: 14 })
  })

  it('says since when decisions are kept for a time before them', async () => {
    const { detail } = expectProblem(await get(`/v1/services/shop/explanation?at=${now - 120_001}`), { status: 503, code: 'no-opinion' })
    expect(detail).toContain(new Date(now - 120_000).toISOString())
  })
})

describe('GET /v1/sparklines', () => {
  it('is the recent load of each service with what is expected until the end of the horizon', async () => {
    const { body } = await get('/v1/sparklines?services=shop,nobody')
    expect(body['sparklines']).toEqual([
      { service: 'shop', at: [now - 120_000, now - 60_000], load: [null, 801.235], forecast: { until: now + 120_000, low: 50, middle: 500, high: 950 } },
      { service: 'nobody', at: [], load: [], forecast: null }
    ])
  })

  it('is not made for more services than a screen shows', async () => {
    const services = Array.from({ length: 101 }, (_, i) => `service-${i}`).join(',')
    expectProblem(await get(`/v1/sparklines?services=${services}`), { status: 400, code: 'limit-exceeded' })
  })
})
