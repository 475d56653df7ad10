import { describe, expect, test } from 'vitest'
import { compileCheck } from '../../src/schema-check.ts'
import type { Point } from '../../src/domain.ts'
import { assemble } from '../../src/ingest/assemble.ts'
import { bucketQuantile } from '../../src/ingest/formulas.ts'
import { compilePattern } from '../../src/ingest/label-match.ts'
import { checkMatch, checkSignals, resolveSignals, signalsSchema, type SignalMapping } from '../../src/ingest/mapping.ts'
import { series } from '../support/series.ts'

/** What two scrapes, at 10 and 25 s, make of the step that ends at 30 s. */
function signalsOf (mappings: SignalMapping[], scrapes: (at: number) => Point[]) {
  const points = [...scrapes(10), ...scrapes(25), series('up')(31, 1)]
  return assemble(null, points, mappings, { service: 'shop', stepSeconds: 30, lateSeconds: 0 }).samples.at(-1)?.signals
}

describe('a mapping', () => {
  const pods = (at: number) => [2, 4, 9].map((value, i) => series('threads', { pod: String(i) })(at, value))
  const aggregates = [
    { aggregate: undefined, expected: 15 }, { aggregate: 'sum', expected: 15 }, { aggregate: 'mean', expected: 5 },
    { aggregate: 'max', expected: 9 }, { aggregate: 'min', expected: 2 }, { aggregate: 'count', expected: 3 }
  ] as const

  test.each(aggregates)('aggregates instances: $aggregate of 2, 4 and 9 is $expected', ({ aggregate, expected }) => {
    expect(signalsOf([{ signal: 'threadCount', metric: 'threads', kind: 'gauge', aggregate }], pods)).toEqual({ threadCount: expected })
  })

  test('divides, scales and complements, in this order', () => {
    const memory = (at: number) => [series('free')(at, 30), series('total')(at, 60)]
    const mapping: SignalMapping = { signal: 'memoryUsageRatio', metric: 'free', kind: 'gauge', per: { metric: 'total', kind: 'gauge' }, scale: 0.5, complement: true }
    // 1 − 0.5 × 30 / 60
    expect(signalsOf([mapping], memory)).toEqual({ memoryUsageRatio: 0.75 })
  })

  test('has no value where it would divide by zero', () => {
    const mapping: SignalMapping = { signal: 'x', metric: 'a', kind: 'gauge', per: { metric: 'b', kind: 'gauge' } }
    expect(signalsOf([mapping], (at) => [series('a')(at, 1), series('b')(at, 0)])).toEqual({})
  })

  test('of a part of its own metric is 0 while that part does not exist yet, and missing while the whole does not', () => {
    const errors: SignalMapping = { signal: 'errorRatio', metric: 'req', match: { code: '/5../' }, kind: 'counter', per: { metric: 'req', kind: 'counter' } }
    expect(signalsOf([errors], (at) => [series('req', { code: '200' })(at, 9 * at)])).toEqual({ errorRatio: 0 })
    expect(signalsOf([errors], (at) => [series('req', { code: '200' })(at, 9 * at), series('req', { code: '503' })(at, at)])).toEqual({ errorRatio: 0.1 })
    expect(signalsOf([errors], (at) => [series('other')(at, at)])).toEqual({})
  })

  test('reads the mean and a quantile of a histogram, merged over instances', () => {
    const scrape = (at: number) => ['a', 'b'].flatMap((instance) => [
      series('lat_bucket', { instance, le: '0.1' })(at, 10 * at), series('lat_bucket', { instance, le: '1' })(at, 20 * at),
      series('lat_bucket', { instance, le: '+Inf' })(at, 20 * at), series('lat_sum', { instance })(at, 5 * at), series('lat_count', { instance })(at, 20 * at)
    ])
    const mappings: SignalMapping[] = [
      { signal: 'responseTimeSeconds', metric: 'lat', kind: 'histogram' }, { signal: 'slow', metric: 'lat', kind: 'histogram', quantile: 0.75 }
    ]
    // mean 5 / 20; the 75 % lie in the middle of (0.1, 1]: 0.1 + 0.9 / 2
    expect(signalsOf(mappings, scrape)).toEqual({ responseTimeSeconds: 0.25, slow: 0.55 })
  })

  test('of a histogram without observations is missing, because no time was measured', () => {
    const idle = (at: number) => [series('lat_sum')(at, 5), series('lat_count')(at, 20)]
    expect(signalsOf([{ signal: 'responseTimeSeconds', metric: 'lat', kind: 'histogram' }], idle)).toEqual({})
  })

  test('with a regular expression reads several metrics', () => {
    const disk = (at: number) => [series('disk_read_bytes')(at, 10 * at), series('disk_written_bytes')(at, 5 * at), series('disk_other')(at, at)]
    expect(signalsOf([{ signal: 'diskIoBytesPerSecond', metric: '/disk_(read|written)_bytes/', kind: 'counter' }], disk)).toEqual({ diskIoBytesPerSecond: 15 })
  })

  test('that comes first wins, and the next one stands in where it has no value', () => {
    const mappings: SignalMapping[] = [{ signal: 'x', metric: 'absent', kind: 'gauge' }, { signal: 'x', metric: 'b', kind: 'gauge' }, { signal: 'x', metric: 'c', kind: 'gauge' }]
    expect(signalsOf(mappings, (at) => [series('b')(at, 1), series('c')(at, 2)])).toEqual({ x: 1 })
  })
})

describe('a pattern', () => {
  test.each([
    { pattern: 'idle', matches: ['idle'], others: ['', 'idle2'] },
    { pattern: '!idle', matches: ['', 'user'], others: ['idle'] },
    { pattern: '/a|b/', matches: ['a', 'b'], others: ['ab', 'xa', ''] },
    { pattern: '!/|POD/', matches: ['web', 'PODS'], others: ['', 'POD'] },
    { pattern: '/5../', matches: ['503'], others: ['5', '200', '5033'] },
    { pattern: '', matches: [''], others: ['a'] },
    { pattern: '/', matches: ['/'], others: [''] },
    { pattern: '/.+/', matches: ['a\nb'], others: [''] }
  ])('$pattern matches the whole text', ({ pattern, matches, others }) => {
    expect(matches.filter(compilePattern(pattern))).toEqual(matches)
    expect(others.filter(compilePattern(pattern))).toEqual([])
  })

  test.each([
    { pattern: '/(a+)+/', why: 'a group is repeated' }, { pattern: '/(a|ab)*c/', why: 'a group is repeated' },
    { pattern: '/a*b*c*d*/', why: 'repeats 4 times' }, { pattern: '/(?=a)a/', why: 'look-around' }, { pattern: '/(a)\\1/', why: 'back reference' },
    { pattern: '/(/', why: 'cannot be used' }, { pattern: `/${'a'.repeat(257)}/`, why: 'longer than 256' }, { pattern: '!/[/', why: 'cannot be used' }
  ])('$pattern is refused', ({ pattern, why }) => {
    expect(() => compilePattern(pattern)).toThrow(why)
  })
})

describe('the setting', () => {
  test('resolves presets, and what is written out comes before them', () => {
    const own: SignalMapping = { signal: 'requestsPerSecond', metric: 'mine', kind: 'counter' }
    const resolved = resolveSignals(['http', own])
    expect(resolved[0]).toBe(own)
    expect(resolved.length).toBe(resolveSignals('http').length + 1)
  })

  test.each([
    { setting: 'nodejs' }, { setting: [] }, { setting: ['http', { signal: 'queueLength', metric: 'jobs', kind: 'gauge' }] }
  ])('$setting is valid', ({ setting }) => {
    expect(compileCheck(signalsSchema)(setting)).toEqual([])
  })

  test.each([
    { setting: 'apache', path: '' }, { setting: [{ signal: '__proto__', metric: 'x', kind: 'gauge' }], path: '[0].signal' },
    { setting: [{ signal: 'x', metric: 'x', kind: 'rate' }], path: '[0].kind' }, { setting: [{ signal: 'x', metric: 'x', kind: 'gauge', agregate: 'sum' }], path: '[0].agregate' }
  ])('$setting is not valid', ({ setting, path }) => {
    expect(compileCheck(signalsSchema)(setting).map((detail) => detail.path)).toContain(path)
  })

  test('is told what a schema cannot see, each place by its path', () => {
    const details = checkSignals([
      'http',
      { signal: 'a', metric: '/(/', kind: 'gauge', quantile: 0.5 },
      { signal: 'b', metric: 'x', match: { code: '/[/' }, kind: 'histogram', aggregate: 'mean', per: { metric: 'y', kind: 'gauge', match: { z: '/*/' } } }
    ], 'signals')
    expect(details.map(({ path }) => path)).toEqual([
      'signals[1].metric', 'signals[1].quantile', 'signals[2].match.code', 'signals[2].per.match.z', 'signals[2].aggregate'
    ])
    expect(checkMatch({ job: 'shop', pod: '/(/' }, 'match').map(({ path }) => path)).toEqual(['match.pod'])
  })
})

describe('the quantile of buckets', () => {
  test.each([
    { name: 'lies within the first bucket, which begins at 0', buckets: [[1, 10], [Infinity, 10]], quantile: 0.5, expected: 0.5 },
    { name: 'is the first bound when that is not above 0', buckets: [[-1, 10], [Infinity, 10]], quantile: 0.5, expected: -1 },
    { name: 'is the highest finite bound when it lies above it', buckets: [[1, 1], [2, 2], [Infinity, 10]], quantile: 0.9, expected: 2 },
    { name: 'is unknown without a bucket +Inf', buckets: [[1, 1], [2, 2]], quantile: 0.5, expected: null },
    { name: 'is unknown without observations', buckets: [[1, 0], [Infinity, 0]], quantile: 0.5, expected: null },
    { name: 'is unknown with one bucket', buckets: [[Infinity, 10]], quantile: 0.5, expected: null },
    // 90 % of 10 is 9: made cumulative, the buckets are 4, 8, 8, 10, the 9th lies in (3, 4]
    { name: 'bears rates that are not quite cumulative', buckets: [[1, 4], [2, 8], [3, 7.9], [4, 10], [Infinity, 10]], quantile: 0.9, expected: 3.5 }
  ] as { name: string, buckets: [number, number][], quantile: number, expected: number | null }[])('$name', ({ buckets, quantile, expected }) => {
    expect(bucketQuantile(new Map(buckets), quantile)).toBe(expected)
  })
})
