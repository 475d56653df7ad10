import { describe, expect, it } from 'vitest'
import type { Override, Policy } from '../../src/domain.ts'
import { contradictions } from '../../src/policy/overrides.ts'
import { minute, policy } from '../support/scaling.ts'
import { createService, reasonOf } from './guarding.ts'

const pause: Override = { kind: 'pause', reason: 'migration' }
const hold: Override = { kind: 'hold', reason: 'failover' }
const outage: Override = { kind: 'outage', reason: 'login is down' }
const force = (replicas: number): Override => ({ kind: 'force', replicas, reason: 'sale' })
const saying = (...overrides: Override[]): Policy => ({ ...policy, overrides })

/** Ten run; then the load asks for 2 (140 / 70) and nothing holds it any more. */
const after = (rules: Policy) => {
  const shop = createService()
  shop.pass(10, 700)
  shop.pass(6, 140, { ...policy, override: pause })
  return shop.pass(1, 140, rules)
}

describe('operators who contradict each other', () => {
  it.each([
    { name: 'nobody', rules: saying(), replicas: 2, reason: undefined },
    { name: 'a pause and a smaller force', rules: saying(pause, force(4)), replicas: 10, reason: 'Paused: migration; the safest of several, over Forced (sale), which asks for 4' },
    { name: 'a hold and a larger force', rules: saying(hold, force(30)), replicas: 30, reason: 'Forced: sale; the safest of several, over ScaleInHeld (failover), which asks for 10' },
    { name: 'two forces', rules: saying(force(3), force(5)), replicas: 5, reason: 'Forced: sale; the safest of several, over Forced (sale), which asks for 3' },
    { name: 'the file and somebody over HTTP', rules: { ...saying(force(4)), override: force(6) }, replicas: 6, reason: 'Forced: sale; the safest of several, over Forced (sale), which asks for 4' },
    { name: 'two who want the same', rules: saying(hold, outage), replicas: 10, reason: 'ScaleInHeld: failover' }
  ])('$name: the most replicas count', ({ rules, replicas, reason }) => {
    const decision = after(rules)
    expect(decision.replicas).toBe(replicas)
    expect(reasonOf(decision, 'override')).toBe(reason)
  })

  it('one whose time is over is not heard', () => {
    const ended: Override = { ...force(30), until: 17 * minute } as Override
    expect(after(saying(ended)).replicas).toBe(2)
    expect(after(saying({ ...ended, until: 17 * minute + 1 })).replicas).toBe(30)
  })

  it('none of them leaves the range, and both reasons are said', () => {
    const decision = after(saying(force(0)))
    expect(decision.replicas).toBe(1)
    expect(decision.adjustments.slice(-2).map(({ stage, to }) => [stage, to])).toEqual([['override', 0], ['range', 1]])
  })

  it('a declared outage holds scale-in and is told to those that depend on it', () => {
    expect(after(saying(outage))).toMatchObject({ replicas: 10, outageSince: 17 * minute })
    expect(after(saying(hold)).outageSince).toBeUndefined()
  })
})

describe('a contradiction', () => {
  it.each([
    { name: 'nobody', overrides: [], replicas: 10, expected: [] },
    { name: 'one alone', overrides: [force(3)], replicas: 10, expected: [] },
    { name: 'two that force alike', overrides: [force(3), force(3)], replicas: 10, expected: [] },
    { name: 'a hold and a larger force: both are obeyed', overrides: [hold, force(12)], replicas: 10, expected: [] },
    { name: 'a pause, a hold and an outage: all are obeyed', overrides: [pause, hold, outage], replicas: 10, expected: [] },
    { name: 'two that force', overrides: [force(3), force(5)], replicas: null, expected: ['Forced (sale) asks for 3, Forced (sale) for 5'] },
    { name: 'a pause and a larger force', overrides: [pause, force(12)], replicas: 10, expected: ['Paused (migration) asks for 10, Forced (sale) for 12'] },
    { name: 'a hold and a smaller force', overrides: [hold, force(2)], replicas: 10, expected: ['Forced (sale) asks for 2, ScaleInHeld (failover) for 10'] },
    { name: 'a pause and a force, while nobody knows what runs', overrides: [pause, force(2)], replicas: null, expected: [] }
  ])('$name', ({ overrides, replicas, expected }) => {
    expect(contradictions(overrides, replicas)).toEqual(expected.map((text) => `OverridesContradict: ${text}; the most replicas count`))
  })

  it('is a notice of every decision that it concerns', () => {
    expect(after(saying(pause, force(4))).notices).toEqual(['OverridesContradict: Forced (sale) asks for 4, Paused (migration) for 10; the most replicas count'])
    expect(after(saying(pause)).notices).toBeUndefined()
  })
})
