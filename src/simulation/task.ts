import type { Policy } from '../domain.ts'
import { LoadForecaster } from '../ml/forecaster.ts'
import { contestants, type ContestantName, type ContestSetting } from './contestants.ts'
import { replayRows, type TraceRow } from './replay-rows.ts'
import { score, type LoadSeries, type Score } from './score.ts'

/** One autoscaler on one history; plain values, so that a worker thread can be given it. */
export interface SimulationTask {
  readonly autoscaler: ContestantName | 'prescale'
  readonly series: LoadSeries
  readonly setting: ContestSetting
  /** What prescale alone needs to know. */
  readonly prescale?: PrescaleSetting
}

export interface PrescaleSetting {
  /** Load that one instance carries at 100 % utilisation, in the unit of the target. */
  readonly capacity: number
  readonly policy: Partial<Policy>
  /** The model that serves until a local one is learned; null for none. */
  readonly forecast: { readonly bytes: Uint8Array, readonly version: string } | null
  /** See createLocalLearner. */
  readonly trainRows?: number
  readonly localRows?: number
  readonly localTrees?: number
  readonly seed?: number
}

export interface SimulationResult {
  readonly score: Score
  /** Shape [steps]: replicas wished for at the end of each step. */
  readonly wishes: Float64Array
  /** Shape [steps]: median of the largest load within the horizon, in instances; NaN where there is none. Only of prescale. */
  readonly forecasts: Float64Array | null
}

const stepsPerReport = 500

/** @param onSteps told of so many more steps that are done. */
export async function runTask (task: SimulationTask, onSteps: (steps: number) => void = () => {}): Promise<SimulationResult> {
  const { autoscaler, series, setting } = task
  if (autoscaler === 'prescale') {
    const { wishes, forecasts } = await replayed(task, onSteps)
    return { score: score(series, wishes, setting), wishes, forecasts }
  }
  const wishes = contestants[autoscaler](series, setting)
  onSteps(series.loads.length)
  return { score: score(series, wishes, setting), wishes, forecasts: null }
}

async function replayed ({ series, setting, prescale }: SimulationTask, onSteps: (steps: number) => void) {
  if (prescale === undefined) throw new TypeError('A task of prescale has to say how prescale is set.')
  const { forecast, policy, capacity, ...learning } = prescale
  const { minReplicas: min, maxReplicas: max, ...common } = setting
  const models = { forecast: forecast && LoadForecaster.fromBytes(forecast.bytes, forecast.version), anomaly: null, config: null }
  const wishes = new Float64Array(series.loads.length)
  const forecasts = new Float64Array(series.loads.length).fill(NaN)
  const rows = rowsOf(series, { capacity, stepSeconds: setting.stepSeconds })
  let step = 0
  for await (const { replicas, forecast: median } of replayRows(rows, { ...common, ...learning, min, max, capacity, policy, models })) {
    wishes[step] = replicas
    if (median !== null) forecasts[step] = median / capacity
    if (++step % stepsPerReport === 0) onSteps(stepsPerReport)
  }
  onSteps(step % stepsPerReport)
  return { wishes, forecasts }
}

function * rowsOf ({ startAt, loads }: LoadSeries, { capacity, stepSeconds }: { capacity: number, stepSeconds: number }): Generator<TraceRow> {
  for (const [step, load] of loads.entries()) yield { at: startAt / 1000 + (step - 1) * stepSeconds, load: load * capacity, signals: {} }
}
