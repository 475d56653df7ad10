import { describe, expect, it } from 'vitest'
import { createCluster, obey, passStep } from '../../src/policy/cluster.ts'

const stepSeconds = 60

describe('a cluster that obeys', () => {
  it('has new instances ready after the start-up time', () => {
    const cluster = createCluster(2, { startUpSeconds: 120, stepSeconds })
    obey(cluster, 5)

    const ready = [1, 2, 3].map(() => {
      passStep(cluster, 0, stepSeconds)
      return cluster.ready
    })

    // Two whole steps of starting; the third step begins with five.
    expect(ready).toEqual([2, 2, 5])
  })

  it('pays for instances that are starting', () => {
    const cluster = createCluster(2, { startUpSeconds: 120, stepSeconds })
    obey(cluster, 5)

    expect(passStep(cluster, 0, stepSeconds).paid).toBe(5 * 60)
  })

  it('stops instances that are still starting first, then others at once', () => {
    const cluster = createCluster(4, { startUpSeconds: 120, stepSeconds })
    obey(cluster, 6)
    obey(cluster, 3)

    expect(cluster.ready).toBe(3)
    expect(passStep(cluster, 0, stepSeconds).paid).toBe(3 * 60)
  })

  it('serves a load of just its capacity without a violation', () => {
    const cluster = createCluster(3, { startUpSeconds: 120, stepSeconds })

    expect(passStep(cluster, 3, stepSeconds)).toEqual({ arrived: 180, violating: 0, paid: 180 })
  })

  it('lets every request of an overloaded step violate, and those after it until the queue is worked off', () => {
    const cluster = createCluster(2, { startUpSeconds: 120, stepSeconds })

    // 4 instances of load on 2: the queue fills to 10 s × 2.
    expect(passStep(cluster, 4, stepSeconds).violating).toBe(240)
    expect(cluster.queue).toBe(20)
    // Then 1 on 2: a queue of 20 is worked off at 1 a second, 20 of the first 30 s.
    expect(passStep(cluster, 1, stepSeconds).violating).toBeCloseTo(20, 9)
    expect(passStep(cluster, 1, stepSeconds).violating).toBe(0)
  })

  it('starts at once where starting takes no time', () => {
    const cluster = createCluster(1, { startUpSeconds: 0, stepSeconds })
    obey(cluster, 4)

    expect(passStep(cluster, 4, stepSeconds).violating).toBe(0)
  })
})
