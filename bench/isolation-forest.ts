import { spawnSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { isolationDefaults, trainIsolationForest } from '../src/ml/isolation-forest.ts'
import type { IsolationSet } from '../src/ml/isolation-forest.ts'
import { isolationVariants } from '../src/ml/isolation-tree.ts'
import type { IsolationVariant } from '../src/ml/isolation-tree.ts'
import { createRandom, normal } from '../src/ml/random.ts'
import { detect, emptyAnomalyState } from '../src/policy/verdict.ts'
import { readCsv } from '../training/csv.ts'
import { learnService } from '../training/train-anomaly.ts'

/**
 * The isolation forest beside scikit-learn's: ROC-AUC on tables with a column `label` (one CSV file each, `--tables DIRECTORY`), CPU seconds of training
 * and scoring 100,000 × 10, and the microseconds that the detector takes for a row of one service.
 * `node dist/bench/isolation-forest.js [--tables DIR] [--python python3] [--seeds 30]` prints JSON. Seeded but for the times.
 */
const { values: args } = parseArgs({ options: { tables: { type: 'string' }, python: { type: 'string' }, seeds: { type: 'string', default: '30' } } })
const seeds = Number(args.seeds)
const rows = 100_000
const width = 10

interface Table extends IsolationSet { readonly isAnomaly: boolean[] }

async function readTable (path: string): Promise<Table> {
  let features: string[] = []
  const x: number[] = []
  const isAnomaly: boolean[] = []
  for await (const batch of readCsv(path)) {
    const label = batch.header.indexOf('label')
    features = batch.header.filter((_, column) => column !== label)
    for (const row of batch.rows) {
      x.push(...row.filter((_, column) => column !== label).map(Number))
      isAnomaly.push(Number(row[label]) === 1)
    }
  }
  return { features, x: Float64Array.from(x), isAnomaly }
}

function scoreAll (set: IsolationSet, variant: IsolationVariant, seed: number): Float64Array {
  const forest = trainIsolationForest(set, { ...isolationDefaults, variant }, createRandom(seed))
  const count = set.features.length
  return Float64Array.from({ length: set.x.length / count }, (_, row) => forest.score(set.x.subarray(row * count, (row + 1) * count)))
}

/** Area under the ROC curve by ranks; equal scores share theirs. */
function rocAuc (scores: Float64Array, isPositive: readonly boolean[]): number {
  const order = Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b])
  let ranks = 0
  let positives = 0
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && scores[order[to]] === scores[order[from]]) to++
    const hits = order.slice(from, to).filter(row => isPositive[row]).length
    positives += hits
    ranks += hits * (from + to + 1) / 2
  }
  return (ranks - positives * (positives + 1) / 2) / (positives * (order.length - positives))
}

const script = `
import json, sys, time
import numpy as np
from sklearn.ensemble import IsolationForest
task, rows, seeds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
table = np.frombuffer(sys.stdin.buffer.read()).reshape(rows, -1)
x, y = table[:, :-1], table[:, -1]
if task == 'auc':
    from sklearn.metrics import roc_auc_score
    score = lambda seed: roc_auc_score(y, -IsolationForest(n_estimators=100, max_samples=min(256, rows), random_state=seed).fit(x).score_samples(x))
    print(json.dumps(float(np.mean([score(seed) for seed in range(seeds)]))))
else:
    forest = IsolationForest(n_estimators=100, max_samples=256, n_jobs=1, random_state=0)
    start = time.process_time(); forest.fit(x); fit = time.process_time() - start
    start = time.process_time(); forest.score_samples(x); print(json.dumps({'fitSeconds': fit, 'scoreSeconds': time.process_time() - start}))
`

function askPython (task: 'auc' | 'time', { x, features }: IsolationSet, isAnomaly: readonly boolean[]): unknown {
  if (args.python === undefined) return undefined
  const count = features.length
  const table = new Float64Array(isAnomaly.length * (count + 1))
  isAnomaly.forEach((anomaly, row) => {
    table.set(x.subarray(row * count, (row + 1) * count), row * (count + 1))
    table[row * (count + 1) + count] = anomaly ? 1 : 0
  })
  const { stdout, stderr, status } = spawnSync(args.python, ['-c', script, task, String(isAnomaly.length), String(seeds)],
    { input: new Uint8Array(table.buffer), maxBuffer: 1 << 20 })
  if (status !== 0) throw new Error(`${args.python}: ${stderr}`)
  return JSON.parse(stdout.toString())
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

async function tabulate (directory: string) {
  const table: Record<string, unknown> = {}
  for (const file of (await readdir(directory)).filter(name => /\.csv(\.gz)?$/.test(name)).sort()) {
    const set = await readTable(join(directory, file))
    const meanAuc = (variant: IsolationVariant) => mean(Array.from({ length: seeds }, (_, seed) => rocAuc(scoreAll(set, variant, seed), set.isAnomaly)))
    const ours = isolationVariants.map(variant => [variant, meanAuc(variant)])
    table[basename(file).replace(/\.csv(\.gz)?$/, '')] = { ...Object.fromEntries(ours), scikitLearn: askPython('auc', set, set.isAnomaly) }
  }
  return table
}

function cpuSeconds<T> (work: () => T): [seconds: number, result: T] {
  const before = process.cpuUsage()
  const result = work()
  const { user, system } = process.cpuUsage(before)
  return [(user + system) / 1e6, result]
}

function timeForest () {
  const random = createRandom(1)
  const set = { features: Array.from({ length: width }, (_, i) => `x${i}`), x: Float64Array.from({ length: rows * width }, () => normal(random)) }
  const [fitSeconds, forest] = cpuSeconds(() => trainIsolationForest(set, isolationDefaults, createRandom(1)))
  const [scoreSeconds] = cpuSeconds(() => { for (let row = 0; row < rows; row++) forest.score(set.x.subarray(row * width, (row + 1) * width)) })
  return { rows, width, ours: { fitSeconds, scoreSeconds }, scikitLearn: askPython('time', set, Array(rows).fill(false)) }
}

/** Median microseconds of `detect` for one row of a service with this many signals. */
function timeDetector (count: number, { isTrained }: { isTrained: boolean }) {
  const random = createRandom(2)
  const signals = Array.from({ length: count }, (_, i) => `signal${i}`)
  const x = Float64Array.from({ length: 2000 * count }, () => normal(random))
  const at = Float64Array.from({ length: 2000 }, (_, i) => (i + 1) * 60_000)
  const learned = learnService({ signals, x, at }, { stepSeconds: 60, seasonSeconds: 86_400, falseAlarmsPerWeek: 7, random })
  const model = { version: 'bench', forest: learned.forest }
  let state = isTrained ? learned.state : emptyAnomalyState()
  const microseconds: number[] = []
  for (let step = 1; step <= 10_000; step++) {
    const sample = { service: 'bench', at: (2000 + step) * 60_000, signals: Object.fromEntries(signals.map(name => [name, normal(random)])) }
    const start = performance.now()
    state = detect(state, sample, { model, falseAlarmsPerWeek: 7, stepSeconds: 60 }).state
    microseconds.push((performance.now() - start) * 1000)
  }
  return microseconds.sort((a, b) => a - b)[microseconds.length >> 1]
}

const detectorMicroseconds = Object.fromEntries([1, 10, 38].map(count =>
  [`${count} signals`, { trained: timeDetector(count, { isTrained: true }), untrained: timeDetector(count, { isTrained: false }) }]))
const report = { detectorMicroseconds, forest: timeForest(), rocAuc: args.tables === undefined ? undefined : await tabulate(args.tables) }
process.stdout.write(JSON.stringify(report, null, 2) + '\n')
