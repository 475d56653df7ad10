import { advance } from '../src/features/anomaly-features.ts'
import { rowFeatureNames, rowFeatures } from '../src/features/row-features.ts'
import { bounded, emptyMemory, field, fields, widenMemory } from '../src/features/signal-memory.ts'
import type { SignalMemory } from '../src/features/signal-memory.ts'
import { incrementalForestOf } from '../src/ml/incremental-forest.ts'
import type { IncrementalShape } from '../src/ml/incremental-forest.ts'
import { growTrees, isolationDefaults, isolationForestOf, scoreRows, treeSeeds } from '../src/ml/isolation-forest.ts'
import type { IsolationForest, IsolationSet } from '../src/ml/isolation-forest.ts'
import type { TreeTable } from '../src/ml/isolation-tree.ts'
import type { Random } from '../src/ml/random.ts'
import { calibrate, componentsOf, mapped, rowScore } from '../src/policy/row-score.ts'
import { tailFrom } from '../src/policy/tail.ts'
import type { AnomalyState } from '../src/policy/verdict.ts'
import { smoothingSteps, standardFrom } from '../src/policy/standard.ts'
import { alarmRate } from '../src/policy/judge.ts'
import { emptyAnomalyState } from '../src/policy/verdict.ts'
import { growTreesOnThreads, scoreRowsOnThreads } from './isolation-pool.ts'

export interface ServiceRows {
  readonly signals: readonly string[]
  /** Shape [rows, signals], row-major, signals in the order of `signals`; NaN for missing. */
  readonly x: Float64Array
  /** Epoch ms of each row. */
  readonly at: Float64Array
}

export interface LearnOptions {
  readonly stepSeconds: number
  readonly seasonSeconds: number | null
  readonly falseAlarmsPerWeek: number
  readonly random: Random
}

export interface LearnedService {
  readonly state: AnomalyState
  readonly forest: IsolationForest
  /** The row features that the forest was trained on. */
  readonly set: IsolationSet
}

/** In a file's detector, whose state need not be small. */
const fileForest: IncrementalShape = { trees: isolationDefaults.trees, sampleRows: isolationDefaults.sampleRows, heldRows: 1024, horizon: 20_160 }

/**
 * What one service's training rows teach: the scales of its signals, its season, its own forest and what scores are usual.
 * Two passes: scales from all rows first, then the deviations that these scales give, with the season learned row by row as it will be later.
 */
export function learnService (rows: ServiceRows, options: LearnOptions): LearnedService {
  const { memory, set } = measureRows(rows, options)
  const trees = growTrees(set, isolationDefaults, treeSeeds(isolationDefaults, options.random))
  const forest = isolationForestOf(trees, set, isolationDefaults)
  return learned({ rows, memory, set, trees, forest, scores: scoreRows(forest, set.x) }, options)
}

/** With fewer rows, starting threads takes longer than they save. */
const leastRowsForThreads = 20_000

/** The same to the byte; of many rows the forest is grown and asked on worker threads. @throws Error if the worker was not built. */
export async function learnServiceOnThreads (rows: ServiceRows, options: LearnOptions & { readonly threads: number }): Promise<LearnedService> {
  const { threads, random } = options
  if (threads === 1 || rows.at.length < leastRowsForThreads) return learnService(rows, options)
  const { memory, set } = measureRows(rows, options)
  const trees = await growTreesOnThreads(set, isolationDefaults, { seeds: treeSeeds(isolationDefaults, random), threads })
  const forest = isolationForestOf(trees, set, isolationDefaults)
  return learned({ rows, memory, set, trees, forest, scores: await scoreRowsOnThreads(forest, set.x, threads) }, options)
}

/** What is usual of each signal, and the row features of all rows whose season is known. */
function measureRows ({ signals, x, at }: ServiceRows, { stepSeconds, seasonSeconds }: LearnOptions): { memory: SignalMemory, set: IsolationSet } {
  const width = signals.length
  const rows = at.length
  const order = [...signals].sort()
  const columns = order.map(name => signals.indexOf(name))
  const rowAt = (row: number) => Float64Array.from(columns, column => bounded(x[row * width + column]))
  const position = (row: number) => seasonSeconds === null ? NaN : (at[row] / 1000 % seasonSeconds) / seasonSeconds
  const elapsed = (row: number) => row === 0 ? 1 : Math.max(1, Math.round((at[row] - at[row - 1]) / 1000 / stepSeconds))

  let memory = widenMemory(emptyMemory(), order)
  for (let row = 0; row < rows; row++) memory = advance(memory, rowAt(row), { position: position(row), elapsedSteps: elapsed(row), learning: 'all' }).memory
  memory = withFreshSeason(memory)
  const table = new Float64Array(rows * rowFeatureNames.length)
  for (let row = 0; row < rows; row++) {
    const step = advance(memory, rowAt(row), { position: position(row), elapsedSteps: elapsed(row), learning: 'season' })
    memory = step.memory
    table.set(rowFeatures(step.deviations, width), row * rowFeatureNames.length)
  }
  return { memory, set: { features: rowFeatureNames, x: table.subarray(firstWithSeason(table) * rowFeatureNames.length) } }
}

interface Grown {
  readonly rows: ServiceRows
  readonly memory: SignalMemory
  readonly set: IsolationSet
  readonly trees: readonly TreeTable[]
  readonly forest: IsolationForest
  /** Of the forest, for each row of `set`. */
  readonly scores: Float64Array
}

function learned ({ rows: { signals, at }, memory, set, trees, forest, scores: forestScores }: Grown, options: LearnOptions): LearnedService {
  const kept = Array.from(forestScores, (_, row) => rowOf(set, row))
  const components = kept.map((row, i) => componentsOf(row, forestScores[i]))
  const calibration = calibrate(components)
  const scores = smoothed(components.map(row => rowScore(mapped(row, calibration))))
  const standard = standardFrom(scores, { calibration, rate: alarmRate(options), signals: signals.length })
  const tail = tailFrom(scores.map(score => score / standard.threshold))
  const own = incrementalForestOf(kept, trees, fileForest)
  return { set, forest, state: { ...emptyAnomalyState(), memory, standard, surprise: null, forest: own, tail, lastAt: at[at.length - 1] } }
}

const rowOf = ({ x, features: { length } }: IsolationSet, row: number) => Float64Array.from(x.subarray(row * length, (row + 1) * length))

/** Means over the last five scores, as the detector takes them. */
function smoothed (scores: readonly number[]): number[] {
  return scores.map((_, i) => {
    const latest = scores.slice(Math.max(0, i + 1 - smoothingSteps), i + 1)
    return latest.reduce((sum, score) => sum + score, 0) / latest.length
  })
}

/** The season is learned again in the second pass, or it would know the rows that it is compared with. */
function withFreshSeason (memory: SignalMemory): SignalMemory {
  const values = memory.values.slice()
  for (let i = 0; i < memory.signals.length; i++) {
    const at = i * fields
    values[at + field.last] = values[at + field.recentSeasonal] = NaN
    values[at + field.slotSum] = values[at + field.slotCount] = 0
  }
  return { ...memory, values, season: memory.season.slice().fill(NaN), seasonCounts: new Uint8Array(memory.seasonCounts.length), slot: -1, steps: 0 }
}

/** Rows before the second season have no seasonal deviation; the forest must not learn its absence, if enough rows have it. */
function firstWithSeason (table: Float64Array): number {
  const width = rowFeatureNames.length
  const seasonColumn = rowFeatureNames.indexOf('seasonRootMeanSquare')
  const rows = table.length / width
  let row = 0
  while (row < rows && table[row * width + seasonColumn] === 0) row++
  return row > rows * 0.7 ? 0 : row
}
