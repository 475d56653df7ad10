import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IsolationForest, isolationDefaults, trainIsolationForest } from '../../src/ml/isolation-forest.ts'
import { isolationVariants } from '../../src/ml/isolation-tree.ts'
import { readModelFile, writeModelFile } from '../../src/ml/model-file.ts'
import { averagePathLength } from '../../src/ml/path-length.ts'
import { createRandom, normal } from '../../src/ml/random.ts'
import { describeModel } from './model-contract.ts'

/** Rows of a two-dimensional normal cloud around 0. */
function cloud (rows: number, seed = 1): Float64Array {
  const random = createRandom(seed)
  return Float64Array.from({ length: 2 * rows }, () => normal(random))
}

const train = (seed: number, options: Partial<typeof isolationDefaults> = {}, x = cloud(300)) =>
  trainIsolationForest({ features: ['a', 'b'], x }, { ...isolationDefaults, ...options }, createRandom(seed))

for (const variant of isolationVariants) {
  describeModel(`The isolation forest, ${variant}`, {
    train: seed => train(seed, { trees: 20, variant }),
    load: bytes => IsolationForest.fromBytes(bytes),
    evaluate: (forest, x) => forest.score(x),
    row: Float64Array.of(0.5, -0.5),
    direction: { lower: Float64Array.of(0, 0), higher: Float64Array.of(6, 6) }
  })
}

describe('The isolation forest', () => {
  it('has the average path lengths of the paper', () => {
    // c(2) = 1; c(256) = 2 (ln 255 + 0.5772156649) − 2 · 255/256 = 10.2448
    expect([averagePathLength(0), averagePathLength(1), averagePathLength(2)]).toEqual([0, 0, 1])
    expect(averagePathLength(256)).toBeCloseTo(10.2448, 4)
  })

  it('scores like scikit-learn, with a mean difference below 0.01', () => {
    // Made with scikit-learn 1.2.1: 240 rows N(0, 1), 60 rows N((4, 4, −3), 0.5), columns times 1, 10, 100; the scores are −score_samples of
    // IsolationForest(n_estimators=100, max_samples=256), the mean over random_state 0 to 19, because single forests differ by about 0.01.
    const { x, queries, scores } = JSON.parse(readFileSync(new URL('../fixtures/isolation-forest.json', import.meta.url), 'utf8'))
    const set = { features: ['a', 'b', 'c'], x: Float64Array.from(x.flat()) }
    const forest = trainIsolationForest(set, { ...isolationDefaults, trees: 1000 }, createRandom(1))
    const differences = queries.map((query: number[], i: number) => Math.abs(forest.score(Float64Array.from(query)) - scores[i]))
    expect(differences.reduce((sum: number, value: number) => sum + value, 0) / differences.length).toBeLessThan(0.01)
  })

  it('gives 0.5 to every row where all training rows are equal', () => {
    // No split is possible: each tree is one leaf with all rows, of the length that the score is divided by.
    const forest = train(1, {}, new Float64Array(400).fill(3))
    expect(forest.score(Float64Array.of(3, 3))).toBeCloseTo(0.5, 9)
    expect(forest.score(Float64Array.of(99, -99))).toBeCloseTo(0.5, 9)
  })

  it('trains on a single row', () => {
    expect(train(1, {}, Float64Array.of(1, 2)).score(Float64Array.of(1, 2))).toBeGreaterThanOrEqual(0)
  })

  it('refuses training rows with a value that is not finite, and names the row', () => {
    expect(() => train(1, {}, Float64Array.of(1, 2, NaN, 4))).toThrow('Row 1 holds NaN')
  })

  it('refuses training values that make no whole rows', () => {
    expect(() => train(1, {}, Float64Array.of(1, 2, 3))).toThrow('Expected rows of 2 features, got 3 values.')
  })

  it('does not care for the units of a feature', () => {
    const x = cloud(300)
    const inMilliseconds = x.map((value, i) => i % 2 === 1 ? value * 1000 : value)
    for (const variant of isolationVariants) {
      const score = train(1, { variant }, x).score(Float64Array.of(2, 3))
      expect(train(1, { variant }, inMilliseconds).score(Float64Array.of(2, 3000))).toBeCloseTo(score, 6)
    }
  })

  it('cuts a far value off at once where rows have boxes, however many features there are', () => {
    const width = 30
    const random = createRandom(4)
    const x = Float64Array.from({ length: 300 * width }, () => normal(random))
    const features = Array.from({ length: width }, (_, i) => `x${i}`)
    const far = new Float64Array(width)
    far[7] = 40
    const scoreOf = (variant: typeof isolationVariants[number]) => trainIsolationForest({ features, x }, { ...isolationDefaults, variant }, createRandom(1)).score(far)
    expect(scoreOf('range-proportional')).toBeGreaterThan(scoreOf('axis') + 0.05)
  })

  it('knows no blind corners where splits are planes of any slope', () => {
    // Two clouds at (−4, −4) and (4, 4): axis-parallel splits find the empty corner (−4, 4) as ordinary as a cloud's edge.
    const random = createRandom(5)
    const x = Float64Array.from({ length: 600 }, (_, i) => (i % 4 < 2 ? -4 : 4) + 0.5 * normal(random))
    const gap = (variant: typeof isolationVariants[number]) => {
      const forest = train(1, { variant }, x)
      return forest.score(Float64Array.of(-4, 4)) - forest.score(Float64Array.of(-4, -4))
    }
    expect(gap('extended')).toBeGreaterThan(gap('axis') + 0.05)
  })

  it('refuses a file of a variant that it does not know', () => {
    const { features, meta, sections } = readModelFile(train(1).toBytes(), 'isolation-forest')
    const strange = writeModelFile({ kind: 'isolation-forest', features, meta: { ...meta, variant: 'oblique' }, sections })
    expect(() => IsolationForest.fromBytes(strange)).toThrow('of the variant "oblique"; known are axis, range-proportional, extended')
  })

  it('shares the score out to the features so that the shares add up to it, most to the feature that is far', () => {
    const forest = train(1)
    const shares = new Float64Array(2)
    const score = forest.attribute(Float64Array.of(0.1, 7), shares)
    expect(score).toBe(forest.score(Float64Array.of(0.1, 7)))
    expect(shares[0] + shares[1]).toBeCloseTo(score, 9)
    expect(shares[1]).toBeGreaterThan(2 * shares[0])
  })

  it('keeps every score between 0 and 1, and shares that add up to it', () => {
    const forests = isolationVariants.map(variant => train(1, { variant }))
    const coordinate = fc.double({ min: -1e6, max: 1e6, noNaN: true })
    fc.assert(fc.property(coordinate, coordinate, (a, b) => {
      for (const forest of forests) {
        const shares = new Float64Array(2)
        const score = forest.attribute(Float64Array.of(a, b), shares)
        expect(score).toBeGreaterThan(0)
        expect(score).toBeLessThan(1)
        expect(shares[0] + shares[1]).toBeCloseTo(score, 9)
      }
    }))
  })
})
