import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, createTestApp, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('limits: { services: 2, decodedBytes: 8192 }') })
afterEach(() => test.close())
const post = (body: unknown, headers: Record<string, string> = {}) => call(test.app, 'POST', '/v1/samples', body, headers)
const sample = (more: object = {}) => ({ service: 'shop', at: now, signals: { requestsPerSecond: 120 }, ...more })

describe('POST /v1/samples', () => {
  it('takes one sample, a list, and a list under a name; 202 comes when the queue has them', async () => {
    for (const body of [sample(), [sample()], { samples: [sample()] }]) {
      const { status, body: answer } = await post(body)
      expect({ status, answer }).toEqual({ status: 202, answer: { accepted: 1, rejected: 0, errors: [] } })
    }
    expect(test.fakes.queued).toHaveLength(3)
    expect(test.fakes.queued[0]).toEqual({ kind: 'samples', service: 'shop', samples: [sample()] })
  })

  it('repeats of what it refuses only the begin, and says a number without end by its name', async () => {
    const { errors } = expectProblem(await post(sample({ service: 'x'.repeat(5000) })), { status: 400, code: 'invalid-request' })
    expect(errors![0]).toMatchObject({ path: 'samples[0].service', value: `${'x'.repeat(256)}… (5000 characters)` })
    const wide = sample({ signals: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`s${i}`, i])) })
    expect(JSON.stringify(expectProblem(await post(wide), { status: 400, code: 'invalid-request' })).length).toBeLessThan(1000)

    const endless = await call(test.app, 'POST', '/v1/samples', '{ "service": "shop", "signals": { "requestsPerSecond": 1e999 } }', { 'content-type': 'application/json' })
    expect(expectProblem(endless, { status: 400, code: 'invalid-request' })['errors']).toEqual([
      { path: 'samples[0].signals.requestsPerSecond', value: 'Infinity', expected: 'a finite number' }
    ])
  })

  it('reads a time as text, and takes now where none is given', async () => {
    await post([sample({ at: '2026-11-20T11:59:00Z' }), { service: 'shop', signals: {} }])
    expect(test.fakes.queued[0]).toMatchObject({ samples: [{ at: now - 60_000 }, { at: now }] })
  })

  it('sends the samples of a service together and by time, so that none makes another stale', async () => {
    await post([sample({ at: now }), sample({ service: 'cart' }), sample({ at: now - 1000 })])
    expect(test.fakes.queued.map((envelope) => [envelope.service, envelope.kind === 'samples' && envelope.samples.map(({ at }) => at)])).toEqual([
      ['shop', [now - 1000, now]], ['cart', [now]]
    ])
  })

  it('takes the good ones of a batch and names what is wrong with the others', async () => {
    const { status, body } = await post([
      sample(),
      sample({ service: '-' }),
      sample({ signals: { RequestsPerSecond: 1 } }),
      sample({ at: now + 61_000 }),
      sample({ at: now - 86_401_000 }),
      sample({ at: Math.floor(now / 1000) }),
      'what?'
    ])
    expect(status).toBe(202)
    expect(body).toMatchObject({ accepted: 1, rejected: 6 })
    expect(body['errors'].map(({ path, expected }: { path: string, expected: string }) => `${path}: ${expected}`)).toEqual([
      expect.stringMatching(/^samples\[1\]\.service: the name of a service/),
      expect.stringMatching(/^samples\[2\]\.signals\.RequestsPerSecond: signals by name/),
      expect.stringMatching(/^samples\[3\]\.at: at most 60 s ahead .*limits\.futureSampleSeconds/),
      expect.stringMatching(/^samples\[4\]\.at: at most 86400 s old \(limits\.oldestSampleSeconds\)$/),
      expect.stringMatching(/^samples\[5\]\.at: .*this looks like seconds/),
      expect.stringMatching(/^samples\[6\]: a sample such as/)
    ])
    expect(await test.telemetry.registry.metrics()).toContain('prescale_rejected_total{source="push",reason="time"} 3')
  })

  it('is 400 when nothing was taken', async () => {
    const { errors } = expectProblem(await post(sample({ signals: { requestsPerSecond: 'many' } })), { status: 400, code: 'invalid-request' })
    expect(errors).toEqual([{ path: 'samples[0].signals.requestsPerSecond', value: 'many', expected: 'a finite number' }])
    expect(test.fakes.queued).toEqual([])
  })

  it('says how many signals are too many, and does not send them back', async () => {
    const signals = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`s${i}`, 1]))
    const { errors } = expectProblem(await post(sample({ signals }), {}), { status: 400, code: 'invalid-request' })
    expect(errors).toEqual([{ path: 'samples[0].signals', value: '300 keys', expected: expect.stringMatching(/^at most 256 keys; signals by name/) }])
  })

  it('takes a sample with a key samples that is no list for a wrong sample', async () => {
    expectProblem(await post({ service: 'shop', samples: 0 }), { status: 400, code: 'invalid-request' })
  })

  it('refuses numbers that are too large for a number', async () => {
    const answer = await post('{"service":"shop","signals":{"requestsPerSecond":1e999}}', { 'content-type': 'application/json' })
    expect(expectProblem(answer, { status: 400, code: 'invalid-request' })['errors'][0]).toMatchObject({ path: 'samples[0].signals.requestsPerSecond', expected: 'a finite number' })
  })

  it('refuses names that mean something to JavaScript', async () => {
    for (const body of ['{"service":"__proto__","signals":{}}', '{"service":"shop","signals":{"__proto__":1}}', '{"service":"shop","signals":{},"__proto__":{"at":1}}']) {
      expectProblem(await post(body, { 'content-type': 'application/json' }), { status: 400, code: 'invalid-request' })
    }
    expect(({} as Record<string, unknown>)['at']).toBeUndefined()
  })

  it('bounds the number of services, and names the limit', async () => {
    expect((await post([sample({ service: 'a' }), sample({ service: 'b' })])).status).toBe(202)
    const { errors } = expectProblem(await post(sample({ service: 'c' })), { status: 400, code: 'limit-exceeded' })
    expect(errors).toEqual([{ path: 'samples[0].service', value: 'c', expected: 'at most 2 services (limits.services)' }])
    expect((await post(sample({ service: 'a' }))).status).toBe(202)
  })

  it('is 503 when the queue is full or Redis is away, never 429', async () => {
    test.fakes.overloaded = true
    const answer = await post(sample())
    expectProblem(answer, { status: 503, code: 'overloaded' })
    expect(answer.headers['retry-after']).toBe('5')
    test.fakes.down = true
    expectProblem(await post(sample()), { status: 503, code: 'store-unavailable' })
  })
})

describe('bodies', () => {
  const json = { 'content-type': 'application/json' }
  it('may be gzipped', async () => {
    expect((await post(gzipSync(JSON.stringify(sample())), { ...json, 'content-encoding': 'gzip' })).status).toBe(202)
  })

  it('are refused when they unpack to more than the limit', async () => {
    // 1 MB of spaces is about 1 kB of gzip; the limit here is 2,048 bytes.
    const bomb = gzipSync(' '.repeat(1_000_000))
    expect(bomb.length).toBeLessThan(2048)
    expect(expectProblem(await post(bomb, { ...json, 'content-encoding': 'gzip' }), { status: 413, code: 'body-too-large' })['detail']).toContain('limits.decodedBytes')
  })

  it('are refused when they are larger than the limit on the wire', async () => {
    const small = await createTestApp('limits: { bodyBytes: 1024 }')
    expectProblem(await call(small.app, 'POST', '/v1/samples', 'x'.repeat(1025), json), { status: 413, code: 'body-too-large' })
    await small.close()
  })

  it('are refused when they are not what their headers say', async () => {
    expect(expectProblem(await post('{"service":', json), { status: 400, code: 'invalid-request' })['detail']).toMatch(/not JSON/)
    expectProblem(await post('', json), { status: 400, code: 'invalid-request' })
    expectProblem(await post('not gzip', { ...json, 'content-encoding': 'gzip' }), { status: 400, code: 'invalid-request' })
    expectProblem(await post('x', { ...json, 'content-encoding': 'br' }), { status: 415, code: 'unsupported-media-type' })
    expectProblem(await post('service=shop', { 'content-type': 'application/x-www-form-urlencoded' }), { status: 415, code: 'unsupported-media-type' })
    expectProblem(await post('null', json), { status: 400, code: 'invalid-request' })
  })
})
