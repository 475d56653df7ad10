import { describe, expect, it } from 'vitest'
import type { Policy } from '../../src/domain.ts'
import { policy } from '../support/scaling.ts'
import { createService, reasonOf } from './guarding.ts'

/** None after ten idle minutes; what is at most 1/s is idle. */
const rules: Policy = { ...policy, minReplicas: 0, idle: { activationLoad: 1, idleSeconds: 600 }, outageHold: { ttlSeconds: 0 } }

describe('a service that may run none', () => {
  it('keeps one until it has been idle for long enough, then none', () => {
    const shop = createService({ rules })
    shop.pass(20, 700)
    const replicas = Array.from({ length: 12 }, () => shop.pass(1, 0.5).replicas)
    // Ten after the first idle sample
    expect(replicas.slice(5)).toEqual([1, 1, 1, 1, 1, 0, 0])
    expect(reasonOf(shop.pass(1, 0.5), 'idle')).toBe('Idle: the load has not been above 1 for 720 s')
  })

  it('wakes at the first load above', () => {
    const shop = createService({ rules })
    expect(shop.pass(20, 0)).toMatchObject({ replicas: 0 })
    expect(shop.pass(1, 1.5)).toMatchObject({ replicas: 1 })
    expect(shop.pass(1, 0)).toMatchObject({ replicas: 1 })
  })

  it('wakes with what the load needs', () => {
    const shop = createService({ rules })
    shop.pass(20, 0)
    // 280 / 70; four may come at once
    expect(shop.pass(1, 280)).toMatchObject({ replicas: 4 })
  })

  it('runs one rather than none while the load is not known', () => {
    const shop = createService({ rules })
    shop.pass(20, 0)
    const decision = shop.next({})
    expect(decision).toMatchObject({ source: 'hold', replicas: 1, missingSignals: ['requestsPerSecond'] })
    expect(reasonOf(decision, 'idle')).toBe('Active: the load is not known')
  })

  it('has to be idle anew after its load was not known', () => {
    const shop = createService({ rules })
    shop.pass(20, 0)
    shop.next({})
    expect(shop.pass(10, 0).replicas).toBe(1)
    expect(shop.pass(1, 0).replicas).toBe(0)
  })

  it('does not take a collapse for idleness', () => {
    const shop = createService({ rules: { ...rules, outageHold: { ttlSeconds: 1200 } } })
    const { replicas } = shop.pass(20, 700)
    expect(shop.pass(20, 0).replicas).toBe(replicas)
    expect(shop.pass(1, 0).replicas).toBe(0)
  })

  it('is not touched where the fewest are one', () => {
    expect(createService({ rules: { ...rules, minReplicas: 1 } }).pass(30, 0).replicas).toBe(1)
  })
})
