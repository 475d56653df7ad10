import { describe, expect, it } from 'vitest'
import { afterDecision, emptySteering, priceOf, steer, type Steering } from '../../src/policy/steering.ts'
import { policy } from '../support/scaling.ts'

const clock = { startUpSeconds: 120, stepSeconds: 60 }
/** So many steps of this load on ten ready instances, decided by our forecast or not. */
function steps (count: number, load: number, from: Steering = emptySteering, isOurs = true): Steering {
  let state = from
  for (let i = 0; i < count; i++) state = steer(state, { load, readyReplicas: 10, isOurs }, policy)
  return state
}

describe('the price of a violation', () => {
  it('rises while requests violate and falls slowly while none do', () => {
    const calm = steps(100, 8)

    expect(priceOf(calm, policy)).toBeLessThan(priceOf(emptySteering, policy))
    expect(priceOf(steps(1, 12, calm), policy)).toBeGreaterThan(priceOf(calm, policy))
  })

  it('comes to rest where just the allowed share violates', () => {
    // A step of 10.5 on 10 leaves a queue of 0.5 × 60 = 30, worked off by 10 − 8 in 15 s: (10.5 × 60 + 8 × 15) = 750 violate.
    // 750 / ((10.5 + 159 × 8) × 60) = 0.97 %, and the target is 1 %.
    let state = steps(500, 8)
    const before = priceOf(state, policy)
    for (let i = 0; i < 20; i++) state = steps(159, 8, steps(1, 10.5, state))

    expect(priceOf(state, policy) / before).toBeGreaterThan(0.8)
    expect(priceOf(state, policy) / before).toBeLessThan(1.2)
  })

  it('stays within its range, whatever happens', () => {
    expect(priceOf(steps(5000, 100), policy)).toBeCloseTo(250, 6)
    expect(priceOf(steps(100_000, 1), policy)).toBeCloseTo(0.5, 6)
  })

  it('follows from the money where that is given, and is not steered then', () => {
    const objective = { costPerReplicaHour: 0.5, costPerViolationMinute: 2 }
    // All of a load of 20 instances violating costs 120 an hour, one instance's worth of it 6, which is 12 instances.
    expect(priceOf(emptySteering, { ...policy, objective }, 20)).toBeCloseTo(12)
    expect(priceOf(steps(5000, 100), { ...policy, objective }, 20)).toBeCloseTo(12)
    expect(priceOf(emptySteering, { ...policy, objective }, 0.1)).toBeCloseTo(240)
    expect(priceOf(emptySteering, { ...policy, objective: { ...objective, costPerReplicaHour: 0 } }, 20)).toBe(1e6)
  })

  it('learns nothing from what another rule decided', () => {
    expect(steps(50, 12, emptySteering, false).logPrice).toBe(0)
  })

  it('begins higher for a stricter target, and anew for another kind of model', () => {
    const decided = (state: Steering, modelVersion: string) => afterDecision(state, { replicas: 10, source: 'forecast', modelVersion }, clock)
    const shipped = steps(50, 12, decided(emptySteering, 'forecast/1.0.0'))

    // 2.5 × 10 ** 1.4
    expect(priceOf(emptySteering, { ...policy, violationTarget: 0.001 })).toBeCloseTo(62.8, 1)
    expect(decided(shipped, 'forecast/1.1.0').logPrice).toBe(shipped.logPrice)
    expect(decided(shipped, 'local/1').logPrice).toBe(0)
  })

  it('follows simulated instances where nobody reports any', () => {
    const decision = { source: 'forecast', modelVersion: 'forecast/1' } as const
    let state = afterDecision(emptySteering, { replicas: 5, ...decision }, clock)
    state = afterDecision(state, { replicas: 8, ...decision }, clock)
    const ready = [1, 2, 3].map(() => {
      state = steer(state, { load: 4, readyReplicas: null, isOurs: true }, policy)
      return state.cluster?.ready
    })

    expect(ready).toEqual([5, 5, 8])
  })
})
