import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, createTestApp, decisionOf, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => {
  test = await createTestApp()
  test.fakes.decisions.set('shop', decisionOf('shop'))
})
afterEach(() => test.close())

describe('Datadog\'s WatermarkPodAutoscaler', () => {
  /** What protojson writes for `recommender: { url, targetType: load, lowWatermark: 150m, highWatermark: 400m, settings }`. */
  const request = {
    state: { desiredReplicas: 12, currentReplicas: 12, readyReplicas: 11 },
    targets: [{ type: 'load', lowerBound: 0.15, upperBound: 0.4 }],
    targetRef: { kind: 'Deployment', name: 'shop', apiVersion: 'apps/v1', namespace: 'prod', cluster: 'eu' },
    constraints: { minReplicas: 4, maxReplicas: 40 }
  }
  const ask = (body: object) => call(test.app, 'POST', '/v1/recommendations/wpa', body, { 'user-agent': 'wpa-controller', 'content-type': 'application/json' })

  it('gets the replicas in the fields that its parser knows, and in no others', async () => {
    const { status, body } = await ask(request)
    expect({ status, body }).toEqual({ status: 200, body: { timestamp: '2026-11-20T11:59:30.000Z', targetReplicas: 14, reason: expect.any(String) } })
  })

  it('may name another service in its settings', async () => {
    test.fakes.decisions.set('mail', decisionOf('mail', { replicas: 6 }))
    expect((await ask({ ...request, settings: { service: 'mail' } })).body['targetReplicas']).toBe(6)
  })

  it('gets anything but a 200 when there is no opinion', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop', { validUntil: now }))
    expectProblem(await ask(request), { status: 503, code: 'no-opinion' })
  })
})

describe('custom-pod-autoscaler', () => {
  const evaluation = JSON.stringify({
    metrics: [{ resource: 'shop', value: '{"cpu": 0.5}' }],
    resource: { kind: 'Deployment', apiVersion: 'apps/v1', metadata: { name: 'shop', namespace: 'prod', labels: { app: 'shop' } }, spec: { replicas: 12 } },
    runType: 'scaler'
  })
  const answer = { statusCode: 200, body: '{"targetReplicas":14}' }

  it('sends its evaluation as a body without a content type', async () => {
    expect(await test.app.inject({ method: 'POST', url: '/v1/recommendations/cpa', payload: Buffer.from(evaluation), headers: { 'transfer-encoding': 'chunked' } })).toMatchObject(answer)
  })

  it('sends it as the parameter "value" with parameterMode query', async () => {
    for (const method of ['GET', 'POST'] as const) {
      expect(await test.app.inject({ method, url: `/v1/recommendations/cpa?value=${encodeURIComponent(evaluation)}` })).toMatchObject(answer)
    }
  })

  it('means the service that its configured address names', async () => {
    test.fakes.decisions.set('mail', decisionOf('mail', { replicas: 6 }))
    expect(await test.app.inject({ method: 'POST', url: '/v1/recommendations/cpa?service=mail', payload: Buffer.from(evaluation) })).toMatchObject({ body: '{"targetReplicas":6}' })
  })

  it('gets an error when there is no opinion, or nothing that it could be about', async () => {
    const ask = (body: string) => call(test.app, 'POST', '/v1/recommendations/cpa', Buffer.from(body))
    expectProblem(await ask('{"resource":{"metadata":{"name":"nobody"}}}'), { status: 404, code: 'unknown-service' })
    expectProblem(await ask('{"resource":{}}'), { status: 400, code: 'invalid-request' })
    expectProblem(await ask(''), { status: 400, code: 'invalid-request' })
  })
})

describe('pods with watt-extra', () => {
  const runtimeId = '3f0e5a0c-6a5e-4bd1-8d7e-0d6f0c4c0001'
  const applicationId = '7d1c9c3a-0a8d-4b83-9c0a-b1d5a1f40002'
  /** One batch of 5 s: heap in MB, size of the heap in bytes. */
  const batch = {
    applicationId,
    runtimeId,
    batchStartedAt: now - 5000,
    signals: {
      main: {
        elu: { options: { threshold: 0.8 }, workers: { 'main:0': { values: [[now - 2000, 0.61], [now - 1000, 0.72]] } } },
        heap: { options: { threshold: 300, heapTotal: 419_430_400 }, workers: { 'main:0': { values: [[now - 1000, 210]] } } }
      }
    }
  }
  const headers = { authorization: 'Bearer test-token' }
  beforeEach(async () => {
    await test.close()
    test = await createTestApp(`services: { shop: { match: { job: ${applicationId} }, signals: watt } }`)
  })

  it('send signals, which become points of the service that matches the application', async () => {
    expect(await call(test.app, 'POST', '/signals', batch, headers)).toMatchObject({ status: 200, body: { alerts: [] } })
    const target = [['job', applicationId], ['instance', runtimeId]]
    const labels = [...target, ['application', 'main'], ['worker', 'main:0']]
    expect(test.fakes.queued).toEqual([{
      kind: 'points',
      service: 'shop',
      points: [
        { metric: 'watt_event_loop_utilization_ratio', labels, at: now - 2000, value: 0.61 },
        { metric: 'watt_event_loop_utilization_ratio', labels, at: now - 1000, value: 0.72 },
        { metric: 'watt_heap_used_bytes', labels, at: now - 1000, value: 210 * 1024 * 1024 },
        { metric: 'watt_heap_total_bytes', labels, at: now - 1000, value: 419_430_400 },
        { metric: 'up', labels: target, at: now - 1000, value: 1 }
      ]
    }])
  })

  it('tell when they are ready and when they go', async () => {
    for (const path of ['/connect', '/ready', '/disconnect']) expect((await call(test.app, 'POST', path, { applicationId, runtimeId, timestamp: now }, headers)).status).toBe(200)
    expect(test.fakes.queued.map((envelope) => envelope.kind === 'points' && envelope.points.map(({ metric, value }) => [metric, value]))).toEqual([[['up', 1]], [['up', 0]]])
  })

  it('are received also when no service wants them, and told to come again when the queue is full', async () => {
    expect((await call(test.app, 'POST', '/signals', { ...batch, applicationId: 'other' })).body).toEqual({ alerts: [] })
    expect(test.fakes.queued).toEqual([])
    test.fakes.overloaded = true
    expectProblem(await call(test.app, 'POST', '/signals', batch), { status: 503, code: 'overloaded' })
  })

  it('are refused when what they send is no batch, or of another time', async () => {
    expectProblem(await call(test.app, 'POST', '/signals', { ...batch, signals: { main: { elu: { workers: { a: { values: [['x', 1]] } } } } } }), { status: 400, code: 'invalid-request' })
    expectProblem(await call(test.app, 'POST', '/ready', { applicationId, runtimeId, timestamp: 1 }), { status: 400, code: 'invalid-request' })
  })
})
