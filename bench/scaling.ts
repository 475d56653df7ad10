import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ContestSetting } from '../src/simulation/contestants.ts'
import type { SimulationTask } from '../src/simulation/task.ts'
import { runTasks } from '../src/threads/simulation-pool.ts'
import { readTraceHistory } from '../training/backtest-history.ts'

/**
 * Violating requests, cost (1 is the cheapest cover, known beforehand) and changes an hour of prescale and of HPA on the traces of a folder, after their
 * training rows: index.json names for each `file`, `stepSeconds`, `trainRows` and, where it is not a day, `seasonSeconds`; an instance carries 100 requests/s.
 *
 * `node dist/bench/scaling.js --data DIR [--trace NAME…] [--violation-target 0.01] [--start-up 120] [--zero-shot]` prints JSON. With --zero-shot no
 * model is learned from the traces themselves.
 */
const { values: args } = parseArgs({
  options: {
    data: { type: 'string' },
    trace: { type: 'string', multiple: true },
    'violation-target': { type: 'string', default: '0.01' },
    'start-up': { type: 'string', default: '120' },
    'zero-shot': { type: 'boolean', default: false }
  }
})
if (args.data === undefined) throw new Error('--data says where the traces lie.')
const folder = args.data
const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Record<string, { file: string, stepSeconds: number, trainRows: number, seasonSeconds?: number }>
const capacity = 100
const forecast = { bytes: new Uint8Array(readFileSync(join('models', 'forecast', '1', 'model.bin'))), version: 'forecast/1' }

async function tasksOf (name: string): Promise<SimulationTask[]> {
  const { file, stepSeconds, trainRows, seasonSeconds = 86_400 } = index[name]
  const { startAt, loads } = await readTraceHistory(join(folder, file), { name, stepSeconds })
  const series = { startAt, loads: loads.map((load) => load / capacity) }
  const setting: ContestSetting = {
    startUpSeconds: Number(args['start-up']),
    stepSeconds,
    minReplicas: 1,
    maxReplicas: 200,
    target: 0.7,
    seasonSeconds,
    violationTarget: Number(args['violation-target']),
    scoreFrom: trainRows
  }
  const prescale = { capacity, policy: {}, forecast, trainRows: args['zero-shot'] ? 0 : trainRows }
  return [{ autoscaler: 'prescale', series, setting, prescale }, { autoscaler: 'hpa', series, setting }]
}

const names = args.trace ?? Object.keys(index)
const tasks = (await Promise.all(names.map(tasksOf))).flat()
const results = await runTasks(tasks)
const rounded = (value: number) => Number(value.toPrecision(4))
const scores = results.map(({ score: { violationRatio, costRatio, changesPerHour } }) =>
  ({ violationRatio: rounded(violationRatio), costRatio: rounded(costRatio), changesPerHour: rounded(changesPerHour) }))
const costs = scores.filter((_, i) => i % 2 === 0).map(({ costRatio }) => Math.log(costRatio))
process.stdout.write(JSON.stringify({
  violationTarget: Number(args['violation-target']),
  startUpSeconds: Number(args['start-up']),
  costGeometricMean: rounded(Math.exp(costs.reduce((sum, cost) => sum + cost, 0) / costs.length)),
  traces: Object.fromEntries(names.map((name, i) => [name, { prescale: scores[2 * i], hpa: scores[2 * i + 1] }]))
}, null, 2) + '\n')
