import type { ForestOptions, TrainingSet } from '../src/ml/forest.ts'
import { trainWith } from '../src/ml/forest-engine.ts'
import { createRandom } from '../src/ml/random.ts'
import { createForecastRows } from '../src/learning/forecast-rows.ts'
import type { Workload } from './generate-workloads.ts'

export interface TrainMeanForestOptions {
  readonly traces: readonly Workload[]
  readonly seed: number
  readonly rows?: number
  readonly trees?: number
  readonly holdOutShare?: number
}

const horizonSteps = 3

/**
 * The baseline engine: the library ml-random-forest on the forecaster's rows. It predicts means and no quantiles, so nothing is scaled by it; it is trained
 * to be compared. Our own forest learns from the same rows with as many trees. The library needs about a hundred times as long, hence so few rows.
 */
export function trainMeanForest ({ traces, seed, rows = 600, trees = 10, holdOutShare = 0.2 }: TrainMeanForestOptions) {
  const kept = Math.max(1, Math.round(traces.length * holdOutShare))
  const training = rowsOf(traces.slice(0, -kept), { rows, seed })
  const holdOut = rowsOf(traces.slice(-kept), { rows: rows * holdOutShare, seed: seed + 1 })
  const options: ForestOptions = { trees, minLeaf: 5, maxFeatures: Math.ceil(training.features.length / 3) }
  const [library, own] = (['ml-random-forest', 'prescale'] as const).map(engine => trainWith(engine, training, { options, random: createRandom(seed) }))
  return {
    bytes: library.toBytes(),
    features: training.features,
    rows: training.y.length,
    holdOutRows: holdOut.y.length,
    meanAbsoluteError: meanError(holdOut, x => library.predict(x)),
    ownMeanAbsoluteError: meanError(holdOut, x => own.predict(x)),
    naiveMeanAbsoluteError: meanError(holdOut, () => 0)
  }
}

function rowsOf (traces: readonly Workload[], { rows, seed }: { rows: number, seed: number }): TrainingSet {
  const each = Math.max(1, Math.ceil(rows / traces.length))
  const sets = traces.map(({ loads, startAt, stepSeconds, seasonSeconds, capacity }, i) => {
    const collected = createForecastRows({
      stepSeconds, seasonSeconds, horizons: [horizonSteps], unit: capacity, capacity: each, recentShare: 0, random: createRandom(seed * 1000 + i)
    })
    loads.forEach((load, step) => { if (Number.isFinite(load)) collected.add((startAt + (step + 1) * stepSeconds) * 1000, load) })
    return collected.set()
  })
  return { features: sets[0].features, x: Float64Array.from(sets.flatMap(({ x }) => [...x])), y: Float64Array.from(sets.flatMap(({ y }) => [...y])) }
}

function meanError ({ features, x, y }: TrainingSet, predict: (x: Float64Array) => number): number {
  const width = features.length
  return y.reduce((sum, actual, row) => sum + Math.abs(predict(x.subarray(row * width, (row + 1) * width)) - actual), 0) / y.length
}
