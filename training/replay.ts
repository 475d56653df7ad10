import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Policy, Sample } from '../src/domain.ts'
import { emptyState, evaluate, type Models } from '../src/pipeline.ts'
import { createCluster, obey, passStep, type Cluster } from '../src/policy/cluster.ts'
import { defaultBehavior } from '../src/policy/defaults.ts'
import { columnIndexes, createCsvWriter, readCsv, readNumber } from './csv.ts'
import { createLocalLearner } from './local-learner.ts'
import { createProgress } from './progress.ts'
import { createReplayPlot } from './replay-plot.ts'

export interface ReplayOptions {
  /** CSV file, may end in .gz: `at` (epoch seconds, begin of the step), `requestsPerSecond`, optionally further signals. */
  readonly trace: string
  /** Where `at,replicas,source,forecast,reason` goes: the wish at the end of the step that began at `at`. */
  readonly out: string
  /** Where a picture of it goes, as SVG. */
  readonly plot?: string
  /** Load that one instance carries at 100 % utilisation. */
  readonly capacity: number
  /** Utilisation that HPA would aim at, 0 to 1. */
  readonly target: number
  readonly startUpSeconds: number
  readonly min?: number
  readonly max?: number
  readonly stepSeconds?: number
  readonly seasonSeconds?: number
  readonly violationTarget?: number
  /** Learn a model of this service from its first rows, and again and again from all that has passed; 0 learns none. */
  readonly trainRows?: number
  readonly models?: Models
  readonly seed?: number
  /** How much a local model learns from and grows to; see createLocalLearner. */
  readonly localRows?: number
  readonly localTrees?: number
}

/** All that a replay needs to know beside its files. */
export type ReplaySettings = Omit<ReplayOptions, 'trace' | 'out' | 'plot'>

export interface TraceRow { readonly at: number, readonly load: number, readonly signals: Readonly<Record<string, number>> }
export interface ReplayedStep {
  readonly at: number
  /** NaN where the trace has none. */
  readonly load: number
  readonly replicas: number
  readonly source: string
  /** The median of the largest load within the horizon. */
  readonly forecast: number | null
  readonly reason: string
}

const noModels: Models = { forecast: null, anomaly: null, config: null }

/** Replays a trace file; what is asked for is written row by row, so that memory does not grow with the trace. */
export async function replay (options: ReplayOptions): Promise<{ rows: number }> {
  const writer = createCsvWriter(options.out, ['at', 'replicas', 'source', 'forecast', 'reason'])
  const plot = createReplayPlot({ atTarget: options.capacity * options.target })
  const progress = createProgress({ label: 'replay' })
  let rows = 0
  for await (const step of replayRows(readTrace(options.trace), options)) {
    const { at, replicas, source, forecast, reason } = step
    await writer.write([at, replicas, source, forecast === null ? '' : Number(forecast.toFixed(3)), reason])
    plot.add(step)
    progress.advance()
    rows++
  }
  progress.done()
  await writer.close()
  if (options.plot !== undefined) await writeFile(options.plot, plot.toSvg(`prescale replay of ${basename(options.trace)}`))
  return { rows }
}

/** The rows of a trace file; a row without a load is passed on with NaN, as the exporter that was silent would. */
export async function * readTrace (path: string): AsyncGenerator<TraceRow> {
  for await (const { header, rows, lines } of readCsv(path)) {
    const [atColumn, loadColumn] = columnIndexes(path, header, ['at', 'requestsPerSecond'])
    for (const [i, row] of rows.entries()) {
      const cell = (column: number) => readNumber(row[column], { path, line: lines[i], column: header[column] })
      const others = header.map((_, column) => column).filter(column => column !== atColumn && column !== loadColumn)
      yield { at: cell(atColumn), load: cell(loadColumn), signals: Object.fromEntries(others.map(column => [header[column], cell(column)])) }
    }
  }
}

/** Feeds rows through `evaluate` as the worker does, with a simulated cluster that obeys every decision. Looks at no later row. */
export async function * replayRows (trace: AsyncIterable<TraceRow> | Iterable<TraceRow>, settings: ReplaySettings): AsyncGenerator<ReplayedStep> {
  const { capacity, target, startUpSeconds, min = 1, stepSeconds = 60, models: given = noModels } = settings
  const policy = policyOf(settings)
  const learner = createLocalLearner({ ...settings, policy })
  let cluster: Cluster | null = null
  let state = emptyState()
  let replicas = min
  let models = given
  for await (const { at, load, signals } of trace) {
    const instances = (load || 0) / capacity
    cluster ??= createCluster(Math.max(min, Math.ceil(instances / target)), { startUpSeconds, stepSeconds })
    passStep(cluster, instances, stepSeconds)
    const sample = sampleOf({ at, load, signals }, cluster.ready, stepSeconds)
    models = { ...models, forecast: learner.learn(sample.at, load) ?? models.forecast }
    const evaluation = evaluate(state, sample, models, policy)
    state = evaluation.state
    const decision = evaluation.status === 'decided' ? evaluation.decision : null
    replicas = decision?.replicas ?? replicas
    obey(cluster, replicas)
    const median = decision?.forecast?.quantiles.find(({ quantile }) => quantile === 0.5)
    yield { at, load, replicas, source: decision?.source ?? evaluation.status, forecast: median?.load ?? null, reason: decision?.reason ?? '' }
  }
}

function policyOf ({ capacity, target, startUpSeconds, min = 1, max = 200, ...settings }: ReplaySettings): Policy {
  const { stepSeconds = 60, seasonSeconds = 86_400, violationTarget = 0.01 } = settings
  return {
    minReplicas: min,
    maxReplicas: max,
    target: { kind: 'perReplica', signal: 'requestsPerSecond', atTarget: capacity * target, utilization: target },
    startUpSeconds,
    stepSeconds,
    seasonSeconds,
    violationTarget,
    behavior: defaultBehavior,
    holdSeconds: 900,
    decisionTtlSeconds: 3 * stepSeconds,
    falseAlarmsPerWeek: 1
  }
}

/** What an exporter would have said at the end of the step; what it did not measure is no signal. */
function sampleOf ({ at, load, signals }: TraceRow, readyReplicas: number, stepSeconds: number): Sample {
  // The replicas of the trace are those of another rule; here ours run.
  const measured = { ...signals, requestsPerSecond: load, readyReplicas }
  const known = Object.entries(measured).filter(([, value]) => Number.isFinite(value))
  return { service: 'replay', at: (at + stepSeconds) * 1000, signals: Object.fromEntries(known) }
}
