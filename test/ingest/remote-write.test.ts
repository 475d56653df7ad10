import fc from 'fast-check'
import snappy from 'snappyjs'
import { describe, expect, test } from 'vitest'
import { PrescaleError } from '../../src/errors.ts'
import { decodeWriteRequest, type WriteLimits } from '../../src/ingest/remote-write.ts'
import { bytes, compress, encodeV1, encodeV2, message, v1Headers, v2Headers, varint, type SeriesToWrite } from '../support/remote-write-encoder.ts'

const encoders = { 1: encodeV1, 2: encodeV2 }
const headers = { 1: v1Headers, 2: v2Headers }

function decode (body: Uint8Array, version: 1 | 2 = 1, limits: Partial<WriteLimits> = {}) {
  return decodeWriteRequest({ body, contentType: headers[version]['content-type'], contentEncoding: 'snappy', limits })
}

const cpu: SeriesToWrite = { labels: [['__name__', 'cpu'], ['instance', 'a']], samples: [{ at: 1000, value: 1.5 }, { at: 2000, value: 'stale' }] }
const job: SeriesToWrite = { labels: [['__name__', 'up'], ['job', 'ü']], samples: [{ at: -1, value: 0 }] }

describe.each([1, 2] as const)('version %i', (version) => {
  const encode = encoders[version]

  test('gives points in order of time, with staleness markers as such', () => {
    expect(decode(encode([cpu, job]), version)).toEqual({
      version,
      points: [
        { metric: 'up', labels: [['job', 'ü']], at: -1, value: 0 },
        { metric: 'cpu', labels: [['instance', 'a']], at: 1000, value: 1.5 },
        { metric: 'cpu', labels: [['instance', 'a']], at: 2000, value: NaN, stale: true }
      ],
      written: { samples: 3, histograms: 0, exemplars: 0 },
      invalid: { count: 0, firstReason: null }
    })
  })

  test('counts histograms and exemplars, which are understood and not used', () => {
    const { points, written } = decode(encode([{ ...cpu, histograms: 2, exemplars: 3 }]), version)
    expect(points).toHaveLength(2)
    expect(written).toEqual({ samples: 2, histograms: 2, exemplars: 3 })
  })

  test('accepts a request without series, and a series without samples', () => {
    expect(decode(encode([]), version).points).toEqual([])
    expect(decode(encode([{ labels: cpu.labels }]), version)).toMatchObject({ points: [], invalid: { count: 0 } })
  })

  test('keeps labels called __proto__ and drops those without a value', () => {
    const labels = [['__name__', 'a'], ['__proto__', 'x'], ['empty', '']] as const
    expect(decode(encode([{ labels, samples: [{ at: 1, value: 1 }] }]), version).points[0].labels).toEqual([['__proto__', 'x']])
  })

  test.each([
    { name: 'no name', labels: [['a', 'b']], reason: 'no label __name__' },
    { name: 'an empty name', labels: [['__name__', ''], ['a', 'b']], reason: 'no label __name__' },
    { name: 'no labels', labels: [], reason: 'no label __name__' },
    { name: 'unsorted labels', labels: [['__name__', 'x'], ['b', '1'], ['a', '1']], reason: 'not sorted: a follows b' },
    { name: 'a label twice', labels: [['__name__', 'x'], ['b', '1'], ['b', '2']], reason: 'the label b is there twice' },
    { name: 'an empty label name', labels: [['', '1'], ['__name__', 'x']], reason: 'a label name is empty' },
    { name: 'too many labels', labels: [['__name__', 'x'], ['a', '1'], ['b', '1'], ['c', '1']], reason: 'limit labelsPerSeries' },
    { name: 'far too many labels', labels: [['__name__', 'x'], ...Array.from({ length: 40 }, (_, i) => [`l${String(i).padStart(3, '0')}`, '1'])], reason: 'labelsPerSeries' },
    { name: 'a long value', labels: [['__name__', 'x'], ['a', 'x'.repeat(21)]], reason: 'a name or label value has 21 characters; the limit labelValueLength is 20' }
  ] as { name: string, labels: [string, string][], reason: string }[])('$name makes a series invalid, and the others are kept', ({ labels, reason }) => {
    const bad = { labels, samples: [{ at: 1, value: 1 }, { at: 2, value: 1 }], histograms: 1, exemplars: 1 }
    const { points, written, invalid } = decode(encode([bad, cpu]), version, { labelsPerSeries: 2, labelValueLength: 20 })
    expect(points).toHaveLength(2)
    expect(written).toEqual({ samples: 2, histograms: 0, exemplars: 0 })
    expect(invalid).toEqual({ count: 3, firstReason: expect.stringContaining(reason) })
  })

  test('refuses more samples than the limit, naming it', () => {
    expect(() => decode(encode([cpu]), version, { samplesPerRequest: 1 })).toThrow(expect.objectContaining({ code: 'limit-exceeded', message: expect.stringContaining('samplesPerRequest') }))
  })

  test('values that are no measurements are treated as an end of the series', () => {
    const body = encode([{ labels: [['__name__', 'x']], samples: [NaN, Infinity, -Infinity].map((value, at) => ({ at, value })) }])
    expect(decode(body, version).points.map(({ stale }) => stale)).toEqual([true, true, true])
  })

  test('any change of a body gives a request or a PrescaleError', () => {
    const plain = snappy.uncompress(encode([{ ...cpu, histograms: 1, exemplars: 1 }, job]))
    const edits = fc.array(fc.record({ at: fc.nat(plain.length - 1), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 })
    fc.assert(fc.property(edits, fc.nat(plain.length), fc.boolean(), (list, cut, inside) => {
      const body = Buffer.from(inside ? plain : encode([cpu, job]))
      for (const { at, byte } of list) body[at % body.length] = byte
      try {
        decode(inside ? compress(body.subarray(0, cut)) : body, version)
      } catch (error) {
        expect(error).toBeInstanceOf(PrescaleError)
      }
    }), { numRuns: 2000 })
  })

  test('what is encoded is decoded as it was', () => {
    const label = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((text) => !/\p{Surrogate}/u.test(text) && text > '__name__')
    const labels = fc.uniqueArray(fc.tuple(label, label), { selector: ([name]) => name, maxLength: 5 })
      .map((list) => list.sort(([a], [b]) => a < b ? -1 : 1))
    const sample = fc.record({ at: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), value: fc.double({ noNaN: true, noDefaultInfinity: true }) })
    const all = fc.array(fc.record({ labels, samples: fc.array(sample, { maxLength: 3 }) }), { maxLength: 5 })
    fc.assert(fc.property(all, (list) => {
      const { points } = decode(encode(list.map(({ labels, samples }) => ({ labels: [['__name__', 'x'], ...labels], samples }))), version)
      const expected = list.flatMap(({ labels, samples }) => samples.map((one) => ({ metric: 'x', labels, ...one })))
      expect(points).toEqual(expected.sort((a, b) => a.at - b.at))
    }))
  })
})

describe('headers', () => {
  const read = (contentType: string | undefined, contentEncoding: string | undefined = 'snappy') => decodeWriteRequest({ body: encodeV1([]), contentType, contentEncoding }).version

  test.each([
    { contentType: undefined, version: 1 }, { contentType: 'application/x-protobuf', version: 1 }, { contentType: 'Application/X-Protobuf', version: 1 },
    { contentType: 'application/x-protobuf;proto=prometheus.WriteRequest', version: 1 },
    { contentType: 'application/x-protobuf; proto=io.prometheus.write.v2.Request', version: 2 },
    { contentType: 'application/x-protobuf; charset=x; proto="io.prometheus.write.v2.Request"', version: 2 }
  ])('$contentType is version $version', ({ contentType, version }) => {
    expect(read(contentType)).toBe(version)
  })

  test.each([
    'application/json', 'image/png', 'text/plain', 'application/x-protobuf;proto=io.prometheus.write.v3.Request', 'application/x-protobuf;proto=', 'application/x-protobuf;proto=constructor',
    'application/json;proto=prometheus.WriteRequest'
  ])('content type %s is 415', (contentType) => {
    expect(() => read(contentType)).toThrow(expect.objectContaining({ code: 'unsupported-media-type', status: 415 }))
  })

  test.each(['gzip', 'deflate', 'identity', 'snappy, gzip'])('content encoding %s is 415', (contentEncoding) => {
    expect(() => read('application/x-protobuf', contentEncoding)).toThrow(expect.objectContaining({ code: 'unsupported-media-type', status: 415 }))
  })

  test('content encoding may be absent or in capitals', () => {
    expect(read('application/x-protobuf', '')).toBe(1)
    expect(read('application/x-protobuf', 'Snappy')).toBe(1)
  })
})

describe('damaged bodies', () => {
  const invalid = expect.objectContaining({ code: 'invalid-request', status: 400 })

  test('of which the first byte is changed are 400, whatever it becomes', () => {
    const body = encodeV1([cpu, job])
    for (let byte = 0; byte < 256; byte++) {
      if (byte === body[0]) continue
      const damaged = Buffer.from(body)
      damaged[0] = byte
      expect(() => decode(damaged)).toThrow(invalid)
    }
  })

  test('that end early are 400', () => {
    const body = encodeV1([cpu, job])
    for (let length = 0; length < body.length; length++) expect(() => decode(body.subarray(0, length))).toThrow(invalid)
  })

  test.each([
    { name: 'a field number 0', plain: Buffer.from([0, 0]) },
    { name: 'a group', plain: varint(1 * 8 + 3) },
    { name: 'a number of 11 bytes', plain: Buffer.concat([varint(9 * 8), Buffer.alloc(10, 0xff), Buffer.from([1])]) },
    { name: 'a length beyond the end', plain: Buffer.concat([varint(1 * 8 + 2), varint(100)]) },
    { name: 'a huge length', plain: Buffer.concat([varint(1 * 8 + 2), varint(2n ** 63n)]) },
    { name: 'a field beyond its message', plain: message(1, [Buffer.concat([varint(1 * 8 + 2), varint(5)])]) },
    { name: 'a series that is a number', plain: Buffer.concat([varint(1 * 8), varint(1)]) },
    { name: 'a value that is no double', plain: message(1, [message(2, [varint(1 * 8), varint(1)])]) },
    { name: 'half a double', plain: message(1, [message(2, [varint(1 * 8 + 1), Buffer.alloc(4)])]) },
    { name: 'half of a field of 32 bits', plain: Buffer.concat([varint(9 * 8 + 5), Buffer.alloc(2)]) }
  ])('with $name are 400', ({ plain }) => {
    expect(() => decode(compress(plain))).toThrow(invalid)
  })

  test('are not those with fields that we do not know', () => {
    const unknown = Buffer.concat([varint(99 * 8), varint(7), varint(98 * 8 + 1), Buffer.alloc(8), varint(97 * 8 + 5), Buffer.alloc(4), bytes(96, 'x')])
    const plain = Buffer.from(snappy.uncompress(encodeV1([cpu])))
    expect(decode(compress(Buffer.concat([unknown, plain, unknown]))).points).toHaveLength(2)
    expect(decode(encodeV1([], { metadata: 3 }))).toMatchObject({ points: [], written: { samples: 0 } })
  })

  test('a label that is not UTF-8 makes its series invalid, one that holds U+FFFD does not', () => {
    const label = (value: Buffer) => message(1, [bytes(1, 'a'), bytes(2, value)])
    const body = (value: Buffer) => compress(message(1, [message(1, [bytes(1, '__name__'), bytes(2, 'x')]), label(value), message(2, [])]))
    expect(decode(body(Buffer.from([0xff])))).toMatchObject({ points: [], invalid: { count: 1, firstReason: 'a label is not valid UTF-8' } })
    expect(decode(body(Buffer.from('\ufffd'))).points[0].labels).toEqual([['a', '\ufffd']])
  })
})

describe('version 2', () => {
  const invalid = expect.objectContaining({ code: 'invalid-request' })
  const series = (references: Buffer) => message(5, [bytes(1, references), message(2, [])])
  const references = (...list: number[]) => Buffer.concat(list.map(varint))
  const table = ['', '__name__', 'x'].map((symbol) => bytes(4, symbol))

  test('needs an empty first symbol', () => {
    expect(() => decode(encodeV2([cpu], { symbols: ['x'] }), 2)).toThrow(invalid)
  })

  test.each([{ name: 'an odd number of references', list: [1, 2, 0] }, { name: 'a reference beyond the table', list: [1, 3] }])('$name makes a series invalid', ({ list }) => {
    const body = compress(Buffer.concat([...table, series(references(...list)), series(references(1, 2))]))
    expect(decode(body, 2)).toMatchObject({ points: [{ metric: 'x' }], invalid: { count: 1 } })
  })

  test('reads references one by one, and symbols that come last', () => {
    const unpacked = message(5, [varint(1 * 8), varint(1), varint(1 * 8), varint(2), message(2, [])])
    expect(decode(compress(Buffer.concat([unpacked, ...table])), 2).points).toMatchObject([{ metric: 'x' }])
  })

  test('recognises a body of version 1 under its name', () => {
    expect(() => decode(encodeV1([cpu]), 2)).toThrow('field 1 is reserved, as if this were remote write 1.0')
  })

  test('is recognised under the name of version 1, where it would be a body without series', () => {
    expect(() => decode(encodeV2([cpu]), 1)).toThrow('field 4 belongs to remote write 2.0')
  })

  test('limits its table', () => {
    const body = compress(Buffer.concat(Array.from({ length: 9 }, () => bytes(4, ''))))
    expect(() => decode(body, 2, { samplesPerRequest: 2 })).toThrow('more than 8 symbols')
  })
})

describe('large bodies', () => {
  const tooLarge = expect.objectContaining({ code: 'body-too-large', status: 413 })

  test('are refused by their length on the wire', () => {
    expect(() => decode(encodeV1([cpu]), 1, { bodyBytes: 10 })).toThrow(tooLarge)
  })

  test('are refused by the length that they declare, before anything is allocated', () => {
    expect(() => decode(Buffer.concat([varint(2 ** 32 - 1), Buffer.from([0, 0])]), 1)).toThrow(tooLarge)
    expect(() => decode(Buffer.concat([varint(2 ** 25 + 1), Buffer.from([0, 0])]), 1)).toThrow('has 33554433 bytes; the limit decodedBytes is 33554432')
  })

  test('are refused when they declare less than they hold, or more', () => {
    const zeros = compress(Buffer.alloc(1000))
    const rest = zeros.subarray(2)
    expect(() => decode(Buffer.concat([varint(10), rest]))).toThrow('declares 10 bytes and holds more')
    expect(() => decode(Buffer.concat([varint(2000), rest]))).toThrow('declares 2000 bytes and holds 1000')
    expect(() => decode(varint(2n ** 40n) as Buffer)).toThrow('more than 32 bits')
  })

  test('are refused when their elements are damaged', () => {
    expect(() => decode(Buffer.from([4, 0b101, 1]))).toThrow('reaches 1 back where 0 bytes are')
    expect(() => decode(Buffer.from([5, 0, 65, 0b10, 0, 0]))).toThrow('reaches 0 back')
    expect(() => decode(Buffer.from([1, 240, 0, 65]))).toThrow('not in the usual form')
  })
})
