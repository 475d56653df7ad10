import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTokenList, parseTokens } from '../../src/access/tokens.ts'
import { parseLabelSelector, selects } from '../../src/api/kubernetes/label-selector.ts'
import { parseQuery, parseSelector } from '../../src/api/prometheus/parser.ts'
import { readConfigText } from '../../src/config-file.ts'
import { checkSettings } from '../../src/config-service.ts'
import type { Point } from '../../src/domain.ts'
import { assemble } from '../../src/ingest/assemble.ts'
import { parseExposition } from '../../src/ingest/exposition.ts'
import { compilePattern } from '../../src/ingest/label-match.ts'
import { resolveSignals } from '../../src/ingest/mapping.ts'
import { pollServices } from '../../src/ingest/poll.ts'
import { decodeWriteRequest } from '../../src/ingest/remote-write.ts'
import { uncompress } from '../../src/ingest/snappy.ts'
import { readModelFile, writeModelFile } from '../../src/ml/model-file.ts'
import { parsePosition } from '../../src/store/stream-position.ts'
import { bytes, compress, encodeV1, encodeV2, message, v1Headers, v2Headers, varint, type SeriesToWrite } from '../support/remote-write-encoder.ts'
import { damaged, heapBytes, longEnough, parsesOrRefuses, runs, tolerableGrowthBytes, wordy } from './fuzz.ts'

const now = Date.UTC(2026, 10, 20, 12)
let heapBefore: number
beforeAll(() => { heapBefore = heapBytes() })
afterAll(() => { expect(heapBytes() - heapBefore).toBeLessThan(tolerableGrowthBytes) })

const names = ['http_requests_total', 'up', '__proto__', 'constructor', 'le', 'quantile', 'job']
const numbers = ['0', '1', '-1', '1e308', '1e400', 'NaN', '+Inf', '-Inf', '0x10', '1_000', '٣', '9007199254740993', '-0', '1e-400', '.']
const label = fc.oneof(fc.constantFrom(...names), fc.string({ unit: 'binary', maxLength: 8 }))

describe('any text for an exposition', () => {
  const line = wordy([...names, ...numbers, '{', '}', '"', '\\', '\\n', '=', ',', ' ', '\t', '\n', '\r\n', '# HELP ', '# TYPE ', '# UNIT ', '# EOF', 'counter', 'gauge', 'histogram', 'summary', '_bucket', '_sum', '_created', ' # {', '1700000000000'], { maxLength: 30 })
  const sound = '# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\nhttp_requests_total{code="200",path="/a\\"b\\\\c\\n"} 1027 1700000000000\n# TYPE d histogram\nd_bucket{le="0.1"} 1\nd_bucket{le="+Inf"} 2\nd_sum 3\nd_count 2\n'
  const soundOpenMetrics = '# TYPE http_requests counter\n# UNIT http_requests requests\nhttp_requests_total{code="200"} 1027 1700000000.5 # {trace_id="a"} 1.0 1700000000.1\nhttp_requests_created 1\n# TYPE d histogram\nd_bucket{le="0.1"} 1\nd_bucket{le="+Inf"} 2\nd_sum 3\nd_count 2\n# EOF\n'
  for (const [format, base] of [['text', sound], ['openmetrics', soundOpenMetrics]] as const) {
    test(`is read as ${format}, or refused`, () => {
      fc.assert(fc.property(line, (text) => { parsesOrRefuses(() => parseExposition(text, { format, at: now })) }), runs(8_000))
    }, longEnough)

    test(`that was sound ${format} and is damaged is read, or refused`, () => {
      fc.assert(fc.property(damaged(fc.constant(Buffer.from(base))), (text) => { parsesOrRefuses(() => parseExposition(text, { format, at: now })) }), runs(8_000))
    }, longEnough)
  }
})

describe('any bytes for a remote write', () => {
  const series: fc.Arbitrary<SeriesToWrite> = fc.record({
    labels: fc.array(fc.tuple(label, label), { maxLength: 5 }).map((labels) => [['__name__', 'up'] as [string, string], ...labels]),
    samples: fc.array(fc.record({ at: fc.maxSafeInteger(), value: fc.oneof(fc.double(), fc.constant('stale' as const)) }), { maxLength: 4 }),
    histograms: fc.nat({ max: 2 }),
    exemplars: fc.nat({ max: 2 })
  })
  const headersOf = (version: 1 | 2) => version === 1 ? v1Headers : v2Headers
  const decode = (body: Buffer, version: 1 | 2) => {
    const headers = headersOf(version)
    return decodeWriteRequest({ body, contentType: headers['content-type'], contentEncoding: headers['content-encoding'] })
  }
  for (const version of [1, 2] as const) {
    const encoded = fc.array(series, { maxLength: 4 }).map((list) => version === 1 ? encodeV1(list) : encodeV2(list))
    const plain = encoded.map((body) => Buffer.from(uncompress(body, 2 ** 25)))

    test(`in version ${version} that were sound and are damaged before they are compressed are read, or refused`, () => {
      fc.assert(fc.property(damaged(plain), (body) => { parsesOrRefuses(() => decode(compress(body), version)) }), runs(6_000))
    }, longEnough)

    test(`in version ${version} that are damaged after they were compressed are read, or refused`, () => {
      fc.assert(fc.property(damaged(encoded), (body) => { parsesOrRefuses(() => decode(body, version)) }), runs(5_000))
    }, longEnough)

    test(`in version ${version} that were never protobuf are read, or refused`, () => {
      fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (body) => { parsesOrRefuses(() => decode(compress(Buffer.from(body)), version)) }), runs(4_000))
    }, longEnough)
  }

  test('nested and lengthened at will are read, or refused', () => {
    const part: fc.Arbitrary<Buffer> = fc.letrec<{ node: Buffer }>((tie) => ({
      node: fc.oneof({ maxDepth: 4 },
        fc.uint8Array({ maxLength: 12 }).map((content) => Buffer.from(content)),
        fc.tuple(fc.nat({ max: 40 }), fc.array(tie('node'), { maxLength: 4 })).map(([field, parts]) => message(field, parts)),
        fc.tuple(fc.nat({ max: 40 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })).map(([field, length]) => Buffer.concat([varint(field * 8 + 2), varint(length)])),
        fc.nat({ max: 40 }).map((field) => bytes(field, 'text')))
    })).node
    fc.assert(fc.property(part, fc.constantFrom<1 | 2>(1, 2), (body, version) => { parsesOrRefuses(() => decode(compress(body), version)) }), runs(5_000))
  }, longEnough)

  test('that claim to be large are refused before anything is allocated for them', () => {
    const lengths = fc.bigInt({ min: 0n, max: 2n ** 40n }).map((length) => varint(length))
    const bodies = fc.tuple(lengths, fc.uint8Array({ maxLength: 40 })).map((parts) => Buffer.concat(parts))
    fc.assert(fc.property(bodies, (body) => { parsesOrRefuses(() => uncompress(body, 65_536)) }), runs(6_000))
  }, longEnough)
})

test('any points make samples whose values are finite and whose times ascend', () => {
  const point: fc.Arbitrary<Point> = fc.record({
    metric: fc.constantFrom('http_requests_total', 'http_request_duration_seconds_bucket', 'http_request_duration_seconds_count', 'up'),
    labels: fc.array(fc.tuple(label, fc.oneof(fc.constantFrom('0.1', '1', '+Inf', 'NaN', 'a'), label)), { maxLength: 3 }),
    at: fc.integer({ min: now - 600_000, max: now + 600_000 }),
    value: fc.oneof(fc.double(), fc.double({ noNaN: true, min: 0, max: 1e6 }))
  })
  const mappings = resolveSignals('http')
  fc.assert(fc.property(fc.array(fc.array(point, { maxLength: 12 }), { maxLength: 3 }), (batches) => {
    let series = null
    let last = -Infinity
    for (const points of batches) {
      const assembled = assemble(series, points, mappings, { service: 'shop', stepSeconds: 30, lateSeconds: 5 })
      series = assembled.series
      for (const { at, signals } of assembled.samples) {
        expect(at).toBeGreaterThan(last)
        last = at
        for (const value of Object.values(signals)) expect(Number.isFinite(value)).toBe(true)
      }
    }
  }), runs(2_000))
}, longEnough)

describe('any text', () => {
  const promql = wordy([...names, ...numbers, 'prescale_replicas', 'service', '{', '}', '(', ')', '[', ']', '5m', '1h30m', '=', '!=', '=~', '!~', '"shop"', '\'x\'', '`y`', ',', ' ', 'sum', 'max', 'by', 'without', 'offset', 'max_over_time', 'vector', '+', '-', '*', '/', '==', '>', 'bool', 'or', 'unless', '"(a+)+$"', '".*.*.*.*"'])
  test('is a query, or refused', () => {
    fc.assert(fc.property(promql, (text) => {
      parsesOrRefuses(() => parseQuery(text))
      parsesOrRefuses(() => parseSelector(text))
    }), runs(6_000))
  }, longEnough)

  test('is a selector of labels, or refused', () => {
    const selector = wordy(['a', 'service', 'app.kubernetes.io/name', '=', '==', '!=', ' in ', ' notin ', '(', ')', ',', '!', ' ', '__proto__'], { maxLength: 20 })
    fc.assert(fc.property(selector, (text) => { parsesOrRefuses(() => selects(parseLabelSelector(text), { service: 'shop' })) }), runs(8_000))
  }, longEnough)

  test('is a pattern for labels that answers at once, or refused', () => {
    const pattern = wordy(['a', 'b', '.', '*', '+', '?', '(', ')', '(?:', '(?=', '[', ']', '^', '$', '|', '\\1', '\\d', '{2,}', '{1,999}', '!', '/'])
    const subject = fc.oneof(fc.constant('a'.repeat(1024)), fc.constant('ab'.repeat(512)), fc.string({ maxLength: 100 }))
    fc.assert(fc.property(pattern, subject, (text, value) => { parsesOrRefuses(() => compilePattern(`/${text}/`)(value)) }), runs(6_000))
  }, longEnough)

  test('is a place in the stream, or null', () => {
    const place = fc.oneof(wordy(['_', '-', '.', 'a', 'zzzzzzzzz', '0', 'lx2k', '9'], { maxLength: 24 }), fc.string())
    fc.assert(fc.property(place, (text) => {
      const position = parsePosition(text, 4)
      expect(position === null || position.every(({ ms, seq }) => Number.isSafeInteger(ms) && ms >= 0 && Number.isSafeInteger(seq))).toBe(true)
    }), runs(8_000))
  }, longEnough)

  test('is a file of tokens, or refused, and no other token is ever found in it', () => {
    const sound = Buffer.from(JSON.stringify([{ name: 'a', sha256: 'a'.repeat(64), scopes: ['read'], services: ['a-*'] }]))
    fc.assert(fc.property(damaged(fc.constant(sound)), fc.string(), (text, token) => {
      parsesOrRefuses(() => { expect(createTokenList(parseTokens(text.toString(), 'tokens')).find(token)).toBeNull() })
    }), runs(4_000))
  }, longEnough)

  test('is a configuration, or refused with every error at its place', () => {
    const words = ['services:', '\n', ' ', '  ', 'shop:', 'a', '{', '}', '[', ']', ': ', '- ', '&x', '*x', '<<: ', '!!js/function ', '"', "'", '|', '>', '__proto__: ', 'minReplicas: ', '1', '-1', '1e999', 'target: ', 'auto', 'null', '~', '? ', '# ', '%YAML 1.1', '---', 'signals: ', 'http', 'match: ', 'limits: ', 'services: 3']
    fc.assert(fc.property(wordy(words, { maxLength: 25 }), (text) => {
      parsesOrRefuses(() => {
        const { file, details } = readConfigText(text, 'prescale.yaml')
        if (details.length === 0) for (const settings of Object.values(file.services ?? {})) checkSettings(settings, {}, 'x')
      })
    }), runs(3_000))
  }, longEnough)
})

test('any bytes for a model are refused in a sentence, or hold what they held before', () => {
  const sound = Buffer.from(writeModelFile({ kind: 'test', features: ['a', 'b'], meta: { x: 1 }, sections: { y: Float64Array.of(1, 2, 3), z: Int32Array.of(1) } }))
  fc.assert(fc.property(fc.oneof(damaged(fc.constant(sound)), fc.uint8Array({ maxLength: 100 }).map((content) => Buffer.from(content))), (content) => {
    parsesOrRefuses(() => readModelFile(new Uint8Array(content), 'test'), ['model-format'])
  }), runs(3_000))
}, longEnough)

test('any answer of a Prometheus makes samples, or a reason why there are none', async () => {
  const value = fc.tuple(fc.oneof(fc.double(), fc.constant(now / 1000), fc.string()), fc.oneof(fc.constantFrom(...numbers), fc.jsonValue()))
  const result = fc.array(fc.record({ metric: fc.oneof(fc.dictionary(label, label, { maxKeys: 3 }), fc.constant({ job: 'shop' }), fc.jsonValue()), value: fc.oneof(value, fc.jsonValue()) }, { requiredKeys: [] }), { maxLength: 3 })
  const answer = fc.oneof(
    fc.record({ status: fc.constantFrom('success', 'error', 'x'), data: fc.record({ resultType: fc.constantFrom('vector', 'matrix', 'scalar'), result: fc.oneof(result, fc.jsonValue()) }) }),
    fc.jsonValue()
  ).map((body) => JSON.stringify(body))
  const text = fc.oneof({ weight: 9, arbitrary: answer }, { weight: 1, arbitrary: fc.string() })
  await fc.assert(fc.asyncProperty(text, fc.constantFrom(200, 204, 400, 500), async (body, status) => {
    const fetchBytes = async () => ({ status, contentType: 'application/json', body: Buffer.from(body) })
    const source = { url: 'http://prometheus', timeoutSeconds: 1, maxBytes: 1e6, serviceLabel: 'job', signals: { requestsPerSecond: 'x' } }
    try {
      const { samples } = await pollServices(source, { at: now, fetchBytes })
      for (const { signals } of samples) for (const one of Object.values(signals)) expect(Number.isFinite(one)).toBe(true)
    } catch (error) {
      expect(error).toMatchObject({ name: 'PrescaleError', code: expect.stringMatching(/^(?:source-unreachable|invalid-request)$/) })
    }
  }), runs(4_000))
}, longEnough)
