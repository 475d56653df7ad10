import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Savings } from '../../src/domain.ts'
import { readMetric } from '../../src/api/kubernetes/metrics.ts'
import { call, configOf, createTestApp, decisionOf, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('services: { shop: {} }') })
afterEach(() => test.close())

describe.each(['shadow', 'advise'] as const)('a service in the mode %s', (mode) => {
  beforeEach(() => { test.fakes.decisions.set('shop', decisionOf('shop', { mode })) })

  it('shows its decision, marked', async () => {
    expect(await call(test.app, 'GET', '/v1/services/shop/decision')).toMatchObject({ status: 200, body: { mode, replicas: 14 } })
    expect(await call(test.app, 'GET', '/v1/services/shop/forecast')).toMatchObject({ status: 200 })
  })

  it.each([
    { what: 'KEDA', method: 'GET' as const, url: '/v1/services/shop/keda', body: undefined },
    { what: 'Datadog', method: 'POST' as const, url: '/v1/recommendations', body: { targetRef: { name: 'shop' } } },
    { what: 'custom-pod-autoscaler', method: 'POST' as const, url: '/v1/recommendations/cpa', body: { resource: { metadata: { name: 'shop' } } } }
  ])('hands nothing out to $what, and says why', async ({ method, url, body }) => {
    const problem = expectProblem(await call(test.app, method, url, body), { status: 503, code: 'not-acting' })
    expect(problem['detail']).toContain(`shop is in the mode ${mode}`)
  })

  it('has its replicas as a series of another name, so that nobody scales by them', async () => {
    const query = (text: string) => call(test.app, 'GET', `/api/v1/query?query=${encodeURIComponent(text)}&time=${now / 1000}`)

    expect(await query('prescale_replicas{service="shop"}')).toMatchObject({ status: 503 })
    expect(await query('prescale_shadow_replicas{service="shop"}')).toMatchObject({ status: 200, body: { data: { result: [{ value: [now / 1000, '14'] }] } } })
  })

  it('gives Kubernetes what was measured, and nothing to scale by', async () => {
    const context = { decisions: { snapshot: async () => ({ known: true, decision: decisionOf('shop', { mode }), verdict: null, suggestion: null, savings: null }) }, config: () => configOf(''), now: () => now }
    const read = (metric: string) => readMetric(metric, ['shop'], [], context as never)

    expect(await read('load')).toMatchObject([{ value: 800 }])
    await expect(read('desired_replicas')).rejects.toMatchObject({ code: 'not-acting' })
    await expect(read('forecast_load')).rejects.toMatchObject({ code: 'not-acting' })
  })
})

describe('a service in the mode act', () => {
  it('hands its decision out', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop'))
    expect(await call(test.app, 'GET', '/v1/services/shop/keda')).toMatchObject({ status: 200, body: { value: 14 } })
  })
})

describe('the mode of a service', () => {
  it('is shadow until somebody says otherwise', async () => {
    expect((await call(test.app, 'GET', '/v1/services/shop')).body['policy']).toMatchObject({ mode: 'shadow' })
    expect((await call(test.app, 'PUT', '/v1/services/shop', { mode: 'act' })).body['policy']).toMatchObject({ mode: 'act' })
    expectProblem(await call(test.app, 'PUT', '/v1/services/shop', { mode: 'on' }), { status: 400, code: 'invalid-request' })
  })
})

describe('GET /v1/services/{service}/savings', () => {
  const hour = 3_600_000
  const savings: Savings = {
    service: 'shop',
    since: now - 10 * hour,
    until: now,
    hours: 10,
    prescale: { violationRatio: 0.01, violationMinutes: 6, instanceHours: 60, changesPerHour: 4 },
    hpa: { violationRatio: 0.02, violationMinutes: 12, instanceHours: 80, changesPerHour: 3 }
  }

  it('says what prescale would have saved so far', async () => {
    test.fakes.savings.set('shop', savings)
    expect(await call(test.app, 'GET', '/v1/services/shop/savings')).toMatchObject({
      status: 200,
      body: { ...savings, mode: 'shadow', prescale: { ...savings.prescale, money: null }, saved: { instanceHours: 20, instanceHoursRatio: 0.25, violationMinutes: 6, money: null } }
    })
  })

  it('says it in money where somebody said what things cost', async () => {
    test.fakes.savings.set('shop', savings)
    test.fakes.put.set('shop', { objective: { costPerReplicaHour: 0.5, costPerViolationMinute: 2 } })
    // HPA: 80 × 0.5 + 12 × 2 = 64; prescale: 60 × 0.5 + 6 × 2 = 42.
    expect((await call(test.app, 'GET', '/v1/services/shop/savings')).body).toMatchObject({
      hpa: { money: { instances: 40, violations: 24, total: 64 } }, prescale: { money: { total: 42 } }, saved: { money: 22 }
    })
  })

  it('has nothing to say before a load is known, and of services that nobody knows', async () => {
    expectProblem(await call(test.app, 'GET', '/v1/services/shop/savings'), { status: 503, code: 'no-opinion' })
    expectProblem(await call(test.app, 'GET', '/v1/services/bakery/savings'), { status: 404, code: 'unknown-service' })
  })
})
