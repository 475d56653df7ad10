import { describe, expect, it } from 'vitest'
import { trainForest, type TrainingSet } from '../../src/ml/forest.ts'
import { createRandom } from '../../src/ml/random.ts'
import { trainForestOnThreads } from '../../training/forest-pool.ts'
import { workerFile } from '../../src/threads/worker-file.ts'

const random = createRandom(1)
const x = Float64Array.from({ length: 600 }, () => random())
const set: TrainingSet = { features: ['a', 'b', 'c'], x, y: Float64Array.from({ length: 200 }, (_, row) => x[3 * row] + x[3 * row + 1] ** 2) }
const options = { trees: 7, minLeaf: 3, maxFeatures: 2 }

describe('a forest grown on worker threads', () => {
  it.each([1, 2, 3, 20])('is the same to the byte with %i threads as without any', async threads => {
    const grown = await trainForestOnThreads(set, options, { random: createRandom(5), threads })
    expect(grown.toBytes()).toEqual(trainForest(set, options, createRandom(5)).toBytes())
  })

  it('reports every tree', async () => {
    let trees = 0
    await trainForestOnThreads(set, options, { random: createRandom(5), threads: 2, onTree: () => { trees++ } })
    expect(trees).toBe(7)
  })

  it('refuses what trainForest refuses, before any thread starts', async () => {
    await expect(trainForestOnThreads({ ...set, y: set.y.with(3, NaN) }, options, { random })).rejects.toThrow('the target of row 3, got NaN.')
    await expect(trainForestOnThreads(set, { ...options, maxFeatures: 4 }, { random })).rejects.toThrow('at most 3, got 4.')
  })

  it('says what to do where a worker was not built', () => {
    expect(() => workerFile('./no-such-worker.ts', new URL('../../training/forest-pool.ts', import.meta.url).href))
      .toThrow(/dist\/training\/no-such-worker\.js is missing: run "npm run build" first\.$/)
  })
})
