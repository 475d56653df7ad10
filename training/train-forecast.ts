import { defaultForecasterOptions, forecastProbabilities, LoadForecaster, trainRidgeFirst } from '../src/ml/forecaster.ts'
import type { ForestOptions, TrainingSet } from '../src/ml/forest.ts'
import { createRandom, drawSeed, type Random } from '../src/ml/random.ts'
import { trainForestOnThreads } from './forest-pool.ts'
import { createForecastRows } from '../src/learning/forecast-rows.ts'
import type { Workload } from './generate-workloads.ts'

export interface TrainForecastOptions {
  readonly traces: readonly Workload[]
  readonly seed: number
  /** Rows drawn from all traces together. */
  readonly rows?: number
  /** Share of the traces kept aside to measure on; whole traces, so that the model is measured on services that it never saw. */
  readonly holdOutShare?: number
  readonly forest?: Partial<ForestOptions>
  readonly threads?: number
  /** Called after each tree of `trees`. */
  readonly onProgress?: (done: { readonly trees: number }) => void
}

export interface ForecastMetrics {
  readonly rows: number
  readonly holdOutRows: number
  /** Mean pinball loss over the quantiles 0.5, 0.9 and 0.99 of ln(largest load / level); lower is better. */
  readonly pinballLoss: number
  /** Of the baseline: "as much above the present level as is usual", the quantiles of the training targets. */
  readonly naivePinballLoss: number
  /** Share of hold-out rows at or below the quantile 0.99; 0.99 is right. */
  readonly coverage99: number
}

/** Start-up times that a shipped model must know, in steps: from one minute to a quarter of an hour. */
const horizons = [2, 3, 3, 4, 6, 6, 11, 16]
const scored = [0.5, 0.9, 0.99]

/**
 * Trains the forecaster that serves services never seen before, on many traces at once.
 *
 * @returns the model as a file and what it is worth on traces kept aside, beside a naive baseline.
 */
export async function trainForecast ({ traces, seed, rows = 40_000, holdOutShare = 0.2, forest = {}, threads, onProgress = () => {} }: TrainForecastOptions):
Promise<{ bytes: Uint8Array, forecaster: LoadForecaster, metrics: ForecastMetrics }> {
  const random = createRandom(seed)
  const kept = Math.max(1, Math.round(traces.length * holdOutShare))
  if (traces.length < 2) throw new RangeError(`Expected at least 2 traces, one of them to measure on; got ${traces.length}.`)
  const training = rowsOf(traces.slice(0, -kept), { rows, random })
  const holdOut = rowsOf(traces.slice(-kept), { rows: rows * holdOutShare, random })
  const options = defaultForecasterOptions(training.features.length)
  const { ridge, residuals } = trainRidgeFirst(training, options.ridgePenalty)
  // Each tree sees a part and grows larger leaves than on one service: just as good on services that it never saw, and a third of the size.
  const forestOptions = { ...options.forest, minLeaf: 10, sampleRows: Math.min(training.y.length, 4000), ...forest }
  let trees = 0
  const pool = { random, threads, onTree: () => onProgress({ trees: ++trees }) }
  const direct = await trainForestOnThreads(training, forestOptions, pool)
  const residual = await trainForestOnThreads(residuals, forestOptions, pool)
  const forecaster = new LoadForecaster({ forest: direct, residual, ridge }, 'untitled')
  return { bytes: forecaster.toBytes(), forecaster, metrics: measure(forecaster, { training, holdOut }) }
}

/** The same number of rows from every trace, each row with a start-up time of its own. */
function rowsOf (traces: readonly Workload[], { rows, random }: { rows: number, random: Random }): TrainingSet {
  const wanted = Math.ceil(rows / traces.length)
  const sets = traces.map(({ loads, startAt, stepSeconds, seasonSeconds, capacity }) => {
    const collected = createForecastRows({
      stepSeconds,
      seasonSeconds,
      unit: capacity,
      capacity: wanted,
      recentShare: 0,
      considered: Math.min(1, 3 * wanted / loads.length),
      horizons,
      random: createRandom(drawSeed(random))
    })
    loads.forEach((load, step) => {
      if (Number.isFinite(load)) collected.add((startAt + (step + 1) * stepSeconds) * 1000, load)
    })
    return collected.set()
  })
  return { features: sets[0].features, x: concat(sets.map(({ x }) => x)), y: concat(sets.map(({ y }) => y)) }
}

function concat (parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function measure (forecaster: LoadForecaster, { training, holdOut }: { training: TrainingSet, holdOut: TrainingSet }): ForecastMetrics {
  const width = holdOut.features.length
  const sorted = training.y.toSorted()
  const naive = scored.map(probability => sorted[Math.floor(probability * (sorted.length - 1))])
  let loss = 0
  let naiveLoss = 0
  let covered = 0
  for (let row = 0; row < holdOut.y.length; row++) {
    const predicted = forecaster.quantiles(holdOut.x.subarray(row * width, (row + 1) * width))
    const actual = holdOut.y[row]
    scored.forEach((probability, k) => {
      loss += pinball(actual - predicted[forecastProbabilities.indexOf(probability)], probability)
      naiveLoss += pinball(actual - naive[k], probability)
    })
    if (actual <= predicted[forecastProbabilities.indexOf(0.99)]) covered++
  }
  const terms = holdOut.y.length * scored.length
  return {
    rows: training.y.length,
    holdOutRows: holdOut.y.length,
    pinballLoss: loss / terms,
    naivePinballLoss: naiveLoss / terms,
    coverage99: covered / holdOut.y.length
  }
}

function pinball (error: number, probability: number): number {
  return error >= 0 ? probability * error : (probability - 1) * error
}
