import { describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { robustTrend } from '../../src/ml/robust-trend.ts'

const line = Array.from({ length: 24 }, (_, i) => 10 + 2 * i)

describe('a robust trend', () => {
  it('of a line is the line', () => {
    expect(robustTrend(line)).toEqual({ slope: 2, level: 56 })
    expect(robustTrend(line.toReversed())).toEqual({ slope: -2, level: 10 })
  })

  it('stays where it was when every sixth value is wrong or missing', () => {
    expect(robustTrend(line.map((value, i) => i % 6 === 3 ? 1e6 : value))!.slope).toBeCloseTo(2, 1)
    expect(robustTrend(line.map((value, i) => i % 6 === 3 ? NaN : value))).toEqual({ slope: 2, level: 56 })
  })

  it('is none in a constant, in few values, and in all but a few of 500 times of noise', () => {
    expect(robustTrend(Array(48).fill(3))).toBeNull()
    expect(robustTrend(line.slice(0, 11))).toBeNull()
    expect(robustTrend([])).toBeNull()
    const random = createRandom(1)
    const found = Array.from({ length: 500 }, () => robustTrend(Array.from({ length: 48 }, () => normal(random)))).filter((trend) => trend !== null)
    // Beyond three deviations lie 0.27 % of both sides: 1.35 of 500 are to be expected.
    expect(found.length).toBeLessThanOrEqual(6)
  })
})
