import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bluefinDefaults, learnBluefin, proposeBluefin, startBluefin } from '../../src/tuning/bluefin.ts'

const options = bluefinDefaults

describe('Bluefin', () => {
  it('tries a step in one direction and the opposite one, then moves to the better side', () => {
    const start = startBluefin([0.5, 0.5], 1)
    const there = proposeBluefin(start, options)
    const half = learnBluefin(start, 80, options)
    const back = proposeBluefin(half, options)
    expect(Math.hypot(there[0] - 0.5, there[1] - 0.5)).toBeCloseTo(options.radius)
    there.forEach((value, i) => expect(value + back[i]).toBeCloseTo(1))
    const { center, round } = learnBluefin(half, 60, options)
    // 80 − 60 over twice the radius is a slope of 100; times 0.0007: 0.07 towards the first.
    expect(Math.hypot(center[0] - 0.5, center[1] - 0.5)).toBeCloseTo(0.07)
    expect((center[0] - 0.5) * (there[0] - 0.5)).toBeGreaterThan(0)
    expect(round).toBe(1)
  })

  it('climbs a hill', () => {
    const utility = (unit: readonly number[]) => 90 - 100 * unit.reduce((sum, value) => sum + (value - 0.8) ** 2, 0)
    let state = startBluefin([0.2, 0.2, 0.2], 2)
    for (let i = 0; i < 400; i++) state = learnBluefin(state, utility(proposeBluefin(state, options)), options)
    state.center.forEach(value => expect(Math.abs(value - 0.8)).toBeLessThan(0.1))
  })

  it('stays within the unit cube, is not moved far by one outlier, and not at all by what is no number', () => {
    fc.assert(fc.property(fc.integer(), fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 40 }), (seed, utilities) => {
      const end = utilities.reduce((state, utility) => learnBluefin(state, utility, options), startBluefin([0, 1, 0.5], seed))
      expect([...end.center, ...proposeBluefin(end, options)].every(value => value >= 0 && value <= 1)).toBe(true)
    }))
    const start = startBluefin([0.5], 1)
    expect(learnBluefin(start, NaN, options)).toBe(start)
    const [moved] = learnBluefin(learnBluefin(start, 1e9, options), -1e9, options).center
    expect(Math.abs(moved - 0.5)).toBeCloseTo(options.longestMove)
  })
})
