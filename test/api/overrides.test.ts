import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, createTestApp, decisionOf, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => {
  test = await createTestApp('services: { shop: { override: { force: 3, reason: thrift } } }')
  test.fakes.decisions.set('shop', decisionOf('shop'))
})
afterEach(() => test.close())
const path = '/v1/services/shop/overrides'
const post = (body: unknown, url = path) => call(test.app, 'POST', url, body)
const hour = { ttlSeconds: 3600, reason: 'sale' }

describe('POST /v1/services/{service}/overrides', () => {
  it('sets one that ends by itself, beside the settings, which stay as they are', async () => {
    const { status, body } = await post({ force: 20, ...hour })
    expect({ status, body }).toMatchObject({
      status: 201, body: { override: { id: expect.any(String), kind: 'force', replicas: 20, reason: 'sale', at: now, until: now + 3_600_000, by: 'anybody' } }
    })
    // Three are asked for by the file.
    expect(body['contradictions']).toEqual(['OverridesContradict: Forced (thrift) asks for 3, Forced (sale) for 20; the most replicas count'])
    expect(test.fakes.put.size).toBe(0)
    expect(test.fakes.audit[0]).toMatchObject({ action: 'POST /v1/services/:service/overrides', service: 'shop', changes: { override: { replicas: 20 } } })
    const shop = await call(test.app, 'GET', '/v1/services/shop')
    expect(shop.body['policy'].overrides).toEqual([body['override']])
    expect(shop.body['settings']).toEqual({ override: { force: 3, reason: 'thrift' } })
  })

  it.each([
    { name: 'none of the kinds', body: hour, expected: 'one of hold, pause, outage and force, not none' },
    { name: 'two of the kinds', body: { hold: true, force: 3, ...hour }, expected: 'one of hold, pause, outage and force, not hold and force' },
    { name: 'no end', body: { hold: true, reason: 'sale' }, expected: undefined },
    { name: 'no reason', body: { hold: true, ttlSeconds: 60 }, expected: undefined },
    { name: 'an end that is past', body: { hold: true, ...hour, ttlSeconds: 0 }, expected: undefined },
    { name: 'replicas that are none', body: { force: -1, ...hour }, expected: undefined }
  ])('refuses one with $name', async ({ body, expected }) => {
    const { errors } = expectProblem(await post(body), { status: 400, code: 'invalid-request' }) as { errors: { expected: string }[] }
    expect(errors).not.toEqual([])
    if (expected !== undefined) expect(errors[0].expected).toBe(expected)
    expect(test.fakes.overrides.size).toBe(0)
  })

  it('knows no service that nobody has mentioned', async () => {
    expectProblem(await post({ hold: true, ...hour }, '/v1/services/nobody/overrides'), { status: 404, code: 'unknown-service' })
  })
})

describe('GET and DELETE of overrides', () => {
  it('show what is in force, and lift what was set here', async () => {
    const { body: { override } } = await post({ pause: true, ...hour })
    const shown = await call(test.app, 'GET', path)
    expect(shown.body).toEqual({
      overrides: [{ kind: 'force', replicas: 3, reason: 'thrift' }, override],
      // Twelve run.
      contradictions: ['OverridesContradict: Forced (thrift) asks for 3, Paused (sale) for 12; the most replicas count']
    })
    expect((await call(test.app, 'DELETE', `${path}/${override.id}`)).status).toBe(204)
    expect(test.fakes.audit[0]).toMatchObject({ changes: { lifted: { kind: 'pause' } } })
    expectProblem(await call(test.app, 'DELETE', `${path}/${override.id}`), { status: 404, code: 'not-found' })
    expect((await call(test.app, 'GET', path)).body['overrides']).toHaveLength(1)
  })

  it('know no service that nobody has mentioned', async () => {
    expectProblem(await call(test.app, 'GET', '/v1/services/nobody/overrides'), { status: 404, code: 'unknown-service' })
  })
})
