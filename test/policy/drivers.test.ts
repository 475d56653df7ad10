import { describe, expect, it } from 'vitest'
import type { Driver, Policy } from '../../src/domain.ts'
import { policy } from '../support/scaling.ts'
import { createService, reasonOf } from './guarding.ts'

const memory: Driver = { kind: 'ratio', signal: 'memoryUsageRatio', atTarget: 0.8 }
const queue: Driver = { kind: 'perReplica', signal: 'queueLength', atTarget: 30 }
const rules: Policy = { ...policy, drivers: [memory, queue] }
/** What 700 requests/s need at 70 each. */
const byLoad = 10

describe('further signals', () => {
  it.each([
    { name: 'a load that needs more than they do stays the source', signals: { memoryUsageRatio: 0.4, queueLength: 30 }, replicas: byLoad, first: undefined },
    // 0.96 / 0.8 × 10
    { name: 'a service bound by memory scales on memory', signals: { memoryUsageRatio: 0.96, queueLength: 30 }, replicas: 12, first: 'memoryUsageRatio' },
    // 420 / 30
    { name: 'one with a queue scales on the queue', signals: { memoryUsageRatio: 0.96, queueLength: 420 }, replicas: 14, first: 'queueLength' },
    { name: 'what is within the tolerance changes nothing', signals: { memoryUsageRatio: 0.86, queueLength: 30 }, replicas: byLoad, first: undefined }
  ])('$name', ({ signals, replicas, first }) => {
    const shop = createService({ rules })
    shop.next({ requestsPerSecond: 700, readyReplicas: byLoad, memoryUsageRatio: 0.8, queueLength: 0 })
    const decision = shop.next({ requestsPerSecond: 700, readyReplicas: byLoad, ...signals })

    expect(decision.replicas).toBe(replicas)
    expect(decision.source).toBe('reactive')
    expect(decision.rawRecommendations[0].signal).toBe(first)
    expect(decision.rawRecommendations.flatMap(({ signal }) => signal ?? []).toSorted()).toEqual(['memoryUsageRatio', 'queueLength'])
  })

  it('say in the reason which of them asked, and for what', () => {
    const shop = createService({ rules })
    expect(shop.next({ requestsPerSecond: 70, readyReplicas: 5, memoryUsageRatio: 0.96, queueLength: 0 }).reason)
      .toMatch(/^memoryUsageRatio 0\.96 of 5 replicas, target 0\.8: 6 replicas/)
  })

  it('that are missing let replicas come, and none go', () => {
    const shop = createService({ rules })
    const before = shop.next({ requestsPerSecond: 700, memoryUsageRatio: 0.8, queueLength: 0 })
    let decision = before
    for (let i = 0; i < 10; i++) decision = shop.next({ requestsPerSecond: 350, queueLength: 0 })

    expect(decision).toMatchObject({ replicas: before.replicas, missingSignals: ['memoryUsageRatio'] })
    expect(reasonOf(decision, 'missing')).toBe('MissingMetrics: no scale-in while memoryUsageRatio is not measured')
    expect(shop.next({ requestsPerSecond: 1050, queueLength: 0 }).replicas).toBe(15)
    expect(reasonOf(shop.pass(10, 350), 'missing')).toContain('memoryUsageRatio, queueLength are not measured')
  })

  it('decide where the load is not known', () => {
    const shop = createService({ rules })
    shop.next({ requestsPerSecond: 700, memoryUsageRatio: 0.8, queueLength: 0 })
    expect(shop.next({ memoryUsageRatio: 0.8, queueLength: 420 })).toMatchObject({ source: 'reactive', replicas: 14, missingSignals: ['requestsPerSecond'] })
    expect(createService({ rules }).next({ queueLength: 90 })).toMatchObject({ source: 'reactive', replicas: 3 })
  })
})
