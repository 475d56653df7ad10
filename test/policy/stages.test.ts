import { describe, expect, it } from 'vitest'
import type { Override, Policy } from '../../src/domain.ts'
import { emptyScaleHistory, type ScaleHistory } from '../../src/policy/hpa.ts'
import { emptyScalingState } from '../../src/policy/scaling.ts'
import type { Seen } from '../../src/policy/scaling-state.ts'
import { applyStages } from '../../src/policy/stages.ts'
import { minute, policy } from '../support/scaling.ts'

interface Given { load?: number | null, current: number, history?: ScaleHistory }

/** The present at minute 10: so much load, so many replicas wished for; one instance carries 100. */
function seen ({ load = 0, current, history = emptyScaleHistory }: Given): Seen {
  return {
    service: 'shop',
    at: 10 * minute,
    state: { ...emptyScalingState(), history },
    demand: { load, usageRatio: null, givenCapacity: 70, utilization: 0.7, readyReplicas: current, missingSignals: [] },
    fullCapacity: 100,
    currentReplicas: current
  }
}

const recommendedAt = (minutes: number, replicas: number): ScaleHistory => ({ recommendations: [{ at: minutes * minute, replicas }], changes: [] })
const until = (minutes: number) => minutes * minute
const overriding = (override: Override): Policy => ({ ...policy, override })

describe('the stages', () => {
  it.each([
    { name: 'leave an ordinary recommendation alone', recommended: 12, given: { load: 900, current: 10 }, expected: 12, stages: [] },
    // 1,450 / 100 at full utilisation
    { name: 'cover the present load', recommended: 12, given: { load: 1450, current: 14 }, expected: 15, stages: ['need'] },
    { name: 'need nothing for a load that is not known', recommended: 12, given: { load: null, current: 10 }, expected: 12, stages: [] },
    { name: 'hold the highest recommendation of the scale-down window', recommended: 5, given: { load: 100, current: 9, history: recommendedAt(9.5, 8) }, expected: 8, stages: ['stabilize'] },
    { name: 'let go of an older recommendation', recommended: 5, given: { load: 100, current: 9, history: recommendedAt(9, 8) }, expected: 5, stages: [] },
    // 2 of 40 are 5 %
    { name: 'do not change for one in twenty', recommended: 38, given: { load: 100, current: 40 }, expected: 40, stages: ['stick'] },
    { name: 'let three of forty go', recommended: 37, given: { load: 100, current: 40 }, expected: 37, stages: [] },
    // max(4 + 4, 2 × 4)
    { name: 'let replicas at most double or grow by four', recommended: 30, given: { load: 100, current: 4 }, expected: 8, stages: ['rate'] },
    { name: 'keep below the most replicas', recommended: 80, given: { load: 100, current: 45 }, expected: 50, stages: ['range'] },
    { name: 'keep above the fewest', recommended: 0, given: { load: 0, current: 2 }, expected: 1, stages: ['range'] }
  ])('$name', ({ recommended, given, expected, stages }) => {
    const { replicas, adjustments } = applyStages(recommended, seen(given), policy)

    expect(replicas).toBe(expected)
    expect(adjustments.map(({ stage }) => stage)).toEqual(stages)
  })

  it.each([
    { name: 'a pause keeps what is', override: { kind: 'pause', reason: 'migration' }, recommended: 20, expected: 10, reason: 'Paused: migration' },
    { name: 'a hold lets nothing go', override: { kind: 'hold', reason: 'upstream is down' }, recommended: 4, expected: 10, reason: 'ScaleInHeld: upstream is down' },
    { name: 'a hold lets more come', override: { kind: 'hold', reason: 'upstream is down' }, recommended: 12, expected: 12, reason: undefined },
    { name: 'a force sets', override: { kind: 'force', replicas: 33, reason: 'sale' }, recommended: 12, expected: 33, reason: 'Forced: sale' },
    { name: 'an override that has ended does nothing', override: { kind: 'pause', reason: 'over', until: until(10) }, recommended: 12, expected: 12, reason: undefined },
    { name: 'an override that lasts says until when', override: { kind: 'pause', reason: 'migration', until: until(11) }, recommended: 12, expected: 10, reason: 'Paused until 1970-01-01T00:11:00.000Z: migration' }
  ] as const)('$name', ({ override, recommended, expected, reason }) => {
    const { replicas, adjustments } = applyStages(recommended, seen({ load: 100, current: 10 }), overriding(override))

    expect(replicas).toBe(expected)
    expect(adjustments.find(({ stage }) => stage === 'override')?.reason).toBe(reason)
  })

  it('an operator who forces more than the most gets the most, and both reasons', () => {
    const { replicas, adjustments } = applyStages(12, seen({ load: 100, current: 10 }), overriding({ kind: 'force', replicas: 500, reason: 'typing error' }))

    expect(replicas).toBe(50)
    expect(adjustments).toEqual([
      { stage: 'override', from: 12, to: 500, reason: 'Forced: typing error' },
      { stage: 'range', from: 500, to: 50, reason: 'TooManyReplicas: ScalingLimited, 450 more are wanted' }
    ])
  })

  it('an adjustment names HPA\'s reason word', () => {
    const reasonOf = (recommended: number, given: Given) => applyStages(recommended, seen(given), policy).adjustments[0].reason

    expect(reasonOf(5, { load: 100, current: 9, history: recommendedAt(9.5, 8) })).toMatch(/^ScaleDownStabilized: /)
    expect(reasonOf(30, { load: 100, current: 4 })).toMatch(/^ScaleUpLimit: /)
    expect(reasonOf(0, { load: 0, current: 2 })).toMatch(/^TooFewReplicas: /)
  })
})
