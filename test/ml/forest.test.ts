import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDistribution, meanOf } from '../../src/ml/distribution.ts'
import { Forest, trainForest, type ForestOptions, type TrainingSet } from '../../src/ml/forest.ts'
import { readModelFile, writeModelFile } from '../../src/ml/model-file.ts'
import { createRandom } from '../../src/ml/random.ts'
import { describeModel } from './model-contract.ts'

const options: ForestOptions = { trees: 20, minLeaf: 1, maxFeatures: 1 }
const oneColumn = (pairs: readonly (readonly [x: number, y: number])[]): TrainingSet => ({
  features: ['load'], x: Float64Array.from(pairs, ([x]) => x), y: Float64Array.from(pairs, ([, y]) => y)
})
const rowsOf = ({ features, y }: TrainingSet) => Array.from(y.keys(), row => ({ from: row * features.length, to: (row + 1) * features.length }))
const rootMeanSquare = (errors: readonly number[]) => Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length)

/** 2,000 rows of five numbers in [0, 1): fractional parts of multiples of irrational numbers, so that any language makes the same. */
function surface (from: number, to: number): TrainingSet {
  const steps = [0.6180339887498949, 0.7548776662466927, 0.8191725133961645, 0.8566748838545029, 0.8812714616335696]
  const x = new Float64Array((to - from) * 5)
  const y = new Float64Array(to - from)
  for (let row = 0; row < y.length; row++) {
    const i = from + row + 1
    const [a, b, c, d, e] = steps.map(step => (i * step) % 1)
    x.set([a, b, c, d, e], row * 5)
    y[row] = 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + (i % 7 === 0 ? 3 : 0)
  }
  return { features: ['a', 'b', 'c', 'd', 'e'], x, y }
}
const learned = surface(0, 1500)
const unseen = surface(1500, 2000)
const forest = trainForest(learned, { trees: 50, minLeaf: 5, maxFeatures: 2 }, createRandom(1))
const row = unseen.x.slice(0, 5)

describeModel('The forest', {
  train: seed => trainForest(learned, { trees: 5, minLeaf: 20, maxFeatures: 2 }, createRandom(seed)),
  load: bytes => Forest.fromBytes(bytes),
  evaluate: (model, x) => model.predict(x),
  row,
  // The target grows by 10 along d.
  direction: { lower: Float64Array.of(0.5, 0.5, 0.5, 0.1, 0.5), higher: Float64Array.of(0.5, 0.5, 0.5, 0.9, 0.5) }
})

describe('steps', () => {
  it('of 0 and 100 come back as 0 and 100', () => {
    const step = oneColumn(Array.from({ length: 40 }, (_, i) => [i < 20 ? 1 : 2, i < 20 ? 0 : 100] as const))
    const model = trainForest(step, options, createRandom(1))
    expect([1, 2].map(x => model.predict(Float64Array.of(x)))).toEqual([0, 100])
  })

  it('of four plateaus come back exactly, also between and beyond the rows seen', () => {
    const plateaus = oneColumn(Array.from({ length: 80 }, (_, i) => [i % 4, 10 * (i % 4)] as const))
    const model = trainForest(plateaus, options, createRandom(2))
    // Cuts lie halfway: 0.5, 1.5 and 2.5.
    expect([-9, 0, 0.5, 0.51, 1, 2, 2.5, 3, 99].map(x => model.predict(Float64Array.of(x)))).toEqual([0, 0, 0, 10, 10, 20, 20, 30, 30])
  })

  it('that only two features together explain are found, though the first cut gains nothing', () => {
    // Exclusive or: each feature alone leaves the mean at 50.
    const corners = Array.from({ length: 100 }, (_, i) => [i & 1, (i >> 1) & 1])
    const set = { features: ['a', 'b'], x: Float64Array.from(corners.flat()), y: Float64Array.from(corners, ([a, b]) => 100 * (a ^ b)) }
    const model = trainForest(set, { trees: 1, minLeaf: 1, maxFeatures: 2, bootstrap: false }, createRandom(1))
    expect(corners.slice(0, 4).map(corner => model.predict(Float64Array.from(corner)))).toEqual([0, 100, 100, 0])
  })

  it('of any values come back exactly from a tree that saw every row once', () => {
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true })
    const pairs = fc.uniqueArray(fc.tuple(value, value), { selector: ([x]) => x + 0, minLength: 1, maxLength: 40 })
    fc.assert(fc.property(pairs, pairs => {
      const model = trainForest(oneColumn(pairs), { trees: 1, minLeaf: 1, maxFeatures: 1, bootstrap: false }, createRandom(1))
      for (const [x, y] of pairs) expect(model.predict(Float64Array.of(x)) + 0).toBe(y + 0)
    }))
  })
})

describe('beside scikit-learn', () => {
  // Made once with scikit-learn 1.2.1 on the same rows (`numpy.modf(i * step)`), first 1,500 learned, last 500 predicted:
  // RandomForestRegressor(100, min_samples_leaf=2, max_features=2, random_state=s), s = 0 … 9: root mean square error 1.729, standard deviation 0.013;
  // DecisionTreeRegressor(min_samples_leaf=5, max_depth=8), which draws no lots: the numbers below.
  it('the forest errs as much with equal options', () => {
    const errors = [1, 2, 3].map(seed => {
      const model = trainForest(learned, { trees: 100, minLeaf: 2, maxFeatures: 2 }, createRandom(seed))
      return rootMeanSquare(rowsOf(unseen).map(({ from, to }, i) => model.predict(unseen.x.subarray(from, to)) - unseen.y[i]))
    })
    for (const error of errors) expect(Math.abs(error - 1.729)).toBeLessThan(0.05)
  })

  it('the importances agree', () => {
    const expected = [0.211, 0.219, 0.086, 0.374, 0.110]
    const { importance } = trainForest(learned, { trees: 100, minLeaf: 2, maxFeatures: 2 }, createRandom(1))
    importance.forEach((share, i) => expect(Math.abs(share - expected[i])).toBeLessThan(0.015))
  })

  it('a tree without chance is the same tree', () => {
    const tree = trainForest(learned, { trees: 1, minLeaf: 5, maxDepth: 8, maxFeatures: 5, bootstrap: false }, createRandom(1))
    const predicted = rowsOf(unseen).map(({ from, to }) => tree.predict(unseen.x.subarray(from, to)))
    const expected = [15.61914842, 19.30661906, 22.27417683, 15.41979854, 10.85664307, 11.56187511]
    expected.forEach((value, i) => expect(predicted[i]).toBeCloseTo(value, 7))
    expect(rootMeanSquare(predicted.map((value, i) => value - unseen.y[i]))).toBeCloseTo(2.6279118501402974, 7)
    expect(tree.importance[3]).toBeCloseTo(0.40749284, 7)
  })
})

describe('quantiles', () => {
  it('are the targets that the leaf has seen', () => {
    // One leaf of ten rows: the smallest value with at least 3 of 10 below or at it is 30.
    const ten = oneColumn(Array.from({ length: 10 }, (_, i) => [1, 10 * (i + 1)] as const))
    const model = trainForest(ten, { trees: 1, minLeaf: 10, maxFeatures: 1, bootstrap: false }, createRandom(1))
    expect(model.quantiles(Float64Array.of(1), [0, 0.1, 0.3, 0.31, 0.5, 1])).toEqual(Float64Array.of(10, 10, 30, 40, 50, 100))
  })

  it('cover what they say of rows that were not seen', () => {
    // The noise is uniform on [0, x): its 90 % quantile is 0.9 x.
    const noisy = (seed: number, rows: number) => {
      const random = createRandom(seed)
      return oneColumn(Array.from({ length: rows }, () => { const x = 1 + random(); return [x, x * random()] as const }))
    }
    const model = trainForest(noisy(1, 4000), { trees: 64, minLeaf: 40, maxFeatures: 1 }, createRandom(1))
    const test = noisy(2, 4000)
    for (const quantile of [0.1, 0.5, 0.9]) {
      const below = Array.from(test.y).filter((y, i) => y <= model.quantiles(test.x.subarray(i, i + 1), [quantile])[0]).length
      expect(Math.abs(below / 4000 - quantile)).toBeLessThan(0.03)
    }
    expect(model.quantiles(Float64Array.of(1.9), [0.9])[0]).toBeGreaterThan(1.3 * model.quantiles(Float64Array.of(1.1), [0.9])[0])
  })

  it('come from a distribution that ascends, weighs 1 and has the prediction as its mean, for any row', () => {
    const out = createDistribution(0)
    const number = fc.double({ min: -0.5, max: 1.5, noNaN: true })
    fc.assert(fc.property(fc.array(number, { minLength: 5, maxLength: 5 }), numbers => {
      const x = Float64Array.from(numbers)
      const { size, values, weights } = forest.distribution(x, out)
      for (let i = 1; i < size; i++) expect(values[i]).toBeGreaterThan(values[i - 1])
      expect(weights.subarray(0, size).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9)
      expect(meanOf(out)).toBeCloseTo(forest.predict(x), 9)
      const [low, middle, high] = forest.quantiles(x, [0.05, 0.5, 0.95])
      expect(low <= middle && middle <= high).toBe(true)
      expect(low >= values[0] && high <= values[size - 1]).toBe(true)
    }), { numRuns: 50 })
  })

  it('leave nothing of one row in the answer to the next', () => {
    const first = forest.quantiles(row, [0.1, 0.5, 0.9])
    forest.quantiles(unseen.x.slice(5, 10), [0.1, 0.5, 0.9])
    expect(forest.quantiles(row, [0.1, 0.5, 0.9])).toEqual(first)
  })
})

describe('explanations', () => {
  it('add up to the prediction, together with the bias', () => {
    for (const { from, to } of rowsOf(unseen).slice(0, 100)) {
      const x = unseen.x.subarray(from, to)
      expect(forest.bias + forest.contributions(x).reduce((sum, share) => sum + share, 0)).toBeCloseTo(forest.predict(x), 9)
    }
  })

  it('give all to the one feature that matters, here and on the whole', () => {
    // Only `load` varies: 10 rows of 0 and 10 of 100, so the bias is 50 and load moves it by ±50.
    const x = Float64Array.from({ length: 40 }, (_, i) => i % 2 === 0 ? 7 : Number(i >= 20))
    const set = { features: ['constant', 'load'], x, y: Float64Array.from({ length: 20 }, (_, i) => i < 10 ? 0 : 100) }
    const model = trainForest(set, { trees: 4, minLeaf: 1, maxFeatures: 1, bootstrap: false }, createRandom(1))
    expect(model.importance).toEqual(Float64Array.of(0, 1))
    expect(model.bias).toBe(50)
    expect(model.contributions(Float64Array.of(7, 1))).toEqual(Float64Array.of(0, 50))
    expect(model.contributions(Float64Array.of(7, 0))).toEqual(Float64Array.of(0, -50))
  })

  it('on the whole add up to 1, also after saving and loading; without a split they are 0', () => {
    expect(forest.importance.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
    expect(Forest.fromBytes(forest.toBytes()).importance).toEqual(forest.importance)
    const flat = trainForest(oneColumn([[1, 5], [2, 5]]), options, createRandom(1))
    expect(flat.importance).toEqual(Float64Array.of(0))
    expect(flat.predict(Float64Array.of(9))).toBe(5)
  })
})

describe('options', () => {
  it('minLeaf bounds the rows of a leaf from below', () => {
    const model = trainForest(learned, { trees: 1, minLeaf: 30, maxFeatures: 5, bootstrap: false }, createRandom(1))
    // Without repetition every row of the leaf has its own target, and each weighs the same.
    for (const { from, to } of rowsOf(unseen)) expect(model.distribution(unseen.x.subarray(from, to)).size).toBeGreaterThanOrEqual(30)
  })

  it('maxDepth 1 leaves two answers', () => {
    const model = trainForest(learned, { trees: 1, minLeaf: 1, maxFeatures: 5, maxDepth: 1 }, createRandom(1))
    expect(new Set(rowsOf(unseen).map(({ from, to }) => model.predict(unseen.x.subarray(from, to)))).size).toBe(2)
  })

  it('sampleRows makes smaller trees, and may exceed the rows', () => {
    const size = (sampleRows: number) => trainForest(learned, { trees: 4, minLeaf: 1, maxFeatures: 2, sampleRows }, createRandom(1)).toBytes().length
    expect(size(150)).toBeLessThan(size(1500) / 3)
    expect(size(15_000)).toBeGreaterThan(size(1500))
  })

  it.each([
    [{ trees: 0 }, 'Expected trees to be a whole number from 1, got 0.'],
    [{ minLeaf: 1.5 }, 'Expected minLeaf to be a whole number from 1, got 1.5.'],
    [{ maxFeatures: 6 }, 'Expected maxFeatures of at most 5, got 6.'],
    [{ maxDepth: NaN }, 'Expected maxDepth to be a whole number from 1, got NaN.'],
    [{ sampleRows: -1 }, 'Expected sampleRows to be a whole number from 1, got -1.']
  ])('refuses %j', (wrong, says) => {
    expect(() => trainForest(learned, { ...options, ...wrong }, createRandom(1))).toThrow(new RangeError(says))
  })
})

describe('what it does not learn from', () => {
  const set = oneColumn([[1, 10], [2, 20], [3, 30]])

  it.each([
    ['a NaN feature', { ...set, x: set.x.with(1, NaN) }, 'Expected a finite number for feature 0 (load) of row 1, got NaN.'],
    ['an infinite target', { ...set, y: set.y.with(2, Infinity) }, 'Expected a finite number for the target of row 2, got Infinity.'],
    ['too few numbers', { ...set, x: set.x.slice(1) }, 'Expected 3 × 1 = 3 numbers in x, got 2.'],
    ['no rows', oneColumn([]), 'Expected at least 1 training row, got 0.'],
    ['no features', { ...set, features: [] }, 'Expected 1 to 32767 features, got 0.']
  ])('%s', (_, wrong, says) => {
    expect(() => trainForest(wrong, options, createRandom(1))).toThrow(new RangeError(says))
  })

  it('quantiles, distribution and contributions refuse the same rows as predict', () => {
    const quantiles = (x: Float64Array) => forest.quantiles(x, [0.5])
    const distribution = (x: Float64Array) => forest.distribution(x)
    const contributions = (x: Float64Array) => forest.contributions(x)
    for (const ask of [quantiles, distribution, contributions]) {
      expect(() => ask(new Float64Array(4))).toThrow('Expected 5 features, got 4.')
      expect(() => ask(Float64Array.of(1, 2, NaN, 4, 5))).toThrow('Expected a finite number for feature 2 (c), got NaN.')
    }
  })
})

describe('a forest file whose checksum is right but whose trees are not', () => {
  const file = readModelFile(forest.toBytes(), 'forest')
  const withSection = (name: string, change: (section: Int16Array) => void) => {
    const section = file.sections[name].slice() as Int16Array
    change(section)
    return writeModelFile({ ...file, sections: { ...file.sections, [name]: section } })
  }

  it.each([
    ['a walk in a circle', 'first', (section: Int16Array) => { section[0] = 0 }, 'node 0 has child 0'],
    ['an unknown feature', 'feature', (section: Int16Array) => { section[0] = 5 }, 'node 0 splits on feature 5 of 5'],
    ['a root outside', 'roots', (section: Int16Array) => { section[1] = 1e9 }, 'a tree begins at node 1000000000'],
    ['an unknown target', 'samples', (section: Int16Array) => { section[0] = 1500 }, 'a leaf holds target 1500 of']
  ])('is refused: %s', (_, name, change, says) => {
    expect(() => Forest.fromBytes(withSection(name, change))).toThrow(says)
  })
})
