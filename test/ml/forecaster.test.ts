import { describe, expect, it } from 'vitest'
import { forecastProbabilities, LoadForecaster } from '../../src/ml/forecaster.ts'
import type { TrainingSet } from '../../src/ml/forest.ts'
import { createRandom, normal } from '../../src/ml/random.ts'
import { describeModel } from './model-contract.ts'

/** y = x + noise, twice as noisy for every second row that `busy` marks. */
function noisyLine (rows: number, seed: number): TrainingSet {
  const random = createRandom(seed)
  const x = new Float64Array(2 * rows)
  const y = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const at = 4 * random() - 2
    const busy = row % 2
    x.set([at, busy], 2 * row)
    y[row] = at + 0.1 * (1 + busy) * normal(random)
  }
  return { features: ['at', 'busy'], x, y }
}

const train = (seed: number, rows = 300) => LoadForecaster.train(noisyLine(rows, 1), {
  options: { forest: { trees: 30, minLeaf: 5, maxFeatures: 2 }, ridgePenalty: 1e-6 }, random: createRandom(seed), version: 'test/1'
})
const at = (probability: number) => forecastProbabilities.indexOf(probability)

describeModel('The load forecaster', {
  train,
  load: bytes => LoadForecaster.fromBytes(bytes, 'test/1'),
  evaluate: (model, x) => model.quantiles(x),
  row: Float64Array.of(0.5, 0),
  direction: { lower: Float64Array.of(-1, 0), higher: Float64Array.of(1, 0) }
})

describe('the load forecaster', () => {
  const model = train(1, 4000)

  it('gives ascending quantiles', () => {
    const quantiles = model.quantiles(Float64Array.of(0.3, 1))

    expect(quantiles).toEqual(quantiles.toSorted())
    expect(quantiles).toHaveLength(forecastProbabilities.length)
  })

  it('is wider where the past was noisier', () => {
    const spread = (busy: number) => {
      const quantiles = model.quantiles(Float64Array.of(0.3, busy))
      return quantiles[at(0.95)] - quantiles[at(0.5)]
    }

    // 1.645 × 0.2 and 1.645 × 0.1
    expect(spread(1)).toBeGreaterThan(1.3 * spread(0))
  })

  it('follows a trend beyond all that it was trained on, as half of it is a line', () => {
    // A forest alone would stay at the largest it saw, about 2; the line says 4.
    expect(model.quantiles(Float64Array.of(4, 0))[at(0.5)]).toBeGreaterThan(2.7)
  })

  it('covers what it says it covers on rows that it has not seen', () => {
    const { x, y } = noisyLine(2000, 2)
    const covered = y.filter((actual, row) => actual <= model.quantiles(x.subarray(2 * row, 2 * row + 2))[at(0.9)]).length / y.length

    // Leaves of five rows know the noise a little too well; the price of violations mends what is missing.
    expect(covered).toBeGreaterThan(0.84)
    expect(covered).toBeLessThan(0.94)
  })
})
