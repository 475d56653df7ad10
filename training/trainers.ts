import { PrescaleError } from '../src/errors.ts'
import type { Engine } from '../src/ml/forest-engine.ts'
import type { IsolationVariant } from '../src/ml/isolation-tree.ts'
import type { Dataset } from './dataset.ts'
import type { Workload } from './generate-workloads.ts'
import { workloadOf } from './history.ts'
import { readKnownAnomalies } from './known-anomalies.ts'
import { createProgress } from './progress.ts'
import type { Comparison } from './report.ts'
import { trainAnomaly } from './train-anomaly-model.ts'
import { defaultEpochs, trainConfig } from './train-config.ts'
import { trainForecast } from './train-forecast.ts'
import { trainMeanForest } from './train-mean-forest.ts'

export const trainable = ['forecast', 'anomaly', 'config'] as const
export type Trainable = typeof trainable[number]

export interface TrainerOptions {
  readonly seed: number
  /** `ml-random-forest` trains the library's forest on the load instead, for comparison. */
  readonly engine?: Engine
  readonly seasonSeconds?: number
  /** Load that one instance carries. */
  readonly capacity?: number
  /** Of the forecast's training; the default makes a file of about a megabyte, which costs 3 % of accuracy against one ten times as large. */
  readonly rows?: number
  readonly trees?: number
  readonly epochs?: number
  readonly threads?: number
  /** Of the isolation forest. */
  readonly variant?: IsolationVariant
}

/** A model before it has a version. */
export interface Trained {
  readonly name: string
  readonly bytes: Uint8Array
  readonly features: readonly string[]
  /** Which kind of its model it is, where there are several. */
  readonly variant?: string
  readonly rows: number
  readonly holdOutRows: number
  readonly range: { readonly from: number, readonly to: number } | null
  readonly comparisons: readonly Comparison[]
  readonly metrics?: Readonly<Record<string, number>>
}

/** What a model would need and the data do not have; null if nothing. */
export function missingFor (name: Trainable, { histories, workloads, config }: Dataset): string | null {
  switch (name) {
    case 'forecast': {
      if (workloads.length > 0 || histories.some(({ signals }) => signals.includes('requestsPerSecond'))) return null
      return 'a trace with numbers in the column requestsPerSecond is needed'
    }
    case 'anomaly': return histories.some(({ signals }) => signals.length > 0) ? null : 'a trace with a time and signals is needed'
    case 'config': return config !== null ? null : 'states with their best configurations are needed (as in data/tuning.csv)'
  }
}

const compactForest = { trees: 24, sampleRows: 3000, minLeaf: 10 }
const forecastRows = 20_000
const day = 86_400

export const trainers: Readonly<Record<Trainable, (dataset: Dataset, options: TrainerOptions) => Promise<Trained>>> = {
  async forecast (dataset, options) {
    const traces = tracesOf(dataset, options)
    return options.engine === 'ml-random-forest' ? trainBaselineForecast(traces, options) : trainOwnForecast(traces, options)
  },

  async anomaly ({ histories, source }, { seed, seasonSeconds = day, variant, threads }) {
    // One forest for all services is learned from the one that has most to tell; each service's scales are its own anyway.
    const history = histories.reduce((longest, one) => one.at.length * one.signals.length > longest.at.length * longest.signals.length ? one : longest)
    const known = await readKnownAnomalies(source, history.name)
    const { averagePrecision, flaggedShare, ...trained } = await trainAnomaly({ history, seasonSeconds, seed, known, variant, threads })
    return {
      name: 'anomaly',
      ...trained,
      range: { from: history.at[0], to: history.at[trained.rows - 1] + history.stepSeconds * 1000 },
      comparisons: averagePrecision === null ? [] : [{ metric: 'averagePrecision', ...averagePrecision, better: 'higher', baseline: 'standard deviations of the farthest signal' }],
      metrics: { flaggedShare }
    }
  },

  async config ({ config }, { seed, epochs = defaultEpochs }) {
    const progress = createProgress({ label: 'configuration network', total: epochs, unit: 'epochs' })
    const { bytes, features, metrics: { rows, holdOutRows, meanAbsoluteError, naiveMeanAbsoluteError } } =
      await trainConfig({ rows: config!, seed, epochs, onProgress: () => progress.advance() })
    progress.done()
    const comparison = { metric: 'meanAbsoluteError', model: meanAbsoluteError, naive: naiveMeanAbsoluteError, better: 'lower', baseline: 'always the middle configuration' } as const
    return { name: 'config', bytes, features, rows, holdOutRows, range: null, comparisons: [comparison] }
  }
}

async function trainOwnForecast (traces: readonly Workload[], { seed, rows = forecastRows, trees = compactForest.trees, threads }: TrainerOptions): Promise<Trained> {
  // A forest for the load itself, and one for what a linear model leaves of it.
  const progress = createProgress({ label: 'load forecast', total: 2 * trees, unit: 'trees' })
  const { bytes, forecaster, metrics } = await trainForecast({
    traces, seed, threads, rows, forest: { ...compactForest, trees }, onProgress: () => progress.advance()
  })
  progress.done()
  const comparison = { metric: 'pinballLoss', model: metrics.pinballLoss, naive: metrics.naivePinballLoss, better: 'lower', baseline: 'usual growth above the present load' } as const
  return {
    name: 'forecast',
    bytes,
    features: forecaster.features,
    rows: metrics.rows,
    holdOutRows: metrics.holdOutRows,
    range: rangeOf(traces),
    comparisons: [comparison],
    metrics: { coverage99: metrics.coverage99 }
  }
}

function trainBaselineForecast (traces: readonly Workload[], { seed, rows, trees }: TrainerOptions): Trained {
  const { meanAbsoluteError, ownMeanAbsoluteError, naiveMeanAbsoluteError, ...trained } = trainMeanForest({ traces, seed, rows, trees })
  return {
    // A name of its own: it has no quantiles, so the service must not take it for the newest forecast.
    name: 'forecast-ml-random-forest',
    ...trained,
    range: rangeOf(traces),
    comparisons: [{ metric: 'meanAbsoluteError', model: meanAbsoluteError, naive: naiveMeanAbsoluteError, better: 'lower', baseline: 'the load stays as it is' }],
    metrics: { meanAbsoluteErrorOfOurForest: ownMeanAbsoluteError }
  }
}

const leastSteps = 1440

/** All loads as workloads; of a single one the last fifth is made a workload of its own, to measure on. */
function tracesOf ({ workloads, histories, source }: Dataset, { seasonSeconds = day, capacity }: TrainerOptions): Workload[] {
  const measured = histories.map(history => workloadOf(history, { seasonSeconds, ...(capacity && { capacity }) })).filter(trace => trace !== null)
  // Those made last are kept aside to measure on, and they are the generator's where there are any.
  const traces = [...measured, ...workloads]
  const steps = traces.reduce((sum, { loads }) => sum + loads.filter(load => Number.isFinite(load)).length, 0)
  if (steps < leastSteps) throw new PrescaleError('invalid-request', `The load forecast needs at least ${leastSteps} steps with a load; ${source} has ${steps}.`)
  if (traces.length > 1) return traces
  const [{ loads, startAt, stepSeconds, ...rest }] = traces
  const cut = Math.floor(loads.length * 0.8)
  return [
    { ...rest, stepSeconds, startAt, loads: loads.subarray(0, cut) },
    { ...rest, stepSeconds, startAt: startAt + cut * stepSeconds, loads: loads.subarray(cut) }
  ]
}

function rangeOf (traces: readonly Workload[]) {
  const ends = traces.map(({ startAt, stepSeconds, loads }) => (startAt + stepSeconds * loads.length) * 1000)
  return { from: Math.min(...traces.map(({ startAt }) => startAt * 1000)), to: Math.max(...ends) }
}
