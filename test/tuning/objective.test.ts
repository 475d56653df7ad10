import { describe, expect, it } from 'vitest'
import { performanceOf, signalsOf } from '../../src/tuning/objective.ts'

const preset = { kind: 'preset', responseTimeSeconds: 0.2, requestsPerSecond: null, resourceWeight: 10 } as const

describe('performance by signals', () => {
  it.each([
    // 100 · 1 / (1 + 1)
    { name: 'is 50 at the response time that is asked for', signals: { responseTimeSeconds: 0.2 }, expected: 50 },
    // 100 · 0.9³ / 2
    { name: 'falls with errors by their third power', signals: { responseTimeSeconds: 0.2, errorRatio: 0.1 }, expected: 36.45 },
    // 50 − 10 · (0.4 + 0.8) / 2
    { name: 'pays for CPU and memory', signals: { responseTimeSeconds: 0.2, cpuUsageRatio: 0.4, memoryUsageRatio: 0.8 }, expected: 44 }
  ])('$name', ({ signals, expected }) => {
    expect(performanceOf(preset, signals as unknown as Record<string, number>)).toBeCloseTo(expected, 9)
  })

  it('is unknown without a response time', () => {
    expect(performanceOf(preset, { errorRatio: 0.1 })).toBeNaN()
  })

  it('counts the throughput where the service decides it, and no more than asked for', () => {
    const batch = { ...preset, requestsPerSecond: 200 }
    expect(performanceOf(batch, { responseTimeSeconds: 0.2, requestsPerSecond: 100 })).toBeCloseTo(25, 9)
    expect(performanceOf(batch, { responseTimeSeconds: 0.2, requestsPerSecond: 400 })).toBeCloseTo(50, 9)
  })

  it('is an expression over signals; what it needs and is not there makes it unknown', () => {
    const objective = { kind: 'expression', expression: 'requestsPerSecond - 200 * errorRatio' } as const
    expect(performanceOf(objective, { requestsPerSecond: 100, errorRatio: 0.1 })).toBeCloseTo(80, 9)
    expect(performanceOf(objective, { requestsPerSecond: 100 })).toBeNaN()
    expect(signalsOf(objective)).toEqual(['requestsPerSecond', 'errorRatio'])
  })

  it('is not known where it is reported', () => {
    expect(performanceOf({ kind: 'reported' }, { requestsPerSecond: 1 })).toBeNaN()
  })
})
