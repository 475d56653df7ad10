import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, createTestApp, decisionOf, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('limits: { services: 3 }\ndefaults: { maxReplicas: 9 }\nservices: { shop: { minReplicas: 2 } }') })
afterEach(() => test.close())
const put = (service: string, body: unknown) => call(test.app, 'PUT', `/v1/services/${service}`, body)

describe('GET /v1/services', () => {
  it('lists what is configured, what was put, and what has been heard of, by name', async () => {
    await put('cart', {})
    test.fakes.summaries.push({ service: 'mail', asOf: now, decision: null, verdict: null })
    const { body } = await call(test.app, 'GET', '/v1/services')
    expect(body['services']).toEqual([
      { service: 'cart', asOf: null, decision: null, verdict: null },
      { service: 'mail', asOf: now, decision: null, verdict: null },
      { service: 'shop', asOf: null, decision: null, verdict: null }
    ])
  })
})

describe('GET /v1/services/{service}', () => {
  it('shows settings, where they come from, and the policy with all defaults', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop'))
    const { status, body } = await call(test.app, 'GET', '/v1/services/shop')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      service: 'shop', settings: { minReplicas: 2 }, origin: 'file', policy: { minReplicas: 2, maxReplicas: 9, stepSeconds: 60 }, match: { job: 'shop' }, decision: { replicas: 14 }
    })
  })

  it('is 404 for a service that nobody has mentioned', async () => {
    expectProblem(await call(test.app, 'GET', '/v1/services/nobody'), { status: 404, code: 'unknown-service' })
  })
})

describe('PUT and DELETE /v1/services/{service}', () => {
  it('keeps settings of the same shape as the file; they take the place of the file\'s until they are deleted', async () => {
    const settings = { maxReplicas: 40, target: { requestsPerSecond: 100 }, signals: 'http' }
    expect(await put('shop', settings)).toMatchObject({ status: 201, body: { origin: 'http', policy: { minReplicas: 1, maxReplicas: 40 } } })
    expect((await put('shop', settings)).status).toBe(200)
    expect(test.fakes.put.get('shop')).toEqual(settings)
    const deleted = await call(test.app, 'DELETE', '/v1/services/shop')
    expect({ status: deleted.status, text: deleted.text }).toEqual({ status: 204, text: '' })
    expect((await call(test.app, 'GET', '/v1/services/shop')).body).toMatchObject({ origin: 'file', policy: { minReplicas: 2, maxReplicas: 9 } })
    expectProblem(await call(test.app, 'DELETE', '/v1/services/shop'), { status: 404, code: 'unknown-service' })
  })

  it('lists every error of a body at once', async () => {
    const { errors } = expectProblem(await put('shop', { minReplica: 1, maxReplicas: -1, target: { requestsPerSecond: 'x' }, signals: 'apache' }), { status: 400, code: 'invalid-request' })
    expect(errors.map(({ path, expected }: { path: string, expected: string }) => [path, expected])).toEqual([
      ['minReplica', expect.stringContaining('did you mean "minReplicas"?')],
      ['signals', expect.stringContaining('a preset (node-exporter, cadvisor, nodejs, http, watt)')],
      ['maxReplicas', 'a whole number from 1 to 100000'],
      ['target.requestsPerSecond', 'a number above 0']
    ])
  })

  it('checks the rules between keys with the defaults of the file', async () => {
    const { errors } = expectProblem(await put('shop', { minReplicas: 10 }), { status: 400, code: 'invalid-config' })
    expect(errors).toEqual([{ path: 'minReplicas', value: 10, expected: 'at most maxReplicas, which is 9' }])
  })

  it('bounds the number of services', async () => {
    for (const name of ['a', 'b', 'c']) expect((await put(name, {})).status).toBe(201)
    expectProblem(await put('d', {}), { status: 400, code: 'limit-exceeded' })
    await call(test.app, 'DELETE', '/v1/services/a')
    expect((await put('d', {})).status).toBe(201)
  })
})

describe('POST /v1/services/{service}/feedback', () => {
  const post = (body: unknown) => call(test.app, 'POST', '/v1/services/shop/feedback', body)

  it('queues what a service reports, one or many, with the ids that make it count once', async () => {
    const { status, body } = await post([{ id: 'deploy-7', config: { threadPoolSize: 64 }, performance: 81.5 }, { optimal: { timeoutMs: 300 } }])
    expect(status).toBe(202)
    expect(body).toEqual({ accepted: 2, ids: ['deploy-7', expect.stringMatching(/^[0-9a-f-]{36}$/)] })
    expect(test.fakes.queued).toEqual([{
      kind: 'feedback',
      service: 'shop',
      feedback: [{ id: 'deploy-7', service: 'shop', at: now, config: { threadPoolSize: 64 }, performance: 81.5 }, expect.objectContaining({ optimal: { timeoutMs: 300 } })]
    }])
  })

  it('says what is missing or unknown', async () => {
    const problem = expectProblem(await post([{ config: { threadPoolSize: 64 } }, { optimal: { threads: 3 } }, { optimal: { timeoutMs: 1 } }]), { status: 400, code: 'invalid-request' })
    expect(problem['errors']).toEqual([
      { path: '[0].performance', expected: expect.stringContaining('tuning.objective is "reported"') },
      { path: '[1].optimal', value: { threads: 3 }, expected: expect.stringContaining('the parameter threads is unknown') },
      { path: '[2].optimal', value: { timeoutMs: 1 }, expected: expect.stringContaining('timeoutMs is 1, expected a whole number, 20 to 5000') }
    ])
    expectProblem(await post([]), { status: 400, code: 'invalid-request' })
    expect(test.fakes.queued).toEqual([])
  })
})
