import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { trainForest, type Forest, type ForestOptions, type TrainingSet } from '../src/ml/forest.ts'
import { trainMeanForest } from '../src/ml/mean-forest.ts'
import { createRandom, normal } from '../src/ml/random.ts'

/**
 * The forest beside ml-random-forest and scikit-learn: equal rows, equal options, one core, CPU seconds, in one run.
 * `node dist/bench/forest.js [--runs 3] [--python python3]` prints JSON. Seeded but for the times.
 */
const { values: args } = parseArgs({ options: { runs: { type: 'string', default: '3' }, python: { type: 'string' } } })
const runs = Number(args.runs)
const testRows = 2000

/** Friedman's first function (1991) of the first four columns, with normal noise of deviation 1; further columns say nothing. */
function friedman (rows: number, { width, seed }: { width: number, seed: number }): TrainingSet {
  const random = createRandom(seed)
  const x = Float64Array.from({ length: rows * width }, () => random())
  const y = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const [a, b, c, d] = x.subarray(row * width)
    y[row] = 10 * Math.sin(Math.PI * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + normal(random)
  }
  return { features: Array.from({ length: width }, (_, i) => `x${i}`), x, y }
}

interface Task { readonly learned: TrainingSet, readonly unseen: TrainingSet, readonly options: ForestOptions }
interface Result { readonly cpuSeconds: number, readonly rmse: number }

function rmseOf (model: { predict (x: Float64Array): number }, { features, x, y }: TrainingSet): number {
  const width = features.length
  const squares = y.map((target, row) => (model.predict(x.subarray(row * width, (row + 1) * width)) - target) ** 2)
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / y.length)
}

function timed (task: Task, train: () => { predict (x: Float64Array): number }): Result {
  const before = process.cpuUsage()
  const model = train()
  const { user, system } = process.cpuUsage(before)
  return { cpuSeconds: (user + system) / 1e6, rmse: rmseOf(model, task.unseen) }
}

const trainOurs = (task: Task, seed: number) => timed(task, () => trainForest(task.learned, task.options, createRandom(seed)))
const trainTheirs = (task: Task, seed: number) => timed(task, () => trainMeanForest(task.learned, task.options, createRandom(seed)))

const script = `
import json, sys, time
import numpy as np
from sklearn.ensemble import RandomForestRegressor
rows, width, trees, leaf, tried, seed = map(int, sys.argv[1:])
table = np.frombuffer(sys.stdin.buffer.read())
cut, end = rows * width, rows * width + rows
x, y, rest = table[:cut].reshape(rows, width), table[cut:end], table[end:]
count = len(rest) // (width + 1)
forest = RandomForestRegressor(trees, min_samples_leaf=leaf, max_features=tried, n_jobs=1, random_state=seed)
start = time.process_time()
forest.fit(x, y)
spent = time.process_time() - start
error = forest.predict(rest[:count * width].reshape(count, width)) - rest[count * width:]
print(json.dumps({'cpuSeconds': spent, 'rmse': float(np.sqrt(np.mean(error ** 2)))}))
`

function trainScikitLearn ({ learned, unseen, options }: Task, { seed, python }: { seed: number, python: string }): Result {
  const parts = [learned.x, learned.y, unseen.x, unseen.y]
  const numbers = [learned.y.length, learned.features.length, options.trees, options.minLeaf, options.maxFeatures, seed]
  const { status, stdout, stderr } = spawnSync(python, ['-c', script, ...numbers.map(String)], {
    input: Buffer.concat(parts.map(part => new Uint8Array(part.buffer))), env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' }
  })
  if (status !== 0) throw new Error(`${python} failed: ${stderr}`)
  return JSON.parse(String(stdout)) as Result
}

/** Debian keeps the package for its own Python, which need not be the first one on the path. */
function findScikitLearn (): { python: string, version: string } | null {
  for (const python of args.python === undefined ? ['python3', '/usr/bin/python3'] : [args.python]) {
    const { status, stdout } = spawnSync(python, ['-c', 'import sklearn; print(sklearn.__version__)'])
    if (status === 0) return { python, version: String(stdout).trim() }
  }
  return null
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]
const summary = (results: readonly Result[]) => ({ cpuSeconds: median(results.map(r => r.cpuSeconds)), rmse: median(results.map(r => r.rmse)) })

/** Both in turn, so that a busy machine slows both. */
function compare (task: Task, other: (seed: number) => Result) {
  trainOurs(task, 0) // compiles the hot loops
  const results = Array.from({ length: runs }, (_, i) => ({ ours: trainOurs(task, i + 1), theirs: other(i + 1) }))
  const ours = summary(results.map(result => result.ours))
  const theirs = summary(results.map(result => result.theirs))
  return { options: task.options, ours, theirs, timesFaster: theirs.cpuSeconds / ours.cpuSeconds, errorRatio: ours.rmse / theirs.rmse }
}

function microsecondsPerRow (rows: readonly Float64Array[], ask: (x: Float64Array) => unknown): number {
  const round = () => {
    const before = process.cpuUsage()
    for (const x of rows) ask(x)
    return process.cpuUsage(before).user / rows.length
  }
  return median(Array.from({ length: 15 }, round))
}

function queryTimes (forest: Forest, { features, x, y }: TrainingSet) {
  const rows = Array.from(y, (_, row) => x.slice(row * features.length, (row + 1) * features.length))
  const out = new Float64Array(3)
  return {
    predict: microsecondsPerRow(rows, row => forest.predict(row)),
    threeQuantiles: microsecondsPerRow(rows, row => forest.quantiles(row, [0.1, 0.5, 0.9], out)),
    contributions: microsecondsPerRow(rows, row => forest.contributions(row))
  }
}

const taskOf = (rows: number, width: number, options: ForestOptions): Task =>
  ({ learned: friedman(rows, { width, seed: 1 }), unseen: friedman(testRows, { width, seed: 2 }), options })

const small = taskOf(1000, 4, { trees: 50, minLeaf: 2, maxFeatures: 4 })
const large = taskOf(20_000, 20, { trees: 10, minLeaf: 1, maxFeatures: 20 })
const thirds = taskOf(20_000, 20, { trees: 50, minLeaf: 5, maxFeatures: 7 })
const served = taskOf(6000, 20, { trees: 64, minLeaf: 5, maxFeatures: 7 })
const scikitLearn = findScikitLearn()
if (scikitLearn === null) process.stderr.write('scikit-learn is missing (Debian: python3-sklearn), so the comparison with it is skipped.\n')

const report = {
  node: process.version,
  runs,
  mlRandomForest: { '1000x4': compare(small, seed => trainTheirs(small, seed)) },
  scikitLearn: scikitLearn && {
    version: scikitLearn.version,
    '20000x20': compare(large, seed => trainScikitLearn(large, { seed, python: scikitLearn.python })),
    '20000x20, a third of the features': compare(thirds, seed => trainScikitLearn(thirds, { seed, python: scikitLearn.python }))
  },
  cpuMicrosecondsPerRow: {
    options: served.options,
    rows: 6000,
    width: 20,
    ...queryTimes(trainForest(served.learned, served.options, createRandom(1)), served.unseen)
  }
}
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
