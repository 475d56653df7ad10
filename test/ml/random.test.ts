import { describe, expect, it } from 'vitest'
import { createRandom, normal, shuffle } from '../../src/ml/random.ts'

const draws = (seed: number, count: number) => {
  const random = createRandom(seed)
  return Float64Array.from({ length: count }, random)
}
const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length

describe('the seeded generator', () => {
  it('repeats itself for the same seed and differs for the next one', () => {
    expect(draws(7, 100)).toEqual(draws(7, 100))
    expect(draws(7, 100)).not.toEqual(draws(8, 100))
  })

  it('is uniform in [0, 1): mean 1/2, variance 1/12, and every twentieth equally full', () => {
    const values = draws(1, 100_000)
    expect(Math.min(...values.subarray(0, 10_000))).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values.subarray(0, 10_000))).toBeLessThan(1)
    // Standard errors: 0.29 / √100 000 = 0.0009 and 0.075 / √100 000 = 0.0002.
    expect(Math.abs(meanOf(values) - 1 / 2)).toBeLessThan(0.004)
    expect(Math.abs(meanOf(values.map(value => (value - 0.5) ** 2)) - 1 / 12)).toBeLessThan(0.001)
    const bins = new Float64Array(20)
    for (const value of values) bins[Math.floor(value * 20)]++
    // 5 000 expected in each, standard deviation 69.
    for (const count of bins) expect(Math.abs(count - 5000)).toBeLessThan(345)
  })

  it('gives unrelated first values to seeds that follow each other', () => {
    const firsts = Float64Array.from({ length: 10_000 }, (_, seed) => createRandom(seed)())
    const mean = meanOf(firsts)
    const product = meanOf(firsts.subarray(1).map((value, i) => (value - mean) * (firsts[i] - mean)))
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.015)
    // Correlation within five standard errors (1 / √10 000) of 0.
    expect(Math.abs(product * 12)).toBeLessThan(0.05)
  })

  it('draws standard normal values', () => {
    const random = createRandom(3)
    const values = Float64Array.from({ length: 50_000 }, () => normal(random))
    expect(Math.abs(meanOf(values))).toBeLessThan(0.025)
    expect(Math.abs(meanOf(values.map(value => value * value)) - 1)).toBeLessThan(0.035)
    // 2.5 % lie above 1.96.
    expect(Math.abs(values.filter(value => value > 1.96).length / 50_000 - 0.025)).toBeLessThan(0.004)
  })
})

describe('shuffle', () => {
  it('keeps the items and puts each in every place equally often', () => {
    const random = createRandom(5)
    const places = new Float64Array(16)
    for (let round = 0; round < 4000; round++) shuffle([0, 1, 2, 3], random).forEach((item, place) => places[item * 4 + place]++)
    // 1 000 expected of each item in each place, standard deviation 27.
    for (const count of places) expect(Math.abs(count - 1000)).toBeLessThan(140)
  })

  it('with a count draws that many without replacement', () => {
    const drawn = shuffle(Int32Array.from({ length: 100 }, (_, i) => i), createRandom(6), 10).subarray(0, 10)
    expect(new Set(drawn).size).toBe(10)
  })
})
