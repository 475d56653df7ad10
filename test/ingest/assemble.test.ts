import { describe, expect, test } from 'vitest'
import type { Point } from '../../src/domain.ts'
import { assemble, type AssembleOptions, type SeriesState } from '../../src/ingest/assemble.ts'
import type { SignalMapping } from '../../src/ingest/mapping.ts'
import { series, stale } from '../support/series.ts'

const requests: SignalMapping = { signal: 'requestsPerSecond', metric: 'requests_total', kind: 'counter' }
const queue: SignalMapping = { signal: 'queueLength', metric: 'jobs', kind: 'gauge' }
const options = { service: 'shop', stepSeconds: 15, lateSeconds: 0 }

/** Seconds of the step's end and its signals. */
function read (points: readonly Point[], mappings: readonly SignalMapping[], more: Partial<AssembleOptions> = {}, state: SeriesState | null = null) {
  return assemble(state, points, mappings, { ...options, ...more }).samples.map(({ at, signals }) => [at / 1000, signals])
}

describe('steps', () => {
  const jobs = series('jobs')

  test('are closed by a point that is later than their end, and not by one that is at their end', () => {
    expect(read([jobs(15, 3)], [queue])).toEqual([])
    expect(read([jobs(15, 3), jobs(15.001, 4)], [queue])).toEqual([[15, { queueLength: 3 }]])
  })

  test('wait for late points as long as they are told', () => {
    const other = series('jobs', { instance: 'b' })
    // The step that ends at 15 is open until a point is later than 15 + 5.
    const points = [jobs(10, 3), jobs(19, 5), other(11, 4), jobs(20.001, 6)]
    expect(read(points, [queue], { lateSeconds: 5 })).toEqual([[15, { queueLength: 7 }]])
    expect(read(points, [queue], { lateSeconds: 0 })).toEqual([[15, { queueLength: 3 }]])
  })

  test('come one by one when a batch holds several', () => {
    expect(read([jobs(10, 1), jobs(25, 2), jobs(40, 3), jobs(55, 4)], [queue]))
      .toEqual([[15, { queueLength: 1 }], [30, { queueLength: 2 }], [45, { queueLength: 3 }]])
  })

  test('repeat what was said last when scrapes are rarer than steps', () => {
    const { samples } = assemble(null, [jobs(10, 1), jobs(70, 2), jobs(130, 3)], [queue], options)
    expect(samples.map(({ at, signals }) => [at / 1000, signals.queueLength]))
      .toEqual([[15, 1], [30, 1], [45, 1], [60, 1], [75, 2], [90, 2], [105, 2], [120, 2]])
  })

  test('give the last value when scrapes are more frequent than steps', () => {
    expect(read([jobs(1, 1), jobs(6, 9), jobs(11, 2), jobs(16, 3)], [queue])).toEqual([[15, { queueLength: 2 }]])
  })

  test('in which nothing was heard and nothing is known give no sample, however many they are', () => {
    // One point lives for 300 s: the last step that knows it ends at 300. The next is heard of a year later.
    const year = 365 * 86_400
    const samples = read([jobs(5, 1), jobs(year, 2), jobs(year + 1, 3)], [queue])
    expect(samples.length).toBe(20 + 1)
    expect(samples[19]).toEqual([300, { queueLength: 1 }])
    expect(samples[20]).toEqual([year, { queueLength: 2 }])
  })

  test('are never opened again, not even with another length', () => {
    const first = assemble(null, [jobs(10, 1), jobs(61, 2)], [queue], options)
    expect(first.samples.at(-1)?.at).toBe(60_000)
    const second = assemble(first.series, [jobs(62, 3), jobs(181, 4)], [queue], { ...options, stepSeconds: 40 })
    // 60 is within (40, 80], so 80 counts as closed, and the next step ends at 120.
    expect(second.samples.map(({ at }) => at / 1000)).toEqual([120, 160])
  })
})

describe('counters', () => {
  const total = series('requests_total')

  test('give their increase per second since the last point before the step', () => {
    // (160 − 100) / (20 − 5) = 4
    expect(read([total(5, 100), total(20, 160), total(31, 200)], [requests])).toEqual([[15, {}], [30, { requestsPerSecond: 4 }]])
  })

  test('lose no increase between steps', () => {
    const points = [1, 12, 14, 16, 29, 31, 44, 46].map((at) => total(at, 7 * at))
    expect(read(points, [requests])).toEqual([15, 30, 45].map((at) => [at, { requestsPerSecond: 7 }]))
  })

  test('that fall were reset and count from zero', () => {
    // 100 → 130 (+30), reset, 45 (+45): 75 in 15 s
    expect(read([total(10, 100), total(17, 130), total(25, 45), total(31, 50)], [requests]).at(-1)).toEqual([30, { requestsPerSecond: 5 }])
  })

  test('are summed over instances', () => {
    const [a, b] = [series('requests_total', { instance: 'a' }), series('requests_total', { instance: 'b' })]
    const points = [a(10, 0), b(11, 50), a(25, 30), b(26, 95), a(31, 40)]
    // 30 / 15 + 45 / 15
    expect(read(points, [requests]).at(-1)).toEqual([30, { requestsPerSecond: 5 }])
  })

  test('that stand still are zero, which is a measurement', () => {
    expect(read([total(10, 7), total(25, 7), total(31, 7)], [requests]).at(-1)).toEqual([30, { requestsPerSecond: 0 }])
  })

  test('begin anew after a gap longer than a series lives', () => {
    // Scraped every 10 s the series lives for 30 s; its next point, 100 s later, is a new beginning and no rate over the gap.
    const samples = read([total(10, 100), total(20, 110), total(120, 900), total(130, 920), total(136, 920)], [requests])
    expect(samples).toEqual([
      [15, {}], [30, { requestsPerSecond: 1 }], [45, { requestsPerSecond: 1 }], [120, {}], [135, { requestsPerSecond: 2 }]
    ])
  })
})

describe('what vanished', () => {
  const jobs = (instance: string) => series('jobs', { job: 'shop', instance })
  const up = (instance: string) => series('up', { job: 'shop', instance })
  const live: SignalMapping = { signal: 'readyReplicas', metric: 'up', kind: 'gauge', aggregate: 'count' }

  test('is missing after a staleness marker and never zero', () => {
    expect(read([jobs('a')(10, 3), stale('jobs', { job: 'shop', instance: 'a' })(20), jobs('b')(50, 1)], [queue]).slice(0, 2)).toEqual([[15, { queueLength: 3 }], [30, {}]])
  })

  test('is missing after a value that is no number', () => {
    expect(read([jobs('a')(10, 3), jobs('a')(20, NaN), jobs('a')(35, 4), jobs('a')(46, 5)], [queue])).toEqual([[15, { queueLength: 3 }], [30, {}], [45, { queueLength: 4 }]])
  })

  test('is missing once its target is down, while others go on', () => {
    const points = [
      jobs('a')(10, 3), up('a')(10, 1), jobs('b')(11, 4), up('b')(11, 1),
      up('a')(25, 0), jobs('b')(26, 4), up('b')(26, 1), up('a')(40, 0)
    ]
    expect(read(points, [queue, live])).toEqual([[15, { queueLength: 7, readyReplicas: 2 }], [30, { queueLength: 4, readyReplicas: 1 }]])
  })

  test('makes steps go on with nothing in them while scrapes fail', () => {
    const points = [jobs('a')(10, 3), up('a')(10, 1), up('a')(25, 0), up('a')(40, 0), up('a')(55, 0)]
    expect(read(points, [queue, live])).toEqual([[15, { queueLength: 3, readyReplicas: 1 }], [30, {}], [45, {}]])
  })

  test('without a marker is held for three of its intervals', () => {
    // Every 15 s until 40: known until 40 + 45 = 85, so at 75 and no more at 90.
    const points = [10, 25, 40].map((at) => jobs('a')(at, 5)).concat([55, 70, 85, 100].map((at) => jobs('b')(at, 1)))
    expect(read(points, [queue]).map(([, signals]) => (signals as { queueLength: number }).queueLength)).toEqual([5, 5, 5, 6, 6, 1])
  })

  test('does not dip when one scrape of an instance is missed', () => {
    const [a, b] = [series('requests_total', { instance: 'a' }), series('requests_total', { instance: 'b' })]
    const points = [10, 25, 40, 55, 70].flatMap((at) => at === 40 ? [a(at, 10 * at)] : [a(at, 10 * at), b(at + 1, 10 * at)])
    expect(read(points, [requests]).slice(1)).toEqual([30, 45, 60].map((at) => [at, { requestsPerSecond: 20 }]))
  })
})

describe('refused points', () => {
  const jobs = series('jobs')

  test('are those not newer than the newest of their series', () => {
    const result = assemble(null, [jobs(10, 1), jobs(10, 2), jobs(9, 3), jobs(16, 4)], [queue], options)
    expect(result).toMatchObject({ rejected: 2, rejectedBy: { outOfOrder: 2, overLimit: 0 }, samples: [{ signals: { queueLength: 1 } }] })
  })

  test('are not those of a step that is closed, if their series has nothing newer', () => {
    const other = series('requests_total')
    // The counter's point at 14 comes when 15 is closed: its increase counts in the next step, (300 − 0) / (29 − 4) = 12.
    const result = assemble(null, [other(4, 0), jobs(16, 1), other(14, 100), other(29, 300), jobs(31, 1)], [requests, queue], options)
    expect(result.rejected).toBe(0)
    expect(result.samples.at(-1)?.signals.requestsPerSecond).toBeCloseTo(200 / 15)
  })

  test('are those of series beyond the limit, and what is known goes on', () => {
    const points = [1, 2, 3].map((i) => series('jobs', { instance: String(i) })(10, i))
    const result = assemble(null, [...points, series('jobs', { instance: '1' })(16, 5)], [queue], { ...options, limits: { maxSeries: 2 } })
    expect(result).toMatchObject({ rejected: 1, rejectedBy: { overLimit: 1 }, samples: [{ signals: { queueLength: 3 } }] })
    expect(result.series.series).toHaveLength(2)
  })

  test('are not those that no mapping reads: they only tell the time', () => {
    const result = assemble(null, [jobs(10, 1), series('other')(20, 1)], [queue], options)
    expect(result).toMatchObject({ rejected: 0, samples: [{ at: 15_000 }] })
    expect(result.series.series).toHaveLength(1)
  })
})

describe('the state', () => {
  const jobs = series('jobs')

  test('forgets series that have been idle', () => {
    const churn = Array.from({ length: 100 }, (_, i) => series('jobs', { pod: String(i) })(20 * i, 1))
    const { series: state } = assemble(null, churn, [queue], { ...options, limits: { idleSeconds: 100 } })
    // 20 s apart: those of the last 100 s, and those whose time was not up when the last step was closed.
    expect(state.series.length).toBeLessThanOrEqual(7)
  })

  test('is not changed by what comes later', () => {
    const { series: state } = assemble(null, [jobs(10, 1), jobs(14, 2)], [queue], options)
    const before = structuredClone(state)
    assemble(state, [jobs(20, 3), jobs(31, 4)], [queue], options)
    expect(state).toEqual(before)
  })

  test('starts afresh with other mappings, but not with the time', () => {
    const { series: state } = assemble(null, [jobs(10, 1), jobs(31, 2)], [queue], options)
    const changed = { ...queue, scale: 2 }
    expect(read([jobs(40, 5), jobs(46, 6)], [changed], {}, state)).toEqual([[45, { queueLength: 10 }]])
  })
})
