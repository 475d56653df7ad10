import { parseArgs } from 'node:util'
import type { Sample } from '../src/domain.ts'
import { loadFeatureNames } from '../src/features/load-features.ts'
import { LoadForecaster } from '../src/ml/forecaster.ts'
import { createRandom } from '../src/ml/random.ts'
import { emptyState, evaluate, type Models } from '../src/pipeline.ts'
import { createForecastRows } from '../src/learning/forecast-rows.ts'
import { replayPolicy } from '../src/simulation/replay-rows.ts'
import { generateWorkload } from '../training/generate-workloads.ts'

/**
 * One sample through the whole `evaluate`, with a forecaster as production has it (64 trees, 6,000 rows learned), over a week of minutes.
 * `node dist/bench/evaluate.js [--seed 3]` prints JSON: microseconds a sample, of them in the forecaster, seconds for the week, bytes of state.
 */
const { values: args } = parseArgs({ options: { seed: { type: 'string', default: '3' } } })
const week = 7 * 1440
const { loads, startAt, stepSeconds, seasonSeconds, capacity } = generateWorkload('bench', { seed: Number(args.seed), steps: 2 * week })
const at = (step: number) => (startAt + (step + 1) * stepSeconds) * 1000

function learnFirstWeek (): { forecast: LoadForecaster, x: Float64Array } {
  const rows = createForecastRows({ stepSeconds, seasonSeconds, horizons: [3], unit: capacity, capacity: 6000, random: createRandom(1) })
  loads.subarray(0, week).forEach((load, step) => { if (Number.isFinite(load)) rows.add(at(step), load) })
  const set = rows.set()
  return { forecast: LoadForecaster.train(set, { random: createRandom(1), version: 'local/1' }), x: set.x }
}

const policy = replayPolicy({ capacity, target: 0.7, startUpSeconds: 120, max: 500, stepSeconds, seasonSeconds })

/** Microseconds of each call, ascending. */
function timeEach (calls: number, call: (i: number) => void): Float64Array {
  return Float64Array.from({ length: calls }, (_, i) => {
    const before = process.hrtime.bigint()
    call(i)
    return Number(process.hrtime.bigint() - before) / 1000
  }).sort()
}

const { forecast, x } = learnFirstWeek()
const models: Models = { forecast, anomaly: null, config: null }
let state = emptyState()
const sampleOf = (step: number): Sample => ({
  service: 'bench', at: at(step), signals: Number.isFinite(loads[step]) ? { requestsPerSecond: loads[step], readyReplicas: 10 } : { readyReplicas: 10 }
})
for (let step = 0; step < week; step++) state = evaluate(state, sampleOf(step), models, policy).state

const startedAt = process.hrtime.bigint()
const whole = timeEach(week, i => { state = evaluate(state, sampleOf(week + i), models, policy).state })
const weekSeconds = Number(process.hrtime.bigint() - startedAt) / 1e9
const width = loadFeatureNames.length
const alone = timeEach(x.length / width, i => { forecast.quantiles(x.subarray(i * width, (i + 1) * width)) })
const median = (sorted: Float64Array) => Number(sorted[sorted.length >> 1].toFixed(1))
const bytes = (value: unknown): number => ArrayBuffer.isView(value)
  ? value.byteLength
  : value !== null && typeof value === 'object' ? Object.values(value).reduce((sum: number, part) => sum + bytes(part), 0) : 9
process.stdout.write(JSON.stringify({
  evaluateMedianMicroseconds: median(whole),
  evaluate99thMicroseconds: Number(whole[Math.floor(0.99 * whole.length)].toFixed(1)),
  forecasterMedianMicroseconds: median(alone),
  weekOfMinutesSeconds: Number(weekSeconds.toFixed(2)),
  stateBytes: bytes(state)
}, null, 2) + '\n')
