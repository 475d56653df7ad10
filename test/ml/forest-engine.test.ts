import { RandomForestRegression } from 'ml-random-forest'
import { describe, expect, it } from 'vitest'
import { loadForest, trainWith } from '../../src/ml/forest-engine.ts'
import type { TrainingSet } from '../../src/ml/forest.ts'
import { MeanForest, trainMeanForest } from '../../src/ml/mean-forest.ts'
import { writeModelFile } from '../../src/ml/model-file.ts'
import { createRandom } from '../../src/ml/random.ts'
import { describeModel } from './model-contract.ts'

// 60 rows; the target is ten times the first feature, the second says nothing.
const random = createRandom(1)
const x = Float64Array.from({ length: 120 }, () => random())
const set: TrainingSet = { features: ['load', 'noise'], x, y: Float64Array.from({ length: 60 }, (_, row) => 10 * x[2 * row]) }
const options = { trees: 8, minLeaf: 2, maxFeatures: 2 }

describeModel('A forest of ml-random-forest', {
  train: seed => trainMeanForest(set, options, createRandom(seed)),
  load: bytes => MeanForest.fromBytes(bytes),
  evaluate: (model, row) => model.predict(row),
  row: Float64Array.of(0.4, 0.6),
  direction: { lower: Float64Array.of(0.1, 0.5), higher: Float64Array.of(0.9, 0.5) }
})

describe('the engine of training', () => {
  it.each([['prescale', 'forest'], ['ml-random-forest', 'ml-random-forest']] as const)('%s trains a model that loads as %s', (engine, kind) => {
    const model = trainWith(engine, set, { options, random: createRandom(2) })
    const loaded = loadForest(model.toBytes())
    expect(loaded.kind).toBe(kind)
    expect(loaded.predict(Float64Array.of(0.9, 0.5))).toBe(model.predict(Float64Array.of(0.9, 0.5)))
    expect(loaded.importance).toEqual(model.importance)
    expect(loaded.importance[0]).toBeGreaterThan(0.8)
  })

  it('refuses a model of yet another kind', () => {
    expect(() => loadForest(writeModelFile({ kind: 'network', features: [], meta: {}, sections: {} }))).toThrow('got "network".')
  })
})

describe('ml-random-forest', () => {
  it('gives the numbers of the library itself for its JSON, and has no quantiles', () => {
    const theirs = new RandomForestRegression({ nEstimators: 5, seed: 3, noOOB: true })
    theirs.train(Array.from({ length: 60 }, (_, row) => [x[2 * row], x[2 * row + 1]]), Array.from(set.y))
    const model = new MeanForest({ features: set.features, json: JSON.stringify(theirs) })
    expect(model.predict(Float64Array.of(0.3, 0.3))).toBe(theirs.predict([[0.3, 0.3]])[0])
    expect(model.importance).toEqual(Float64Array.of(0, 0))
    expect('quantiles' in model).toBe(false)
  })

  it('uses as many features as were asked for, where the library reads 1 as all', () => {
    const { importance } = trainMeanForest(set, { ...options, trees: 1, maxFeatures: 1 }, createRandom(1))
    expect(Array.from(importance).filter(share => share > 0)).toHaveLength(1)
  })

  it('is not given what it would get wrong: numbers that are not finite, or a sample of the rows', () => {
    expect(() => trainMeanForest({ ...set, y: set.y.with(0, NaN) }, options, createRandom(1))).toThrow(RangeError)
    expect(() => trainMeanForest(set, { ...options, sampleRows: 30 }, createRandom(1))).toThrow('sampleRows (30)')
  })

  it('refuses JSON of another model', () => {
    expect(() => new MeanForest({ features: ['a'], json: '{"name":"RFClassifier"}' })).toThrow('Invalid model: RFClassifier')
  })
})
