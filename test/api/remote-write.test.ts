import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeV1, encodeV2, v1Headers, v2Headers, type SeriesToWrite } from '../support/remote-write-encoder.ts'
import { call, createTestApp, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('services: { shop: { match: { job: shop }, signals: http } }\nlimits: { services: 3 }') })
afterEach(() => test.close())

const series = (value: number | 'stale', { at = now, labels = [] as [string, string][] } = {}): SeriesToWrite => ({
  labels: [['__name__', 'http_requests_total'], ['job', 'shop'], ...labels], samples: [{ at, value }]
})
const write = (body: Buffer, headers: Record<string, string> = v1Headers) => call(test.app, 'POST', '/api/v1/write', body, headers)
const written = ({ headers }: Awaited<ReturnType<typeof call>>) => ['samples', 'histograms', 'exemplars'].map((kind) => Number(headers[`x-prometheus-remote-write-${kind}-written`]))

describe('POST /api/v1/write', () => {
  it('takes version 1.0 with an empty 204, and queues the points of the services that want them', async () => {
    const answer = await write(encodeV1([series(7), { labels: [['__name__', 'unwanted'], ['job', 'shop']], samples: [{ at: now, value: 1 }] }]))
    expect({ status: answer.status, text: answer.text }).toEqual({ status: 204, text: '' })
    expect(test.fakes.queued).toEqual([{ kind: 'points', service: 'shop', points: [expect.objectContaining({ metric: 'http_requests_total', value: 7, at: now })] }])
  })

  it('takes version 2.0 and tells how much was written; what no service reads counts, because there is nothing to repeat', async () => {
    const answer = await write(encodeV2([series(7), { labels: [['__name__', 'unwanted']], samples: [{ at: now, value: 1 }], exemplars: 2 }]), v2Headers)
    expect(answer.status).toBe(204)
    expect(written(answer)).toEqual([2, 0, 2])
  })

  it('keeps the first series of a service and refuses those over the limit, which it names', async () => {
    const small = await createTestApp('services: { shop: { match: { job: shop }, signals: http } }\nlimits: { seriesPerService: 2 }')
    const body = encodeV1(['a', 'b', 'c'].map((path) => series(1, { labels: [['path', path]] })))
    const answer = await call(small.app, 'POST', '/api/v1/write', body, v1Headers)
    expect(expectProblem(answer, { status: 400, code: 'limit-exceeded' })['detail']).toContain('limits.seriesPerService')
    expect(small.fakes.queued).toMatchObject([{ service: 'shop', points: [{ labels: expect.arrayContaining([['path', 'a']]) }, { labels: expect.arrayContaining([['path', 'b']]) }] }])
    await small.close()
  })

  it('passes on that a series has ended', async () => {
    await write(encodeV1([series('stale')]))
    expect(test.fakes.queued[0]).toMatchObject({ points: [{ stale: true }] })
  })

  it('takes an empty request, as metadata come in', async () => {
    expect((await write(encodeV1([], { metadata: 3 }))).status).toBe(204)
  })

  it('is 415 for another type, encoding or message, 400 for a damaged body; the headers of what was written are there', async () => {
    const body = encodeV1([series(7)])
    const bad = Buffer.from(body)
    bad[0] ^= 0xff
    const cases: [Buffer, Record<string, string>, number][] = [
      [body, { ...v1Headers, 'content-type': 'application/json' }, 415],
      [body, { ...v1Headers, 'content-type': 'image/png' }, 415],
      [body, { ...v1Headers, 'content-type': 'application/x-protobuf;proto=io.prometheus.write.v3.Request' }, 415],
      [body, { ...v1Headers, 'content-encoding': 'gzip' }, 415],
      [bad, v1Headers, 400]
    ]
    for (const [payload, headers, status] of cases) {
      const answer = await write(payload, headers)
      expect({ status: answer.status, written: written(answer) }).toEqual({ status, written: [0, 0, 0] })
    }
    expect(test.fakes.queued).toEqual([])
  })

  it('refuses samples of the future and of long ago with 400, and keeps the others', async () => {
    const answer = await write(encodeV2([series(1), series(2, { at: now + 3_600_000, labels: [['pod', 'a']] }), series(3, { at: now - 172_800_000, labels: [['pod', 'b']] })]), v2Headers)
    const { detail } = expectProblem(answer, { status: 400, code: 'limit-exceeded' })
    expect(detail).toContain('2 of 3 samples were refused')
    expect(written(answer)[0]).toBe(1)
    expect(test.fakes.queued).toHaveLength(1)
    expect(await test.telemetry.registry.metrics()).toContain('prescale_rejected_total{source="remote-write",reason="time"} 2')
  })

  it('refuses duplicate label names', async () => {
    expectProblem(await write(encodeV1([series(1, { labels: [['job', 'shop']] })])), { status: 400, code: 'invalid-request' })
  })

  it('is not confused by labels that mean something to JavaScript', async () => {
    const labels: [string, string][] = [['__name__', 'http_requests_total'], ['__proto__', 'x'], ['job', 'shop']]
    expect((await write(encodeV1([{ labels, samples: [{ at: now, value: 1 }] }]))).status).toBe(204)
    expect(test.fakes.queued[0]).toMatchObject({ points: [{ labels: expect.arrayContaining([['__proto__', 'x']]) }] })
  })

  it('is 503 when the queue is full, never 429, which Prometheus takes as the end of a batch', async () => {
    test.fakes.overloaded = true
    const answer = await write(encodeV1([series(7)]))
    expectProblem(answer, { status: 503, code: 'overloaded' })
    expect(written(answer)).toEqual([0, 0, 0])
  })

  it('is 413 for a body over the limit, and for one that claims to unpack to more than its limit', async () => {
    const small = await createTestApp('limits: { bodyBytes: 1024, decodedBytes: 2048 }')
    const post = (body: Buffer) => call(small.app, 'POST', '/api/v1/write', body, v1Headers)
    const large = await post(Buffer.alloc(1025))
    expectProblem(large, { status: 413, code: 'body-too-large' })
    expect(written(large)).toEqual([0, 0, 0])
    // A snappy block begins with the length that it unpacks to: here 2^32 - 1.
    expectProblem(await post(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0])), { status: 413, code: 'body-too-large' })
    await small.close()
  })

  it('knows at once what a service that was just put wants', async () => {
    await call(test.app, 'PUT', '/v1/services/cart', { signals: [{ signal: 'queueLength', metric: 'jobs_waiting', kind: 'gauge' }] })
    await write(encodeV1([{ labels: [['__name__', 'jobs_waiting'], ['job', 'cart']], samples: [{ at: now, value: 3 }] }]))
    expect(test.fakes.queued).toMatchObject([{ kind: 'points', service: 'cart', points: [{ metric: 'jobs_waiting', value: 3 }] }])
  })

  it('discovers services by a label, up to the limit', async () => {
    const discovering = await createTestApp('sources: { remoteWrite: { serviceLabel: app, signals: http } }\nlimits: { services: 2 }')
    const body = encodeV1(['a', 'b', 'c'].map((app) => ({ labels: [['__name__', 'http_requests_total'], ['app', app]], samples: [{ at: now, value: 1 }] })))
    const answer = await call(discovering.app, 'POST', '/api/v1/write', body, v1Headers)
    expect(expectProblem(answer, { status: 400, code: 'limit-exceeded' })['detail']).toContain('limits.services')
    expect(discovering.fakes.queued.map(({ service }) => service)).toEqual(['a', 'b'])
    await discovering.close()
  })

  it('can be turned off', async () => {
    const off = await createTestApp('sources: { remoteWrite: { enabled: false } }')
    expectProblem(await call(off.app, 'POST', '/api/v1/write', encodeV1([]), v1Headers), { status: 404, code: 'not-found' })
    await off.close()
  })
})
