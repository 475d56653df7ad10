import { describe, expect, it } from 'vitest'
import type { Behavior } from '../../src/domain.ts'
import { emptyScaleHistory, kubernetesBehavior, limitRange, limitRate, rememberScaling, replicasForLoad, replicasForUsage, stabilize, type ScaleHistory } from '../../src/policy/hpa.ts'

const second = 1000
const behavior = kubernetesBehavior

describe('the formula for a load counted over all instances', () => {
  it.each([
    // 350 / 70 = 5 exactly
    { load: 350, currentReplicas: 3, expected: 5 },
    // 351 / 70 = 5.01: a sixth is needed
    { load: 351, currentReplicas: 3, expected: 6 },
    // 700 / (70 × 10) = 1: nothing to do
    { load: 700, currentReplicas: 10, expected: 10 },
    // ratio 1.1: still tolerated; 1.11: no longer, 777 / 70 = 11.1
    { load: 770, currentReplicas: 10, expected: 10 },
    { load: 777, currentReplicas: 10, expected: 12 },
    // ratio 0.9: tolerated; 0.89: no longer, 623 / 70 = 8.9
    { load: 630, currentReplicas: 10, expected: 10 },
    { load: 623, currentReplicas: 10, expected: 9 },
    { load: 0, currentReplicas: 10, expected: 0 },
    { load: 100, currentReplicas: 0, expected: 2 },
    // Kubernetes counts replicas in 32 bits
    { load: 1e300, currentReplicas: 10, expected: 2147483647 }
  ])('wants $expected of 70 each for a load of $load with $currentReplicas', ({ load, currentReplicas, expected }) => {
    expect(replicasForLoad(load, { atTarget: 70, currentReplicas, behavior })).toBe(expected)
  })

  it('follows the tolerances of the behavior', () => {
    const strict: Behavior = { scaleUp: { ...behavior.scaleUp, tolerance: 0 }, scaleDown: { ...behavior.scaleDown, tolerance: 0.3 } }

    // 1.01 is above 1 + 0; 0.71 is within 1 − 0.3
    expect(replicasForLoad(707, { atTarget: 70, currentReplicas: 10, behavior: strict })).toBe(11)
    expect(replicasForLoad(497, { atTarget: 70, currentReplicas: 10, behavior: strict })).toBe(10)
  })
})

describe('the formula for a mean utilisation', () => {
  it.each([
    // 0.9 / 0.7 × 10 = 12.86
    { usage: 0.9, readyReplicas: 10, currentReplicas: 10, expected: 13 },
    // tolerated: what is wished for stays, whatever is ready
    { usage: 0.72, readyReplicas: 8, currentReplicas: 10, expected: 10 },
    // 0.9 / 0.7 × 8 ready = 10.29: instances that are starting have no usage to count
    { usage: 0.9, readyReplicas: 8, currentReplicas: 10, expected: 11 },
    { usage: 0, readyReplicas: 8, currentReplicas: 8, expected: 0 }
  ])('wants $expected at $usage of $readyReplicas ready', ({ usage, expected, ...rest }) => {
    expect(replicasForUsage(usage, { atTarget: 0.7, behavior, ...rest })).toBe(expected)
  })
})

describe('stabilisation', () => {
  const history: ScaleHistory = { recommendations: [{ at: 0, replicas: 9 }, { at: 100 * second, replicas: 7 }, { at: 200 * second, replicas: 5 }], changes: [] }

  it.each([
    { name: 'holds the highest recommendation of the scale-down window', at: 290 * second, desired: 4, current: 9, expected: 9, reason: 'ScaleDownStabilized' },
    { name: 'lets go of a recommendation as old as the window', at: 300 * second, desired: 4, current: 9, expected: 7, reason: 'ScaleDownStabilized' },
    { name: 'does not raise above the current replicas', at: 290 * second, desired: 4, current: 8, expected: 8, reason: 'ScaleDownStabilized' },
    { name: 'scales out at once without a scale-up window', at: 290 * second, desired: 20, current: 9, expected: 20, reason: 'ReadyForNewScale' },
    { name: 'forgets all after a long silence', at: 9000 * second, desired: 1, current: 9, expected: 1, reason: 'ReadyForNewScale' }
  ])('$name', ({ at, desired, current, expected, reason }) => {
    expect(stabilize(desired, { at, currentReplicas: current, behavior, history })).toEqual({ replicas: expected, reason })
  })

  it('follows the lowest recommendation of a scale-up window', () => {
    const patient: Behavior = { ...behavior, scaleUp: { ...behavior.scaleUp, stabilizationWindowSeconds: 150 } }

    // of the last 150 s: 7 and 5; the lowest is below the current 6, so nothing is added
    expect(stabilize(20, { at: 240 * second, currentReplicas: 6, behavior: patient, history })).toEqual({ replicas: 6, reason: 'ScaleUpStabilized' })
  })
})

describe('rate limits', () => {
  const noChanges = emptyScaleHistory
  const limit = (desired: number, currentReplicas: number, rules: Behavior = behavior, history = noChanges) =>
    limitRate(desired, { at: 60 * second, currentReplicas, behavior: rules, history })
  const up = (rules: Partial<Behavior['scaleUp']>): Behavior => ({ ...behavior, scaleUp: { ...behavior.scaleUp, ...rules } })
  const down = (rules: Partial<Behavior['scaleDown']>): Behavior => ({ ...behavior, scaleDown: { ...behavior.scaleDown, ...rules } })

  it.each([
    // max(1 + 4, 2 × 1)
    { name: 'lets four more come to one', desired: 9, current: 1, rules: behavior, expected: 5, reason: 'ScaleUpLimit' },
    // max(10 + 4, 2 × 10)
    { name: 'lets ten double', desired: 25, current: 10, rules: behavior, expected: 20, reason: 'ScaleUpLimit' },
    { name: 'selects the smaller policy on Min', desired: 25, current: 10, rules: up({ selectPolicy: 'Min' }), expected: 14, reason: 'ScaleUpLimit' },
    { name: 'adds nothing when scaling out is disabled', desired: 25, current: 10, rules: up({ selectPolicy: 'Disabled' }), expected: 10, reason: 'ScaleUpLimit' },
    { name: 'lets all go by default', desired: 0, current: 10, rules: behavior, expected: 0, reason: 'DesiredWithinRange' },
    // trunc(10 × (1 − 0.25)) = 7
    { name: 'truncates what a percentage leaves', desired: 0, current: 10, rules: down({ policies: [{ type: 'Percent', value: 25, periodSeconds: 60 }] }), expected: 7, reason: 'ScaleDownLimit' },
    {
      name: 'selects the policy that removes most on Max',
      desired: 0,
      current: 10,
      rules: down({ policies: [{ type: 'Percent', value: 25, periodSeconds: 60 }, { type: 'Pods', value: 4, periodSeconds: 60 }] }),
      expected: 6,
      reason: 'ScaleDownLimit'
    },
    { name: 'removes nothing when scaling in is disabled', desired: 0, current: 10, rules: down({ selectPolicy: 'Disabled' }), expected: 10, reason: 'ScaleDownLimit' }
  ])('$name', ({ desired, current, rules, expected, reason }) => {
    expect(limit(desired, current, rules)).toEqual({ replicas: expected, reason })
  })

  it('counts from what there was at the start of the period', () => {
    const rules = up({ policies: [{ type: 'Pods', value: 4, periodSeconds: 30 }] })
    const history = { recommendations: [], changes: [{ at: 25 * second, change: 4 }, { at: 45 * second, change: 3 }] }

    // 13 now, 3 of them within the last 30 s: 10 + 4
    expect(limit(20, 13, rules, history)).toEqual({ replicas: 14, reason: 'ScaleUpLimit' })
  })

  it('never takes away while scaling out, though the period already brought too many', () => {
    const rules = up({ policies: [{ type: 'Pods', value: 4, periodSeconds: 30 }] })
    const history = { recommendations: [], changes: [{ at: 45 * second, change: 8 }] }

    expect(limit(20, 13, rules, history).replicas).toBe(13)
  })
})

describe('the range', () => {
  it.each([
    { desired: 250, expected: { replicas: 200, reason: 'TooManyReplicas' } },
    { desired: 1, expected: { replicas: 2, reason: 'TooFewReplicas' } },
    { desired: 7, expected: { replicas: 7, reason: 'DesiredWithinRange' } }
  ])('gives $expected.replicas for $desired', ({ desired, expected }) => {
    expect(limitRange(desired, { minReplicas: 2, maxReplicas: 200 })).toEqual(expected)
  })
})

describe('the history', () => {
  it('holds no more than the longest window and period need', () => {
    let history = emptyScaleHistory
    for (let at = 0; at <= 10_000; at += 60) history = rememberScaling(history, { at: at * second, recommended: at, change: 1, behavior })

    // 300 s of recommendations in steps of 60 s; changes of the last 15 s
    expect(history.recommendations.map(({ replicas }) => replicas)).toEqual([9720, 9780, 9840, 9900, 9960])
    expect(history.changes).toEqual([{ at: 9960 * second, change: 1 }])
  })
})
