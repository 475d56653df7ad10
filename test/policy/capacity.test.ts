import { describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { emptyCapacity, fullCapacity, learnCapacity, type CapacityEstimate } from '../../src/policy/capacity.ts'
import type { Demand } from '../../src/policy/demand.ts'

const auto: Demand = { load: null, usageRatio: null, givenCapacity: null, utilization: 0.7, readyReplicas: null, missingSignals: [] }
const seen = (load: number, usageRatio: number, readyReplicas: number): Demand => ({ ...auto, load, usageRatio, readyReplicas })
const learnAll = (demands: readonly Demand[], from: CapacityEstimate = emptyCapacity) => demands.reduce(learnCapacity, from)

describe('the capacity of an instance', () => {
  it('is the given one divided by its utilisation', () => {
    // 70 requests/s at 70 % are 100 at full utilisation
    expect(fullCapacity(emptyCapacity, { ...auto, givenCapacity: 70 })).toBeCloseTo(100, 9)
  })

  it('is not known from fewer than five samples', () => {
    expect(fullCapacity(learnAll(Array(4).fill(seen(300, 0.5, 6))), auto)).toBeNull()
    // 300 requests/s keep 6 × 0.5 = 3 instances busy
    expect(fullCapacity(learnAll(Array(5).fill(seen(300, 0.5, 6))), auto)).toBeCloseTo(100, 9)
  })

  it('is found in noise within 2 %', () => {
    const random = createRandom(1)
    const demands = Array.from({ length: 500 }, () => {
      const load = 200 + 600 * random()
      return seen(load, load / 100 / 10 * (1 + 0.1 * normal(random)), 10)
    })

    const capacity = fullCapacity(learnAll(demands), auto)
    expect(capacity).toBeGreaterThan(98)
    expect(capacity).toBeLessThan(102)
  })

  it('is not spoilt by a CPU that is capped while the load queues, nor by an idle one', () => {
    const learned = learnAll(Array(50).fill(seen(300, 0.5, 6)))

    expect(learnAll([seen(3000, 1, 6), seen(1, 0.02, 6), seen(0, 0.5, 6)], learned)).toBe(learned)
  })

  it('follows a release that halves it within a day of minutes', () => {
    const learned = learnAll(Array(2000).fill(seen(300, 0.5, 6)))
    const after = learnAll(Array(1440).fill(seen(150, 0.5, 6)), learned)

    // after two half-lives a quarter of the weight is old: 0.75 × 50 + 0.25 × 100 = 62.5 (loads per work are averaged)
    expect(fullCapacity(after, auto)).toBeLessThan(63)
  })
})
