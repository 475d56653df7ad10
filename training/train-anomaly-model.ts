import { availableParallelism } from 'node:os'
import { PrescaleError } from '../src/errors.ts'
import { isolationDefaults, trainIsolationForest } from '../src/ml/isolation-forest.ts'
import type { IsolationVariant } from '../src/ml/isolation-tree.ts'
import { createRandom } from '../src/ml/random.ts'
import { detect, emptyAnomalyState, type AnomalyModel } from '../src/policy/verdict.ts'
import type { History } from './history.ts'
import { createProgress } from './progress.ts'
import { learnServiceOnThreads } from './train-anomaly.ts'

/** Rows that somebody knows to be abnormal: epoch ms, the end not included. */
export interface KnownAnomaly { readonly from: number, readonly to: number }

export interface TrainAnomalyOptions {
  readonly history: History
  readonly seasonSeconds: number
  readonly seed: number
  /** The first rows are learned from, the rest is kept aside. */
  readonly trainShare?: number
  readonly known?: readonly KnownAnomaly[]
  readonly variant?: IsolationVariant
  readonly threads?: number
}

const leastRows = 300
const falseAlarmsPerWeek = 7

/**
 * Trains the isolation forest that services share, on the first rows of a history, and measures it as a new service would meet it: from an empty state
 * through all rows, of which those after the training rows count, and without a standard of the service's own.
 *
 * @throws PrescaleError 'invalid-request' for too few rows or none with a number.
 */
export async function trainAnomaly ({ history, seasonSeconds, seed, ...options }: TrainAnomalyOptions) {
  const { trainShare = 0.6, known = [], variant = isolationDefaults.variant, threads = availableParallelism() } = options
  const { name, at, signals, x, stepSeconds } = history
  const rows = Math.floor(at.length * trainShare)
  if (rows < leastRows) throw new PrescaleError('invalid-request', `The anomaly model needs at least ${leastRows / trainShare} rows; ${name} has ${at.length}.`)
  if (signals.length === 0) throw new PrescaleError('invalid-request', `${name} has no column that holds a number.`)
  const { set } = await learnServiceOnThreads({ signals, x: x.subarray(0, rows * signals.length), at: at.subarray(0, rows) },
    { stepSeconds, seasonSeconds, falseAlarmsPerWeek, random: createRandom(seed), threads })
  const forest = trainIsolationForest(set, { ...isolationDefaults, variant }, createRandom(seed))
  const scores = scoreAll(history, { version: 'untitled', forest }, seasonSeconds)
  const naive = farthest(history, rows)
  const isKnown = Array.from(at, ms => known.some(({ from, to }) => ms >= from && ms < to))
  const after = <T>(values: readonly T[]) => values.slice(rows)
  return {
    bytes: forest.toBytes(),
    features: forest.features,
    variant,
    rows,
    holdOutRows: at.length - rows,
    flaggedShare: after(scores.flagged).filter(flagged => flagged).length / (at.length - rows),
    /** Null where nothing is known to be abnormal in the rows kept aside. */
    averagePrecision: after(isKnown).includes(true)
      ? { model: averagePrecision(after(scores.score), after(isKnown)), naive: averagePrecision(after(naive), after(isKnown)) }
      : null
  }
}

function scoreAll ({ name, at, signals, x, stepSeconds }: History, model: AnomalyModel, seasonSeconds: number) {
  const score: number[] = []
  const flagged: boolean[] = []
  const progress = createProgress({ label: 'measuring the anomaly model', total: at.length })
  let state = emptyAnomalyState()
  at.forEach((ms, row) => {
    const measured = signals.map((signal, i) => [signal, x[row * signals.length + i]] as const).filter(([, value]) => Number.isFinite(value))
    const found = detect(state, { service: name, at: ms + stepSeconds * 1000, signals: Object.fromEntries(measured) },
      { model, falseAlarmsPerWeek, stepSeconds, seasonSeconds, studies: false })
    state = found.state
    score.push(found.verdict.score)
    flagged.push(found.verdict.isAnomaly)
    progress.advance()
  })
  progress.done()
  return { score, flagged }
}

/** The baseline: how many standard deviations of the training rows the farthest signal lies from their mean. */
function farthest ({ at, signals, x }: History, trainRows: number): number[] {
  const width = signals.length
  const scales = signals.map((_, i) => {
    const values = Array.from({ length: trainRows }, (_, row) => x[row * width + i]).filter(value => !Number.isNaN(value))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) }
  })
  return Array.from(at, (_, row) => scales.reduce((most, { mean, deviation }, i) => {
    const distance = Math.abs(x[row * width + i] - mean) / (deviation + 1e-9)
    return distance > most ? distance : most
  }, 0))
}

/** Area under precision over recall, in steps (equal scores in the order of the rows). */
export function averagePrecision (scores: readonly number[], isPositive: readonly boolean[]): number {
  const order = scores.map((_, i) => i).sort((a, b) => scores[b] - scores[a])
  let found = 0
  let sum = 0
  order.forEach((row, rank) => {
    if (!isPositive[row]) return
    found++
    sum += found / (rank + 1)
  })
  return sum / found
}
