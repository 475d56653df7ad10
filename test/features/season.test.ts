import { describe, expect, it } from 'vitest'
import { findSeasonSeconds } from '../../src/features/season.ts'
import { createRandom } from '../../src/ml/random.ts'

const day = 86_400
const find = (loads: Float64Array, hintSeconds = day) => findSeasonSeconds(loads, { stepSeconds: 60, hintSeconds })

/** A wave for each period, in rows, and a little chance. */
function waves (rows: number, ...periods: readonly number[]): Float64Array {
  const random = createRandom(4)
  return Float64Array.from({ length: rows }, (_, row) =>
    1000 + periods.reduce((sum, period) => sum + 300 * Math.sin(2 * Math.PI * row / period), 0) + 40 * random())
}

describe('the season of a load', () => {
  it('is the hint where the load follows it', () => {
    expect(find(waves(7 * 1440, 1440))).toBe(day)
  })

  it('is found where it is a part of what was supposed, and then exactly that part', () => {
    expect(find(waves(4000, 288))).toBe(day / 5)
    expect(find(waves(9000, 360))).toBe(day / 4)
  })

  it('is found where it has nothing to do with what was supposed', () => {
    const found = find(waves(9000, 500))

    expect(Math.abs(found / (500 * 60) - 1)).toBeLessThan(0.015)
  })

  it('stays a day where a day says more than its part, and where it says less than a week', () => {
    // Waves of four hours upon those of a day.
    expect(find(waves(7 * 1440, 1440, 240))).toBe(day)
    const weekly = Float64Array.from({ length: 28 * 1440 }, (_, row) => 500 + (row % 1440) + 2000 * Number(Math.floor(row / 1440) % 7 < 5))
    expect(find(weekly)).toBe(day)
  })

  it('stays the hint for what happens every few minutes', () => {
    const jobs = Float64Array.from({ length: 5000 }, (_, row) => row % 60 < 3 ? 2000 : 500)

    expect(find(jobs)).toBe(day)
  })

  it('survives gaps', () => {
    const loads = waves(4000, 288).map((load, row) => row % 700 < 60 ? NaN : load)

    expect(find(loads)).toBe(day / 5)
  })

  it.each([
    ['nothing', new Float64Array(0)],
    ['too little', waves(500, 288)],
    ['gaps alone', new Float64Array(3000).fill(NaN)],
    ['a constant', new Float64Array(3000).fill(7)],
    ['silence', new Float64Array(3000)]
  ])('stays the hint for %s', (_, loads) => {
    expect(find(loads)).toBe(day)
  })
})
