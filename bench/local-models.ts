import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { stepsApart, trainLocal } from '../src/learning/train-local.ts'
import { LoadForecaster } from '../src/ml/forecaster.ts'
import { emptyState, evaluate, type Models } from '../src/pipeline.ts'
import { createCluster, obey, passStep } from '../src/policy/cluster.ts'
import { inUse } from '../src/policy/model-contest.ts'
import { replayPolicy } from '../src/simulation/replay-rows.ts'
import { firstReplicas, score, type LoadSeries } from '../src/simulation/score.ts'
import { readTraceHistory } from '../training/backtest-history.ts'

/**
 * What models of single services are worth as the running service learns and uses them: each trace is played once with the shipped model alone, and
 * once with a learner beside it, both from nothing. `node dist/bench/local-models.js --data DIR [--trace NAME…]` prints JSON, a line for each trace of the
 * folder (index.json, NAME.csv.gz with `at` and `requestsPerSecond`); cost and violations are counted from the first learning on.
 */
const { values: args } = parseArgs({ options: { data: { type: 'string' }, trace: { type: 'string', multiple: true } } })
if (args.data === undefined) throw new Error('--data says where the traces lie.')

const [capacity, target, startUpSeconds, stepSeconds, minimumSteps] = [100, 0.7, 120, 60, 1440]
const cluster = { startUpSeconds, stepSeconds, minReplicas: 1, maxReplicas: 200, target }
const shipped = LoadForecaster.fromBytes(new Uint8Array(readFileSync(resolve('models/forecast/1/model.bin'))), 'forecast 1')
const lineMs = stepSeconds * 1000

interface Own { readonly forecaster: LoadForecaster, readonly bytes: Uint8Array, readonly until: number }

/** As src/learner.ts does it, but at once. */
function createTraceLearner (trace: LoadSeries, seasonSeconds: number) {
  let next = minimumSteps
  let own: Own[] = []
  const outcomes: string[] = []
  const learn = (step: number, present: string | null): void => {
    if (step < next) return
    const rival = own.find(({ forecaster }) => forecaster.version === present)
    const version = `local/${outcomes.length + 1}`
    const result = trainLocal({
      ...trace,
      loads: trace.loads.subarray(0, step),
      stepSeconds,
      seasonSeconds,
      horizonSteps: 3,
      capacity,
      rows: 4000,
      seed: outcomes.length + 1,
      version,
      rival: rival ? { version: rival.forecaster.version, bytes: rival.bytes, seenUntil: rival.until } : { version: 'forecast 1', bytes: shipped.toBytes(), seenUntil: null }
    })
    outcomes.push(result.status)
    next = step + stepsApart(step, 3)
    if (result.status !== 'learned') return
    const learned = { forecaster: LoadForecaster.fromBytes(result.bytes, version), bytes: result.bytes, until: trace.startAt + (step - 1) * lineMs }
    own = [...rival ? [rival] : [], learned]
  }
  return { learn, outcomes, own: () => own.map(({ forecaster }) => forecaster) }
}

function play (trace: LoadSeries, seasonSeconds: number, { learns }: { learns: boolean }) {
  const learner = createTraceLearner(trace, seasonSeconds)
  const simulated = createCluster(firstReplicas(trace.loads[0] / capacity, cluster), cluster)
  const policy = replayPolicy({ capacity, target, startUpSeconds, stepSeconds, seasonSeconds })
  const lives: Record<string, number> = {}
  let state = emptyState()
  const wishes = trace.loads.map((load, step) => {
    passStep(simulated, (load || 0) / capacity, stepSeconds)
    const contest = state.forecasts?.contest ?? []
    if (learns) learner.learn(step, inUse(contest)?.version ?? null)
    const models: Models = { forecast: shipped, anomaly: null, config: null, local: learner.own() }
    const signals = { readyReplicas: simulated.ready, ...Number.isFinite(load) && { requestsPerSecond: load } }
    const evaluation = evaluate(state, { service: 'trace', at: trace.startAt + step * lineMs, signals }, models, policy)
    state = evaluation.state
    const life = inUse(state.forecasts?.contest ?? [])?.life ?? 'shipped'
    if (step >= minimumSteps) lives[life] = (lives[life] ?? 0) + 1
    if (evaluation.status !== 'decided') return NaN
    obey(simulated, evaluation.decision.replicas)
    return evaluation.decision.replicas
  })
  const series = { startAt: trace.startAt, loads: trace.loads.map((load) => load / capacity) }
  const { costRatio, violationRatio, changesPerHour } = score(series, wishes, { ...cluster, scoreFrom: minimumSteps })
  const places = (value: number) => Number(value.toPrecision(4))
  return { costRatio: places(costRatio), violationRatio: places(violationRatio), changesPerHour: places(changesPerHour), ...learns && { lives, attempts: learner.outcomes } }
}

const index = JSON.parse(readFileSync(join(args.data, 'index.json'), 'utf8')) as Record<string, { file: string, seasonSeconds: number }>
for (const [name, { file, seasonSeconds }] of Object.entries(index)) {
  if (args.trace !== undefined && !args.trace.includes(name)) continue
  const trace = await readTraceHistory(join(args.data, file), { name, stepSeconds })
  if (trace.loads.length < 2 * minimumSteps) continue
  const [without, learned] = [false, true].map((learns) => play(trace, seasonSeconds, { learns }))
  process.stdout.write(JSON.stringify({ trace: name, steps: trace.loads.length, shipped: without, learned }) + '\n')
}
