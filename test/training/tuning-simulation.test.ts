import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/ml/random.ts'
import { configurationProblem, defaultConfiguration } from '../../src/policy/parameters.ts'
import { bestConfiguration, drawConfiguration, drawWorkload, measured, simulate, type Workload } from '../../training/tuning-simulation.ts'

const shop: Workload = {
  requestsPerSecond: 800, cpuMs: 3, cacheableRatio: 0.8, workingSetMegabytes: 1500, callMs: 20, itemMs: 1, failureRatio: 0.01, inKilobytes: 2, outKilobytes: 20
}
const defaults = defaultConfiguration()
const utility = (workload: Workload, change: Record<string, number> = {}) => simulate(workload, { ...defaults, ...change }).utility
const signals = (workload: Workload, change: Record<string, number> = {}) => simulate(workload, { ...defaults, ...change }).signals

describe('the simulated service', () => {
  it('answers slower and fails more the more load there is', () => {
    const calm = signals({ ...shop, requestsPerSecond: 200 })
    const busy = signals({ ...shop, requestsPerSecond: 3000 })
    expect(busy.responseTimeSeconds).toBeGreaterThan(calm.responseTimeSeconds)
    expect(busy.errorRatio).toBeGreaterThan(calm.errorRatio)
    expect(busy.cpuUsageRatio).toBeGreaterThan(calm.cpuUsageRatio)
    expect(utility({ ...shop, requestsPerSecond: 3000 })).toBeLessThan(utility({ ...shop, requestsPerSecond: 200 }))
  })

  it('gains from a cache as large as its working set, and from no larger one', () => {
    expect(utility(shop, { cacheMegabytes: 1500 })).toBeGreaterThan(utility(shop, { cacheMegabytes: 32 }))
    expect(utility(shop, { cacheMegabytes: 6000 })).toBeLessThan(utility(shop, { cacheMegabytes: 1500 }))
  })

  it('suffers from too few threads, and from a timeout below the time of a call', () => {
    expect(utility(shop, { threadPoolSize: 4 })).toBeLessThan(utility(shop) - 10)
    // A call takes 24 ms on average: cut off at 20 ms more than 40 % of them are made in vain, and done again.
    const [usual, cut] = [1000, 20].map(timeoutMs => signals({ ...shop, cacheableRatio: 0.1 }, { timeoutMs }))
    expect(cut.errorRatio).toBeGreaterThan(usual.errorRatio + 0.02)
  })

  it('gains from retries when calls fail', () => {
    const failing = { ...shop, failureRatio: 0.1 }
    expect(signals(failing, { retryCount: 3 }).errorRatio).toBeLessThan(signals(failing, { retryCount: 0 }).errorRatio / 10)
  })

  it('uses as much processor as its load takes: 0.1 requests a ms of 8 ms on 8 cores are a tenth', () => {
    // Everything cached: no calls; 128 MB of threads, 1,024 of cache and 512 of its own make the work 1 % longer.
    const { cpuUsageRatio } = signals({ ...shop, requestsPerSecond: 100, cpuMs: 8, cacheableRatio: 1, workingSetMegabytes: 32 }, { threadPoolSize: 32, cacheMegabytes: 1024 })
    expect(cpuUsageRatio).toBeCloseTo(0.1, 2)
  })

  it('finds a best configuration that beats the defaults and hardly depends on the draw', () => {
    const random = createRandom(1)
    for (let i = 0; i < 3; i++) {
      const workload = drawWorkload(random)
      const [one, other] = [bestConfiguration(workload, createRandom(2)), bestConfiguration(workload, createRandom(3))]
      expect(configurationProblem(one)).toBeNull()
      expect(simulate(workload, one).utility).toBeGreaterThan(simulate(workload, defaults).utility)
      expect(Math.abs(simulate(workload, one).utility - simulate(workload, other).utility)).toBeLessThan(2)
    }
  })

  it('is finite and within bounds for every workload and configuration that can be drawn', () => {
    const random = createRandom(9)
    for (let i = 0; i < 300; i++) {
      const { utility, signals } = simulate(drawWorkload(random), drawConfiguration(random))
      expect(utility).toBeLessThanOrEqual(100)
      expect(utility).toBeGreaterThan(-11)
      expect(Object.values(measured(signals, random)).every(value => Number.isFinite(value) && value >= 0)).toBe(true)
      expect(signals.errorRatio).toBeLessThanOrEqual(1)
    }
  })
})
