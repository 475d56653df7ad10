import { describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { predictRidge, trainRidge } from '../../src/ml/ridge.ts'

describe('ridge regression', () => {
  it('finds the plane that it was given, whatever the units of the features', () => {
    const random = createRandom(1)
    const x = Float64Array.from({ length: 2000 }, (_, i) => i % 2 === 0 ? normal(random) : 1e4 * normal(random))
    const y = Float64Array.from({ length: 1000 }, (_, row) => 3 + 2 * x[2 * row] - 5e-4 * x[2 * row + 1])

    const ridge = trainRidge(x, y, { width: 2, penalty: 1e-9 })

    // 3 + 2 × 1 − 0.0005 × 10,000 = 0
    expect(predictRidge(ridge, Float64Array.of(1, 1e4))).toBeCloseTo(0, 3)
    expect(predictRidge(ridge, Float64Array.of(0, 0))).toBeCloseTo(3, 3)
  })

  it('survives constant and repeated features', () => {
    const rows = [1, 2, 3, 4, 5]
    const x = Float64Array.from(rows.flatMap(value => [value, value, 7]))
    const ridge = trainRidge(x, Float64Array.from(rows, value => 10 * value), { width: 3, penalty: 1e-6 })

    expect(predictRidge(ridge, Float64Array.of(3, 3, 7))).toBeCloseTo(30, 3)
    // a feature that never varied says nothing, whatever it becomes
    expect(predictRidge(ridge, Float64Array.of(3, 3, 1000))).toBeCloseTo(30, 3)
  })

  it('does not follow one feature out of all that was seen', () => {
    const random = createRandom(2)
    const x = Float64Array.from({ length: 1000 }, () => normal(random))
    const ridge = trainRidge(x, x.slice(), { width: 1, penalty: 1e-9 })

    // clipped at six standard deviations
    expect(predictRidge(ridge, Float64Array.of(1e6))).toBeLessThan(7)
  })
})
