import { describe, expect, it } from 'vitest'
import { growTrees, isolationDefaults, isolationForestOf, scoreRows, treeSeeds } from '../../src/ml/isolation-forest.ts'
import { isolationVariants } from '../../src/ml/isolation-tree.ts'
import { createRandom, normal } from '../../src/ml/random.ts'
import { growTreesOnThreads, scoreRowsOnThreads } from '../../training/isolation-pool.ts'
import { learnService, learnServiceOnThreads } from '../../training/train-anomaly.ts'

const random = createRandom(1)
const set = { features: ['a', 'b', 'c'], x: Float64Array.from({ length: 3 * 400 }, () => normal(random)) }
const options = { ...isolationDefaults, trees: 11, sampleRows: 64 }
const seeds = treeSeeds(options, createRandom(5))

describe('An isolation forest on worker threads', () => {
  it.each([1, 2, 3, 20])('is grown the same to the byte by %i threads as by none', async threads => {
    const grown = await growTreesOnThreads(set, options, { seeds, threads })
    expect(isolationForestOf(grown, set, options).toBytes()).toEqual(isolationForestOf(growTrees(set, options, seeds), set, options).toBytes())
  })

  it.each(isolationVariants)('gives every row the same score, %s', async variant => {
    const forest = isolationForestOf(growTrees(set, { ...options, variant }, seeds), set, { ...options, variant })
    expect(await scoreRowsOnThreads(forest, set.x, 3)).toEqual(scoreRows(forest, set.x))
  })

  it('teaches a service with many rows exactly what one thread does', async () => {
    const rows = 20_000
    const x = Float64Array.from({ length: rows }, () => normal(random))
    const table = { signals: ['load'], x, at: Float64Array.from(x, (_, i) => (i + 1) * 60_000) }
    const rules = { stepSeconds: 60, seasonSeconds: null, falseAlarmsPerWeek: 7 }
    const threaded = await learnServiceOnThreads(table, { ...rules, random: createRandom(1), threads: 2 })
    const alone = learnService(table, { ...rules, random: createRandom(1) })
    expect(threaded.state).toEqual(alone.state)
    expect(threaded.forest.toBytes()).toEqual(alone.forest.toBytes())
  }, 60_000)

  it('fails with the reason where a worker fails, and leaves none running', async () => {
    const broken = { ...set, x: set.x.with(7, NaN) }
    await expect(growTreesOnThreads(broken, options, { seeds, threads: 2 })).rejects.toThrow('Row 2 holds NaN; expected finite numbers.')
  })
})
