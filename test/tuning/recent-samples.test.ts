import { describe, expect, it } from 'vitest'
import { meanPerformance, remember, rowsKept, sampleAt, type RecentSamples } from '../../src/tuning/recent-samples.ts'

const options = { objective: { kind: 'reported' as const }, furtherSignals: ['ordersPerSecond'], rows: 4 }
const at = (time: number, signals: Record<string, number>) => ({ at: time, signals })
const recentOf = (...samples: ReturnType<typeof at>[]) => samples.reduce<RecentSamples | null>((recent, sample) => remember(recent, sample, options), null)!

describe('the newest samples', () => {
  it('are found by time: the newest one up to it', () => {
    const recent = recentOf(at(10, { requestsPerSecond: 1 }), at(20, { requestsPerSecond: 2, ordersPerSecond: 0.5, unknown: 3 }))
    expect(sampleAt(recent, 19)).toEqual({ at: 10, signals: { requestsPerSecond: 1 } })
    expect(sampleAt(recent, Infinity)).toEqual({ at: 20, signals: { requestsPerSecond: 2, ordersPerSecond: 0.5 } })
    expect(sampleAt(recent, 9)).toBeNull()
  })

  it('push out the oldest ones', () => {
    const recent = recentOf(...[1, 2, 3, 4, 5, 6].map(time => at(time, { requestsPerSecond: time })))
    expect(sampleAt(recent, 2)).toBeNull()
    expect([3, 4, 5, 6].map(time => sampleAt(recent, time)!.signals.requestsPerSecond)).toEqual([3, 4, 5, 6])
  })

  it('begin anew when other signals are needed', () => {
    const recent = remember(recentOf(at(1, { requestsPerSecond: 1 })), at(2, { size: 9 }), { ...options, objective: { kind: 'expression', expression: 'size * 2' } })
    expect(sampleAt(recent, 1)).toBeNull()
    expect(sampleAt(recent, 2)!.signals).toEqual({ size: 9 })
  })

  it('leave what was before as it was, and take little room', () => {
    const before = recentOf(at(1, { requestsPerSecond: 1 }))
    const copy = structuredClone(before)
    remember(before, at(2, {}), options)
    expect(before).toEqual(copy)
    const full = remember(null, at(1, {}), { ...options, rows: rowsKept })
    expect(full.at.byteLength + full.values.byteLength).toBeLessThan(2048)
  })

  it('say the mean performance of a time, of those that say one', () => {
    const objective = { kind: 'expression', expression: '100 - 1000 * responseTimeSeconds' } as const
    const recent = recentOf(at(1, { responseTimeSeconds: 0.09 }), at(2, { responseTimeSeconds: 0.02 }), at(3, { requestsPerSecond: 4 }), at(4, { responseTimeSeconds: 0.04 }))
    // The sample at 1 is not after it, the one at 3 says nothing: (80 + 60) / 2.
    expect(meanPerformance(recent, objective, { from: 1, to: 4 })).toBeCloseTo(70, 4)
    expect(meanPerformance(recent, objective, { from: 4, to: 9 })).toBeNaN()
  })
})
