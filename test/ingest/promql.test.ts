import { describe, expect, onTestFinished, test } from 'vitest'
import { createOutbound } from '../../src/ingest/outbound.ts'
import { pollHistory, pollServices } from '../../src/ingest/poll.ts'
import { queryInstant, queryRange, rangeChunks } from '../../src/ingest/promql.ts'
import { openServer, readAll } from '../support/http-server.ts'

interface Asked { readonly path: string, readonly form: Record<string, string> }
type Answer = { status?: number, body: unknown }

/** A server of Prometheus' HTTP API that answers what the test says and remembers what it was asked. */
async function prometheus (answer: (asked: Asked) => Answer) {
  const asked: Asked[] = []
  const { url } = await openServer(async (request, response) => {
    const form = Object.fromEntries(new URLSearchParams((await readAll(request)).toString()))
    asked.push({ path: `${request.method} ${request.url}`, form })
    const { status = 200, body } = answer(asked.at(-1)!)
    response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const outbound = createOutbound()
  onTestFinished(() => outbound.close())
  return { server: { url, timeoutSeconds: 5, maxBytes: 1_000_000 }, asked, fetchBytes: outbound.fetchBytes }
}

const success = (resultType: string, result: unknown) => ({ body: { status: 'success', data: { resultType, result } } })

describe('an instant query', () => {
  const at = 1_700_000_000_123

  test('is a form, and its values are texts', async () => {
    const { server, asked, fetchBytes } = await prometheus(() => success('vector', [
      { metric: { __name__: 'up', __proto__x: 'y' }, value: [1_700_000_000.123, '1'] }, { metric: {}, value: [1_700_000_000.123, 'NaN'] },
      { metric: { a: '1' }, value: [1_700_000_000.123, '+Inf'] }, { metric: { a: '2' }, value: [1_700_000_000.123, '-Inf'] }, { metric: { a: '3' }, histogram: [1, {}] }
    ]))
    expect(await queryInstant({ ...server, url: `${server.url}/prefix/` }, 'up{a="b"}', { at, fetchBytes })).toEqual([
      { labels: [['__name__', 'up'], ['__proto__x', 'y']], values: [[at, 1]] }, { labels: [], values: [[at, NaN]] },
      { labels: [['a', '1']], values: [[at, Infinity]] }, { labels: [['a', '2']], values: [[at, -Infinity]] }
    ])
    expect(asked).toEqual([{ path: 'POST /prefix/api/v1/query', form: { query: 'up{a="b"}', time: '1700000000.123', timeout: '5s' } }])
  })

  test('may give a scalar, or a label called __proto__', async () => {
    const scalar = await prometheus(() => success('scalar', [5, '1.5']))
    expect(await queryInstant(scalar.server, '1.5', { at, fetchBytes: scalar.fetchBytes })).toEqual([{ labels: [], values: [[5000, 1.5]] }])
    const strange = await prometheus(() => ({ body: '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__proto__":"x"},"value":[1,"2"]}]}}' }))
    expect(await queryInstant(strange.server, 'x', { at, fetchBytes: strange.fetchBytes })).toEqual([{ labels: [['__proto__', 'x']], values: [[1000, 2]] }])
  })

  test.each([
    { name: 'a bad query', answer: { status: 400, body: { status: 'error', errorType: 'bad_data', error: 'parse error' } }, code: 'invalid-request', message: 'bad_data: parse error' },
    { name: 'a query that cannot be executed', answer: { status: 422, body: { status: 'error', errorType: 'execution', error: 'too many samples' } }, code: 'invalid-request', message: 'too many samples' },
    { name: 'a timeout', answer: { status: 503, body: { status: 'error', errorType: 'timeout', error: 'query timed out' } }, code: 'source-unreachable', message: 'timed out' },
    { name: 'a page of a proxy', answer: { status: 502, body: '<html>' }, code: 'source-unreachable', message: 'status 502 and no answer of the Prometheus API' },
    { name: 'another API', answer: { body: '[]' }, code: 'source-unreachable', message: 'no answer of the Prometheus API' },
    { name: 'null', answer: { body: 'null' }, code: 'source-unreachable', message: 'no answer' },
    { name: 'a result of text', answer: success('string', [1, 'x']), code: 'source-unreachable', message: 'type string' },
    { name: 'a value that is no text', answer: success('vector', [{ metric: {}, value: [1, 2] }]), code: 'source-unreachable', message: 'the value [1,2]' },
    { name: 'a value that is no number', answer: success('vector', [{ metric: {}, value: [1, 'x'] }]), code: 'source-unreachable', message: 'the value [1,"x"]' }
  ])('tells of $name', async ({ answer, code, message }) => {
    const { server, fetchBytes } = await prometheus(() => answer)
    await expect(queryInstant(server, 'x', { at, fetchBytes })).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
  })

  test('tells of a server that is not there', async () => {
    const { server, fetchBytes } = await prometheus(() => success('vector', []))
    await expect(queryInstant({ ...server, url: 'http://127.0.0.1:1' }, 'x', { at, fetchBytes })).rejects.toMatchObject({ code: 'source-unreachable' })
  })
})

describe('a range', () => {
  test('is cut below 11 000 points, on whole steps, without gap or overlap', () => {
    const chunks = rangeChunks({ from: 30_001, to: 30_000 * 25_000 + 17, stepSeconds: 30 })
    expect(chunks).toEqual([
      { from: 30_000, to: 30_000 * 11_000 }, { from: 30_000 * 11_001, to: 30_000 * 22_000 }, { from: 30_000 * 22_001, to: 30_000 * 25_000 }
    ])
    expect(chunks.every(({ from, to }) => (to - from) / 30_000 + 1 <= 11_000)).toBe(true)
  })

  test('of one step is one point, and one that ends before it begins is none', () => {
    expect(rangeChunks({ from: 60_000, to: 60_000, stepSeconds: 60 })).toEqual([{ from: 60_000, to: 60_000 }])
    expect(rangeChunks({ from: 60_000, to: 59_999, stepSeconds: 60 })).toEqual([])
  })

  test('joins the parts of each series', async () => {
    const { server, asked, fetchBytes } = await prometheus(({ form }) => success('matrix', [
      { metric: { a: '1', b: '2' }, values: [[Number(form.start), '1'], [Number(form.end), '2']] },
      ...(form.start === '0.000' ? [{ metric: { a: '3' }, values: [[0, '9']] }] : [])
    ]))
    expect(await queryRange(server, 'x', { from: 0, to: 12_000_000, stepSeconds: 1, fetchBytes })).toEqual([
      { labels: [['a', '1'], ['b', '2']], values: [[0, 1], [10_999_000, 2], [11_000_000, 1], [12_000_000, 2]] }, { labels: [['a', '3']], values: [[0, 9]] }
    ])
    expect(asked.map(({ path, form: { start, end, step } }) => [path, start, end, step])).toEqual([
      ['POST /api/v1/query_range', '0.000', '10999.000', '1'], ['POST /api/v1/query_range', '11000.000', '12000.000', '1']
    ])
  })
})

describe('polling', () => {
  const signals = { requestsPerSecond: 'rps', errorRatio: 'errors' }

  test('makes a sample for each service; what a query does not give is missing', async () => {
    const at = 60_000
    const row = (app: string, value: string) => ({ metric: { app }, value: [60, value] })
    const { server, fetchBytes } = await prometheus(({ form }) => success('vector', form.query === 'rps'
      ? [row('shop', '12'), row('cart', '3'), row('..', '1'), { metric: {}, value: [60, '1'] }, row('cart', '4')]
      : [row('shop', '0.5'), row('cart', 'NaN')]))
    expect(await pollServices({ ...server, serviceLabel: 'app', signals }, { at, fetchBytes })).toEqual({
      samples: [{ service: 'shop', at, signals: { requestsPerSecond: 12, errorRatio: 0.5 } }, { service: 'cart', at, signals: { requestsPerSecond: 3 } }],
      failed: [],
      ignored: 3
    })
  })

  test('goes on without a query that fails, and fails when all of them do', async () => {
    const bad = { status: 400, body: { status: 'error', errorType: 'bad_data', error: 'no' } }
    const some = await prometheus(({ form }) => form.query === 'rps' ? success('vector', [{ metric: { app: 'shop' }, value: [1, '2'] }]) : bad)
    const { samples, failed } = await pollServices({ ...some.server, serviceLabel: 'app', signals }, { at: 1000, fetchBytes: some.fetchBytes })
    expect(samples).toEqual([{ service: 'shop', at: 1000, signals: { requestsPerSecond: 2 } }])
    expect(failed).toEqual([{ signal: 'errorRatio', reason: expect.stringContaining('bad_data: no') }])
    const none = await prometheus(() => bad)
    await expect(pollServices({ ...none.server, serviceLabel: 'app', signals }, { at: 1000, fetchBytes: none.fetchBytes })).rejects.toMatchObject({ code: 'invalid-request' })
  })

  test('reads history in order of time', async () => {
    const { server, fetchBytes } = await prometheus(({ form }) => success('matrix', ['shop', 'cart'].map((app) => (
      { metric: { app }, values: form.query === 'rps' ? [[60, '1'], [120, '2']] : [[120, '0.1']] }))))
    const { samples } = await pollHistory({ ...server, serviceLabel: 'app', signals }, { from: 60_000, to: 120_000, stepSeconds: 60, fetchBytes })
    expect(samples.map(({ service, at, signals }) => [service, at, signals])).toEqual([
      ['shop', 60_000, { requestsPerSecond: 1 }], ['cart', 60_000, { requestsPerSecond: 1 }],
      ['shop', 120_000, { requestsPerSecond: 2, errorRatio: 0.1 }], ['cart', 120_000, { requestsPerSecond: 2, errorRatio: 0.1 }]
    ])
  })
})
