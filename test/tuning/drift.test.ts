import { describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { noDrift, watchDrift } from '../../src/tuning/drift.ts'

/** @returns the residuals after which an alarm came. */
function alarms (residuals: readonly number[]): number[] {
  let state = noDrift
  return residuals.flatMap((residual, i) => {
    const watched = watchDrift(state, residual)
    state = watched.state
    return watched.alarm ? [i] : []
  })
}
const noise = (count: number, seed: number, shift = 0) => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => shift + normal(random))
}

describe('the drift alarm', () => {
  it('is quiet over residuals that are what was expected', () => {
    expect(Array.from({ length: 10 }, (_, seed) => alarms(noise(400, seed))).flat().length).toBeLessThanOrEqual(1)
  })

  it.each([['worse', -3], ['better', 3]])('comes soon after results became %s than predicted', (_, shift) => {
    const [first] = alarms([...noise(100, 1), ...noise(60, 2, shift)])
    expect(first).toBeGreaterThanOrEqual(100)
    expect(first).toBeLessThan(120)
  })

  it('does not come of a single outlier, and not before it has seen 20 residuals', () => {
    expect(alarms([...noise(60, 3).map(value => value / 2), -1000, ...noise(60, 4).map(value => value / 2)])).toEqual([])
    expect(alarms(Array.from({ length: 20 }, (_, i) => i < 10 ? 4 : -4))).toEqual([])
  })

  it('begins anew after an alarm', () => {
    let state = noDrift
    for (const residual of noise(100, 5)) state = watchDrift(state, residual).state
    let watched = watchDrift(state, 4)
    while (!watched.alarm) watched = watchDrift(watched.state, 4)
    expect(watched.state).toEqual(noDrift)
  })
})
