import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, createTestApp, decisionOf, expectProblem } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('services: { shop: { target: { requestsPerSecond: 100 }, maxReplicas: 40 } }') })
afterEach(() => test.close())
const post = (body: unknown) => call(test.app, 'POST', '/v1/recommendations', body)

describe('POST /v1/recommendations', () => {
  it('answers a WatermarkPodAutoscaler with the present decision, in its fields and no others', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop'))
    const { status, body } = await post({ targetRef: { kind: 'Deployment', namespace: 'prod', name: 'shop', apiVersion: 'apps/v1' }, state: { currentReplicas: 12 }, constraints: { minReplicas: 2, maxReplicas: 40 } })
    expect(status).toBe(200)
    expect(body).toEqual({ timestamp: '2026-11-20T11:59:30.000Z', targetReplicas: 14, reason: expect.stringContaining('probability 0.95') })
  })

  it('stays within the constraints and says so', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop'))
    const { body } = await post({ targetRef: { name: 'x' }, settings: { service: 'shop' }, constraints: { maxReplicas: 10 } })
    expect(body).toMatchObject({ targetReplicas: 10, reason: expect.stringContaining('10 replicas by the constraints of the request') })
  })

  it('is stateless where signals are sent: HPA\'s formula on them', async () => {
    // 1,150 requests/s at 100 for each replica; 12 would be within the tolerance of 10 % of 12, so they stay with 12.
    const { body } = await post({ targetRef: { name: 'shop' }, state: { currentReplicas: 12 }, signals: { requestsPerSecond: 1150 } })
    expect(body).toMatchObject({ targetReplicas: 12 })
    // 1,500 / 100 = 15, and at most max(12 + 4, 2 × 12) may be added at once.
    expect((await post({ targetRef: { name: 'shop' }, state: { currentReplicas: 12 }, signals: { requestsPerSecond: 1500 } })).body).toMatchObject({ targetReplicas: 15 })
    expect(test.fakes.reads).toBe(0)
  })

  it('takes the targets of the request, the highest proposal of several, for a service that nobody configured', async () => {
    const { body } = await post({
      targetRef: { name: 'other' },
      state: { readyReplicas: 4 },
      targets: [{ type: 'cpu', upperBound: 0.5 }, { type: 'queueLength', upperBound: 10 }],
      signals: { cpuUsageRatio: 0.6, queueLength: 70 }
    })
    // CPU: ceil(0.6 / 0.5 × 4) = 5; queue: 70 / 10 = 7.
    expect(body).toMatchObject({ targetReplicas: 7, observedTargets: [{ type: 'cpu', targetValue: 0.6 }, { type: 'queueLength', targetValue: 70 }] })
  })

  it('has no opinion where the signals are not enough, in the words of both protocols', async () => {
    const problem = expectProblem(await post({ targetRef: { name: 'shop' }, signals: { memoryUsageRatio: 0.5 } }), { status: 503, code: 'no-opinion' })
    expect(problem['error']).toEqual({ code: 503, message: problem['detail'] })
  })

  it('refuses what is not a request', async () => {
    const problem = expectProblem(await post({ state: {} }), { status: 400, code: 'invalid-request' })
    expect(problem).toMatchObject({ error: { code: 400 }, errors: [{ path: 'targetRef' }] })
  })
})
