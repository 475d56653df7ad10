import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Point, Sample } from '../../src/domain.ts'
import { assemble, type SeriesState } from '../../src/ingest/assemble.ts'
import type { SignalMapping } from '../../src/ingest/mapping.ts'

const mappings: SignalMapping[] = [
  { signal: 'requestsPerSecond', metric: 'requests_total', kind: 'counter' },
  { signal: 'errorRatio', metric: 'requests_total', match: { code: '/5../' }, kind: 'counter', per: { metric: 'requests_total', kind: 'counter' } },
  { signal: 'queueLength', metric: 'jobs', kind: 'gauge', aggregate: 'max' },
  { signal: 'responseTimeSeconds', metric: 'latency_seconds', kind: 'histogram', quantile: 0.9 },
  { signal: 'readyReplicas', metric: 'up', kind: 'gauge', aggregate: 'count' }
]

const labels = fc.record({ instance: fc.constantFrom('a', 'b', 'c'), code: fc.constantFrom('200', '500') })
const point: fc.Arbitrary<Point> = fc.record({
  metric: fc.constantFrom('requests_total', 'jobs', 'up', 'latency_seconds_bucket', 'unknown'),
  labels: labels.map(({ instance, code }) => [['instance', instance], ['code', code], ['le', code === '200' ? '0.5' : '+Inf']] as [string, string][]),
  at: fc.integer({ min: 0, max: 300_000 }),
  value: fc.integer({ min: 0, max: 1000 }),
  stale: fc.constantFrom(undefined, undefined, undefined, true)
})
/** Mostly ascending with some disorder, as several senders together are. */
const points = fc.array(point, { maxLength: 80 }).map((list) => list.sort((a, b) => Math.round(a.at / 20_000) - Math.round(b.at / 20_000)))
const settings = fc.record({ stepSeconds: fc.constantFrom(1, 10, 15, 60), lateSeconds: fc.constantFrom(0, 5, 30) })

function inBatches (list: readonly Point[], sizes: readonly number[], options: { stepSeconds: number, lateSeconds: number }) {
  let state: SeriesState | null = null
  let rejected = 0
  const samples: Sample[] = []
  for (let from = 0, i = 0; from < list.length; i++) {
    const size = sizes.length === 0 ? list.length : sizes[i % sizes.length]
    const result = assemble(state, list.slice(from, from + size), mappings, { service: 'shop', ...options, limits: { maxSeries: 12, idleSeconds: 60 } })
    // What lies in Redis in between has no references into the batch.
    state = structuredClone(result.series)
    samples.push(...result.samples)
    rejected += result.rejected
    from += size
  }
  return { state, samples, rejected }
}

test('cutting a stream into batches anywhere gives the same samples, refusals and state', () => {
  fc.assert(fc.property(points, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }), settings, (list, sizes, options) => {
    expect(inBatches(list, sizes, options)).toEqual(inBatches(list, [], options))
  }), { numRuns: 300 })
})

test('samples ascend on the grid of steps and hold only finite numbers', () => {
  fc.assert(fc.property(points, settings, (list, options) => {
    const { samples } = inBatches(list, [], options)
    let last = -Infinity
    for (const { at, signals } of samples) {
      expect(at).toBeGreaterThan(last)
      expect(at % (options.stepSeconds * 1000)).toBe(0)
      expect(Object.values(signals).every(Number.isFinite)).toBe(true)
      last = at
    }
  }))
})

test('the rates of a counter without gaps add up to its increase, wherever steps and scrapes fall', () => {
  const scrape = fc.record({ waitMs: fc.integer({ min: 1, max: 20_000 }), increase: fc.integer({ min: 0, max: 500 }) })
  fc.assert(fc.property(fc.array(scrape, { minLength: 3, maxLength: 60 }), (list) => {
    let [at, value] = [0, 0]
    const stream = list.map(({ waitMs, increase }): Point => {
      at += waitMs
      value += increase
      return { metric: 'requests_total', labels: [], at, value }
    })
    const step = 20_000
    const { samples } = assemble(null, stream, mappings, { service: 'shop', stepSeconds: 20, lateSeconds: 0 })
    // Each step's rate is over the time between the last points of two steps: their products are the whole increase.
    let counted = 0
    let from = stream[0]
    for (const sample of samples) {
      const newest = stream.findLast((one) => one.at <= sample.at) ?? from
      if (newest.at <= sample.at - step) continue
      const rate = sample.signals.requestsPerSecond ?? 0
      counted += rate * (newest.at - from.at) / 1000
      from = newest
    }
    expect(counted).toBeCloseTo(from.value - stream[0].value, 6)
  }))
})
