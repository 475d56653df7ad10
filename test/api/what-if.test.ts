import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, createTestApp, decisionOf, expectProblem, now } from './support.ts'

const shop = 'services: { shop: { target: { requestsPerSecond: 70 }, minReplicas: 2, maxReplicas: 40, startUpSeconds: 120 } }'
const minute = 60_000
/** A day of minutes: 300 requests/s, and 1,400 for ten minutes of each hour; one replica carries 100. */
const loads = Float64Array.from({ length: 1440 }, (_, i) => i % 60 >= 20 && i % 60 < 30 ? 1400 : 300)

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => {
  test = await createTestApp(shop)
  test.fakes.decisions.set('shop', decisionOf('shop', { capacity: 70, load: 300 }))
  test.fakes.loads.set('shop', { stepSeconds: 60, startAt: now - 1439 * minute, loads })
})
afterEach(() => test.close())
const ask = (body: unknown, service = 'shop') => call(test.app, 'POST', `/v1/services/${service}/what-if`, body)

describe('POST /v1/services/{service}/what-if', () => {
  it('replays the last hours with the present settings, with others, and with HPA', async () => {
    const { status, body } = await ask({ hours: 6, settings: { minReplicas: 14 } })

    expect(status).toBe(200)
    expect(body).toMatchObject({ service: 'shop', from: now - 360 * minute, to: now, hours: 6, stepSeconds: 60, modelVersion: 'none' })
    // Fourteen replicas carry everything.
    expect(body['changed']).toMatchObject({ violationRatio: 0, violationMinutes: 0, worstHour: null, money: null })
    expect(body['changed'].instanceHours).toBeGreaterThanOrEqual(6 * 14)
    expect(body['present'].violationRatio).toBeGreaterThan(0.05)
    expect(body['hpa'].violationRatio).toBeGreaterThan(0.05)
    expect(body['present'].instanceHours).toBeLessThan(6 * 14)
  })

  it('gives series to plot, of bounded length, which hide no peak', async () => {
    const { body: { series } } = await ask({ hours: 24 })

    // 1,440 steps in at most 720 points.
    for (const column of ['at', 'load', 'present', 'changed', 'hpa']) expect(series[column]).toHaveLength(720)
    expect(series.at.slice(-2)).toEqual([now - 2 * minute, now])
    expect(Math.max(...series.load)).toBeCloseTo(1400, -1)
    expect(series.changed).toEqual(series.present)
  })

  it('prices what comes of it', async () => {
    const { body } = await ask({ hours: 2, settings: { objective: { costPerReplicaHour: 2, costPerViolationMinute: 1 } } })

    expect(body['present'].money).toBeNull()
    expect(body['changed'].money.total).toBeCloseTo(2 * body['changed'].instanceHours + body['changed'].violationMinutes)
  })

  it('reaches back as far as loads are kept', async () => {
    test.fakes.loads.set('shop', { stepSeconds: 60, startAt: now - 29 * minute, loads: loads.slice(0, 30) })
    expect((await ask({ hours: 336 })).body).toMatchObject({ from: now - 30 * minute, hours: 0.5 })
  })

  it.each([
    { body: { hours: 0 }, path: 'hours' },
    { body: { hours: 1000 }, path: 'hours' },
    { body: { settings: { minReplicas: 50 } }, path: 'settings.minReplicas' },
    { body: { settings: { mode: 'act' } }, path: 'settings.mode' },
    { body: { settings: { startUpSeconds: -1 } }, path: 'settings.startUpSeconds' },
    { body: { settings: { objective: { costPerReplicaHour: 1 } } }, path: 'settings.objective' }
  ])('refuses $body', async ({ body, path }) => {
    const problem = expectProblem(await ask(body), { status: 400, code: 'invalid-request' })
    expect(problem['errors'].map((error: { path: string }) => error.path).join()).toContain(path)
  })

  it('has nothing to say of a service without loads or capacity, or that nobody knows', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop', { capacity: null }))
    expectProblem(await ask({}), { status: 503, code: 'no-opinion' })
    test.fakes.loads.clear()
    expectProblem(await ask({}), { status: 503, code: 'no-opinion' })
    expectProblem(await ask({}, 'bakery'), { status: 404, code: 'unknown-service' })
  })

  it('lets a few wait, and sends the others away', async () => {
    const statuses = await Promise.all(Array.from({ length: 7 }, async () => (await ask({ hours: 1 })).status))
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(4)
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThanOrEqual(1)
  })
})
