import { describe, expect, it } from 'vitest'
import { tuningFeatures, tuningSignals } from '../../src/features/tuning-features.ts'

const calm = {
  cpuUsageRatio: 0.3,
  memoryUsageRatio: 0.4,
  diskIoBytesPerSecond: 2e6,
  networkInBytesPerSecond: 1e6,
  networkOutBytesPerSecond: 8e6,
  requestsPerSecond: 400,
  errorRatio: 0.01,
  responseTimeSeconds: 0.05,
  queueLength: 3,
  threadCount: 20
}
const typical = new Array(10).fill(0.25)

describe('the state as the configuration network sees it', () => {
  it('has ten places between 0 and about 1', () => {
    const { x, missing } = tuningFeatures(calm, typical)
    expect(missing).toEqual([])
    expect(x).toHaveLength(10)
    x.forEach(value => {
      expect(value).toBeGreaterThan(0)
      expect(value).toBeLessThan(1)
    })
    expect(x[0]).toBe(0.3)
    expect(x[6]).toBeCloseTo(0.1, 12) // √0.01
    expect(x[7]).toBeCloseTo(Math.log(51) / Math.log(3001), 12) // 50 ms of 3,000, logarithmic
  })

  it.each(tuningSignals)('rises with %s', signal => {
    const i = tuningSignals.indexOf(signal)
    const [low, high] = [calm[signal], calm[signal] * 2].map(value => tuningFeatures({ ...calm, [signal]: value }, typical).x[i])
    expect(high).toBeGreaterThan(low)
  })

  it('puts what is usual in the place of a missing signal and says so', () => {
    const { queueLength: _, ...rest } = calm
    const { x, missing } = tuningFeatures({ ...rest, cpuUsageRatio: NaN }, typical)
    expect(missing).toEqual(['cpuUsageRatio', 'queueLength'])
    expect([x[0], x[8]]).toEqual([0.25, 0.25])
  })

  it('stays within 0 and 1.5 for impossible values', () => {
    const wild = Object.fromEntries(tuningSignals.map((signal, i) => [signal, i % 2 ? -1e12 : 1e12]))
    tuningFeatures(wild, typical).x.forEach(value => {
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThanOrEqual(1.5)
    })
  })
})
