import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDistribution, meanOf, mixDistributions, quantilesOf, type Distribution } from '../../src/ml/distribution.ts'

const distributionOf = (...samples: readonly (readonly [value: number, weight: number])[]): Distribution => ({
  size: samples.length,
  values: Float64Array.from(samples, ([value]) => value),
  weights: Float64Array.from(samples, ([, weight]) => weight)
})
const samplesOf = ({ size, values, weights }: Distribution) => Array.from({ length: size }, (_, i) => [values[i], weights[i]])

describe('quantiles of weighted samples', () => {
  // Shares below or at: 10 → 0.5, 20 → 0.75, 40 → 1.
  const distribution = distributionOf([10, 0.5], [20, 0.25], [40, 0.25])

  it.each([[0, 10], [0.5, 10], [0.51, 20], [0.75, 20], [0.76, 40], [1, 40]])('the quantile %d is %d', (quantile, expected) => {
    expect(quantilesOf(distribution, [quantile])[0]).toBe(expected)
  })

  it('come in the order that was asked for, in the array that was given', () => {
    const out = new Float64Array(3)
    expect(quantilesOf(distribution, [0.9, 0.1, 0.6], out)).toBe(out)
    expect(out).toEqual(Float64Array.of(40, 10, 20))
  })

  it('of one value among many equal weights is not lost to rounding', () => {
    const many = distributionOf(...Array.from({ length: 640 }, (_, i) => [i, 1 / 640] as const))
    // The 320th of 640 values, counted from 0, is 319.
    expect(quantilesOf(many, [0.5, 1])).toEqual(Float64Array.of(319, 639))
  })

  it('are refused for an empty distribution and outside of 0 to 1', () => {
    expect(() => quantilesOf(createDistribution(3), [0.5])).toThrow(RangeError)
    for (const quantile of [-0.1, 1.1, NaN]) expect(() => quantilesOf(distribution, [quantile])).toThrow(`between 0 and 1, got ${quantile}.`)
  })
})

describe('the mixture of two distributions', () => {
  it('merges the values in order, each with its share of the weight', () => {
    const mixed = mixDistributions(distributionOf([1, 0.5], [5, 0.5]), distributionOf([2, 1]), { weightA: 0.5 })
    expect(samplesOf(mixed)).toEqual([[1, 0.25], [2, 0.5], [5, 0.25]])
  })

  it('shifts each part before it merges', () => {
    const mixed = mixDistributions(distributionOf([1, 1]), distributionOf([-3, 0.5], [0, 0.5]), { shiftA: 10, shiftB: 12, weightA: 0.8 })
    // −3 + 12 = 9, 1 + 10 = 11, 0 + 12 = 12; b has 1 − 0.8 of the weight.
    expect(samplesOf(mixed).map(([value]) => value)).toEqual([9, 11, 12])
    expect(meanOf(mixed)).toBeCloseTo(0.8 * 11 + 0.2 * 10.5, 12)
  })

  it('is ascending, keeps the weight of 1 and the weighted mean, for any two distributions', () => {
    const arbitrary = fc.array(fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 30 })
      .map(pairs => {
        const sum = pairs.reduce((total, [, weight]) => total + weight, 0)
        return distributionOf(...pairs.sort((a, b) => a[0] - b[0]).map(([value, weight]) => [value, weight / sum] as const))
      })
    const out = createDistribution(0)
    fc.assert(fc.property(arbitrary, arbitrary, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, weightA) => {
      mixDistributions(a, b, { weightA, shiftB: 3, out })
      const samples = samplesOf(out)
      expect(samples.map(([value]) => value)).toEqual(samples.map(([value]) => value).sort((p, q) => p - q))
      expect(samples.reduce((sum, [, weight]) => sum + weight, 0)).toBeCloseTo(1, 9)
      expect(meanOf(out)).toBeCloseTo(weightA * meanOf(a) + (1 - weightA) * (meanOf(b) + 3), 9)
    }))
  })
})
