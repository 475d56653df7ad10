import { describe, expect, it } from 'vitest'
import type { Observation } from '../../src/tuning/observations.ts'
import { plausible, settle } from '../../src/tuning/plausible.ts'

const results = (...utilities: number[]): Observation[] =>
  utilities.map((utility, at) => ({ id: String(at), at, context: [0, 0, 0], unit: [0.5], utility, defaultUtility: utility }))

describe('a performance', () => {
  it('counts at most one range beyond what was reported lately', () => {
    const known = results(58, 61, 60, 62, 59)
    expect([70, 1e12, -1e12].map(utility => plausible(utility, known, 100))).toEqual([70, 162, -42])
  })

  it('is followed where it stays another, one range a result', () => {
    let known = results(1, 1, 1, 1, 1)
    for (let i = 0; i < 3; i++) known = [...known, ...results(plausible(1000, known, 100))]
    expect(known.slice(-3).map(({ utility }) => utility)).toEqual([101, 201, 301])
  })

  it('is believed as long as hardly any other is known', () => {
    expect(plausible(1e12, results(60, 61), 100)).toBe(1e12)
  })

  it('that was absurd among the first is seen to be so when there are five', () => {
    const { level, observations } = settle(results(1e12, 58, 60, 62, 61), 100)
    expect([level, observations.map(({ utility, defaultUtility }) => [utility, defaultUtility])]).toEqual([61, [[161, 161], [58, 58], [60, 60], [62, 62], [61, 61]]])
  })
})
