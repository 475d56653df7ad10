import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyIncrementalForest, isGrown, learnRow, scoreIncrementally } from '../../src/ml/incremental-forest.ts'
import type { IncrementalForest } from '../../src/ml/incremental-forest.ts'
import { trainIsolationForest } from '../../src/ml/isolation-forest.ts'
import { createRandom, normal } from '../../src/ml/random.ts'

const shape = { trees: 50, sampleRows: 64, heldRows: 256, horizon: 2000 }

/** Rows of two numbers around `centre`, with a deviation of 1. */
function cloud (rows: number, centre: number, seed = 1): Float64Array[] {
  const random = createRandom(seed)
  return Array.from({ length: rows }, () => Float64Array.of(Math.abs(centre + normal(random)), Math.abs(centre + normal(random))))
}

const learn = (rows: readonly Float64Array[], forest: IncrementalForest = emptyIncrementalForest(shape)) => rows.reduce(learnRow, forest)
const at = (value: number) => Float64Array.of(value, value)

describe('A forest that follows its rows', () => {
  it('grows tree by tree, and says nothing before the first', () => {
    const young = learn(cloud(60, 10))
    expect(scoreIncrementally(young, at(10))).toBeNaN()
    expect(isGrown(young)).toBe(false)
    expect(isGrown(learn(cloud(600, 10)))).toBe(true)
  })

  it('scores like a forest that was trained on all rows at once', () => {
    const rows = cloud(1500, 10)
    const x = Float64Array.from(rows.flatMap(row => [...row]))
    const whole = trainIsolationForest({ features: ['a', 'b'], x }, { trees: 50, sampleRows: 64, variant: 'axis' }, createRandom(1))
    const followed = learn(rows)
    for (const value of [8, 9, 10, 11, 12, 16, 30]) {
      expect(Math.abs(scoreIncrementally(followed, at(value)) - whole.score(at(value)))).toBeLessThan(0.08)
    }
  })

  it('takes for normal what its rows have moved to, and no more what they have left', () => {
    const before = learn(cloud(3000, 10))
    const after = learn(cloud(12_000, 30, 2), before)
    expect(scoreIncrementally(before, at(30))).toBeGreaterThan(scoreIncrementally(before, at(10)) + 0.2)
    expect(scoreIncrementally(after, at(10))).toBeGreaterThan(scoreIncrementally(after, at(30)) + 0.2)
  })

  it('holds a fair sample of all its rows until the horizon', () => {
    const { rows } = learn([...cloud(500, 10), ...cloud(500, 30, 2)])
    const [dividing] = learn([at(20)]).rows
    const early = rows.filter((code, i) => i % 2 === 0 && code < dividing).length
    // Half of 256; four standard deviations of a draw of 256 out of 1,000 are 4 × √(256 × 1/4 × 744/999) = 28.
    expect(Math.abs(early - 128)).toBeLessThan(28)
  })

  it('replaces one tree at a time, the oldest one', () => {
    const before = learn(cloud(4000, 10))
    const grown = [before]
    // A tree in 2000 / 50 = 40 rows.
    for (const row of cloud(40, 10, 3)) grown.push(learnRow(grown[grown.length - 1], row))
    const changed = grown.slice(1).filter((forest, i) => forest.threshold !== grown[i].threshold)
    expect(changed).toHaveLength(1)
    const [oldest] = before.sizes
    expect(changed[0].threshold.subarray(0, before.threshold.length - oldest)).toEqual(before.threshold.subarray(oldest))
    expect(changed[0].sizes).toHaveLength(50)
  })

  it('is the same for the same rows, and leaves the one that it was made from as it was', () => {
    const rows = cloud(900, 10)
    expect(learn(rows)).toEqual(learn(rows))
    const before = learn(rows)
    const copy = structuredClone(before)
    learn(cloud(200, 50), before)
    expect(before).toEqual(copy)
  })

  it('has a bounded size and scores between 0 and 1, whatever rows come', () => {
    const value = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true }))
    fc.assert(fc.property(fc.array(fc.tuple(value, value), { minLength: 100, maxLength: 600 }), fc.tuple(value, value), (pairs, asked) => {
      const forest = learn(pairs.map(pair => Float64Array.from(pair)))
      expect(forest.rows.length).toBeLessThanOrEqual(2 * shape.heldRows)
      expect(forest.feature.length).toBeLessThanOrEqual(shape.trees * (2 * shape.sampleRows - 1))
      const score = scoreIncrementally(forest, Float64Array.from(asked))
      expect(score).toBeGreaterThan(0)
      expect(score).toBeLessThanOrEqual(1)
    }), { numRuns: 30 })
  })
})
