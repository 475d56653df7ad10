import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createRandom } from '../src/ml/random.ts'
import { detect } from '../src/policy/verdict.ts'
import { readCsv } from '../training/csv.ts'
import { findPeriodRows } from '../src/features/season.ts'
import { openSignalTable } from '../training/signal-table.ts'
import { averagePrecision } from '../training/train-anomaly-model.ts'
import { learnService } from '../training/train-anomaly.ts'

/**
 * The trained detector on labelled telemetry: `--data DIRECTORY` with CSV files that have a column `label`, and `index.json` with
 * `{"FILE": {"set", "trainRows", "stepSeconds"}}`. For each file and set: point-wise average precision, the share of labelled events with a flagged row
 * (`caught`) and of those at which an alarm began (`begun`, at most ten rows before: one alarm that never ends catches everything and begins nothing),
 * false alarms a day, and the share of rows flagged. Seeded: `node dist/bench/anomaly.js --data DIRECTORY [--seed 1]` prints JSON.
 */
const { values: args } = parseArgs({ options: { data: { type: 'string' }, seed: { type: 'string', default: '1' } } })
if (args.data === undefined) throw new Error('Say where the labelled files are: --data DIRECTORY.')

interface FileIndex { readonly set: string, readonly trainRows: number, readonly stepSeconds: number }
interface Labelled { readonly signals: readonly string[], readonly x: Float64Array, readonly isAnomaly: readonly boolean[] }

async function readLabelled (path: string): Promise<Labelled> {
  const rows: Float64Array[] = []
  const isAnomaly: boolean[] = []
  let signals: readonly string[] = []
  for await (const batch of readCsv(path)) {
    const table = openSignalTable(path, batch)
    const label = batch.header.indexOf('label')
    signals = table.signals
    batch.rows.forEach((row, i) => {
      rows.push(table.read(batch, i).x)
      isAnomaly.push(Number(row[label]) === 1)
    })
  }
  const x = new Float64Array(rows.length * signals.length)
  rows.forEach((row, i) => x.set(row, i * signals.length))
  return { signals, x, isAnomaly }
}

function judge ({ signals, x, isAnomaly }: Labelled, { trainRows, stepSeconds }: FileIndex) {
  const width = signals.length
  const at = (row: number) => (row + 1) * stepSeconds * 1000
  const train = x.subarray(0, trainRows * width)
  const period = findPeriodRows(train, width)
  const options = { stepSeconds, seasonSeconds: period && period * stepSeconds, falseAlarmsPerWeek: 7 }
  const learned = learnService({ signals, x: train, at: Float64Array.from({ length: trainRows }, (_, row) => at(row)) },
    { ...options, random: createRandom(Number(args.seed)) })
  const model = { version: 'bench', forest: learned.forest }
  let state = learned.state
  return isAnomaly.slice(trainRows).map((_, i) => {
    const row = trainRows + i
    const measured = signals.map((signal, s) => [signal, x[row * width + s]] as const).filter(([, value]) => !Number.isNaN(value))
    const next = detect(state, { service: 'bench', at: at(row), signals: Object.fromEntries(measured) }, { ...options, model })
    state = next.state
    return { score: next.verdict.score, isFlagged: next.verdict.isAnomaly }
  })
}

/** Runs of true as [from, to). */
function runsOf (values: readonly boolean[]): [number, number][] {
  const runs: [number, number][] = []
  for (const [i, value] of values.entries()) {
    if (!value) continue
    if (i > 0 && values[i - 1]) runs[runs.length - 1][1] = i + 1
    else runs.push([i, i + 1])
  }
  return runs
}

const earlyRows = 10

function measure (judged: ReturnType<typeof judge>, isAnomaly: readonly boolean[], stepSeconds: number) {
  const flags = judged.map(({ isFlagged }) => isFlagged)
  const events = runsOf(isAnomaly)
  const alarms = runsOf(flags)
  const share = (found: (event: [number, number]) => boolean) => events.filter(found).length / events.length
  return {
    averagePrecision: averagePrecision(judged.map(({ score }) => score), isAnomaly),
    events: events.length,
    caught: share(([from, to]) => flags.slice(from, to).includes(true)),
    begun: share(([from, to]) => alarms.some(([begin]) => begin >= from - earlyRows && begin < to)),
    falseAlarmsPerDay: alarms.filter(([from, to]) => !isAnomaly.slice(from, to).includes(true)).length / (flags.length * stepSeconds / 86_400),
    flaggedRatio: flags.filter(Boolean).length / flags.length
  }
}
type Measures = ReturnType<typeof measure>

/** Means over the files; shares of events over all events of the set. */
function meanOf (files: readonly Measures[]) {
  const mean = (of: (file: Measures) => number) => files.reduce((sum, file) => sum + of(file), 0) / files.length
  const events = files.reduce((sum, file) => sum + file.events, 0)
  const ofEvents = (of: (file: Measures) => number) => files.reduce((sum, file) => sum + of(file) * file.events, 0) / events
  return {
    files: files.length,
    events,
    averagePrecision: mean(file => file.averagePrecision),
    caught: ofEvents(file => file.caught),
    begun: ofEvents(file => file.begun),
    falseAlarmsPerDay: mean(file => file.falseAlarmsPerDay),
    flaggedRatio: mean(file => file.flaggedRatio)
  }
}

const index = JSON.parse(await readFile(join(args.data, 'index.json'), 'utf8')) as Record<string, FileIndex>
const present = new Set(await readdir(args.data))
const files: Record<string, Measures> = {}
for (const name of Object.keys(index).filter(name => present.has(name))) {
  const labelled = await readLabelled(join(args.data, name))
  files[name] = measure(judge(labelled, index[name]), labelled.isAnomaly.slice(index[name].trainRows), index[name].stepSeconds)
}
const sets = Object.fromEntries([...new Set(Object.keys(files).map(name => index[name].set))]
  .map(set => [set, meanOf(Object.keys(files).filter(name => index[name].set === set).map(name => files[name]))]))
process.stdout.write(JSON.stringify({ sets, files }, null, 2) + '\n')
