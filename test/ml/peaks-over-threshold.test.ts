import { describe, expect, it } from 'vitest'
import { fitGeneralisedPareto, peaksOverThreshold, surpriseOf } from '../../src/ml/peaks-over-threshold.ts'
import { createRandom } from '../../src/ml/random.ts'

/** Generalised Pareto values by inversion: scale / shape · (u^−shape − 1). */
function pareto (count: number, { shape, scale }: { shape: number, scale: number }): number[] {
  const random = createRandom(5)
  return Array.from({ length: count }, () => scale / shape * ((1 - random()) ** -shape - 1))
}

describe('The generalised Pareto fit', () => {
  it.each([{ shape: 0.2, scale: 2 }, { shape: -0.15, scale: 1 }])('finds shape $shape and scale $scale again', truth => {
    const { shape, scale } = fitGeneralisedPareto(pareto(20_000, truth))
    expect(shape).toBeCloseTo(truth.shape, 1)
    expect(scale / truth.scale).toBeCloseTo(1, 1)
  })

  it('takes the tail to be exponential for few values: shape 0, scale the mean', () => {
    expect(fitGeneralisedPareto([1, 2, 3])).toEqual({ shape: 0, scale: 2 })
  })

  it('stays finite for equal values', () => {
    const { shape, scale } = fitGeneralisedPareto(Array(30).fill(1))
    expect([shape, scale].every(Number.isFinite)).toBe(true)
  })
})

describe('Surprise', () => {
  it('is −log₁₀ of the tail: with an exponential tail of scale 1, an excess of ln 100 has probability 1/100', () => {
    expect(surpriseOf({ shape: 0, scale: 1 }, Math.log(100))).toBeCloseTo(2, 9)
  })

  it('is at most 15, also beyond the end of a tail that ends', () => {
    expect(surpriseOf({ shape: -0.2, scale: 1 }, 5.1)).toBe(15)
    expect(surpriseOf({ shape: 0, scale: 1 }, 1e9)).toBe(15)
  })
})

describe('Peaks over threshold', () => {
  it('is exceeded by new excursions about as often as was asked', () => {
    const random = createRandom(3)
    const exponential = (count: number) => Array.from({ length: count }, () => -Math.log(1 - random()))
    const threshold = peaksOverThreshold(exponential(20_000), 1 / 2000)
    // An exponential value exceeds t with e^−t: once in 2,000 is ln 2000 = 7.6.
    expect(threshold).toBeGreaterThan(6.6)
    expect(threshold).toBeLessThan(8.6)
  })

  it('counts an excursion of many steps as one', () => {
    // One excursion of 50 steps in 10,000, and one asked for in 5,000: its peak is not above the rate, so the level stays the threshold.
    const scores = Array.from({ length: 10_000 }, (_, i) => i >= 500 && i < 550 ? 5 : 1)
    expect(peaksOverThreshold(scores, 1 / 5000)).toBeLessThan(5)
  })
})
