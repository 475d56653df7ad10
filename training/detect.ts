import { availableParallelism } from 'node:os'
import type { Signals } from '../src/domain.ts'
import { PrescaleError } from '../src/errors.ts'
import { createRandom } from '../src/ml/random.ts'
import { isNews, noveltyRule } from '../src/policy/alarm.ts'
import { warmUpSteps } from '../src/policy/judge.ts'
import { detect, emptyAnomalyState } from '../src/policy/verdict.ts'
import type { AnomalyModel } from '../src/policy/verdict.ts'
import { checkNotInput, createCsvWriter, readCsv } from './csv.ts'
import type { CsvBatch } from './csv.ts'
import { createIncidentFile } from './incident-file.ts'
import type { IncidentFile } from './incident-file.ts'
import { createProgress } from './progress.ts'
import { findPeriodRows } from '../src/features/season.ts'
import { openSignalTable } from './signal-table.ts'
import type { SignalTable } from './signal-table.ts'
import { learnServiceOnThreads } from './train-anomaly.ts'

export interface DetectFileOptions {
  readonly data: string
  readonly out: string
  /** The first rows are normal; without them what is normal is learned on the way. */
  readonly trainRows?: number
  /** Where the file has no time; otherwise measured. */
  readonly stepSeconds?: number
  /** Otherwise a day where the file has times, and what the training rows show where it has none. */
  readonly seasonSeconds?: number
  readonly falseAlarmsPerWeek?: number
  readonly seed?: number
  /** For learning from training rows; the number changes nothing but the time. */
  readonly threads?: number
  /** Used until training rows give a forest of their own. */
  readonly model?: AnomalyModel | null
  /** Without training rows: whether the file is judged by a standard of its own once it has shown some days, as live services are. */
  readonly studies?: boolean
  /** Where to write the incidents that consecutive anomalies make up; nowhere where not given. */
  readonly incidents?: string
}

const header = ['row', 'score', 'threshold', 'isAnomaly', 'severity', 'causes', 'tailProbability', 'incident', 'maintenance', 'maintenanceProbability', 'missing', 'drift']
const daySeconds = 86_400
const assumedStepSeconds = 60
/** What follows an alarm within its quiet time stays below the threshold, in the same order. */
const echoShare = 0.5
/** Training rows are held in memory: 50 million values are 400 MB. */
const mostTrainingValues = 50_000_000

/**
 * Judges every row of a CSV file as the worker would judge samples as they come: nothing from the future, memory that does not grow with the file.
 * Every numeric column is a signal; `at` or `timestamp` is the time; a column `label` is never read.
 *
 * With training rows the detector learns from them once and judges the rest by them; they themselves get the score 0. Fewer than
 * 150 of them do not say what is normal: then, and without any, it learns from row to row and reports where an anomaly begins: `isAnomaly` is 1
 * there alone, and the scores of the 150 rows that follow are halved, because what follows is its echo. With `studies` that is so until it has a
 * standard of its own, after about four days (policy/study.ts). Its forest follows calm rows either way.
 *
 * A row that repeats the one before it, time and all, gets its judgement and teaches nothing. Rows count in the order of the file.
 *
 * @throws PrescaleError `not-found`, `invalid-request` with file and line, or where training leaves no row to judge, `limit-exceeded` for too
 *   many columns or training values.
 */
export async function detectFile (options: DetectFileOptions): Promise<{ rows: number }> {
  const { data, out, trainRows = 0 } = options
  checkNotInput(out, data)
  const writer = createCsvWriter(out, header)
  const incidents = createIncidentFile(options.incidents)
  const progress = createProgress({ label: 'detect' })
  let detector: Detector | null = null
  let row = 0
  try {
    for await (const batch of readCsv(data)) {
      detector ??= createDetector(checkedTable(data, batch), { ...options, trainRows, incidents })
      for (let i = 0; i < batch.rows.length; i++, row++) {
        const judged = detector.next(batch, i)
        await writer.write([row, ...judged])
        if (detector.isReady()) await detector.learn()
      }
      progress.advance(batch.rows.length)
    }
    if (trainRows >= warmUpSteps && row <= trainRows) {
      throw new PrescaleError('invalid-request', `${data}: the file has ${row} rows, and all of ${trainRows} shall be training rows: none is left to judge.`)
    }
    await incidents.close()
    await writer.close()
  } catch (error) {
    await Promise.all([incidents.discard(), writer.discard()])
    throw error
  } finally {
    progress.done()
  }
  return { rows: row }
}

/** A file has one state, and that need not be small. */
const mostColumns = 1000

function checkedTable (data: string, first: CsvBatch): SignalTable {
  const table = openSignalTable(data, first)
  if (table.signals.length > mostColumns) {
    throw new PrescaleError('limit-exceeded', `${data}:1: ${table.signals.length} columns of numbers, at most ${mostColumns} are looked at; leave columns out.`)
  }
  return table
}

type Judged = readonly (string | number)[]
const notJudged: Judged = [0, 0.5, 0, 'none', '', '', '', 'no_action_needed', 0, '', '']

interface Latest { readonly given: number, readonly x: Float64Array, readonly judged: Judged }

interface CheckedOptions extends Omit<DetectFileOptions, 'incidents'> { readonly trainRows: number, readonly incidents: IncidentFile }

/** Rows in, judgements out; gathers the training rows first, if there are any. */
function createDetector (table: SignalTable, { incidents, ...options }: CheckedOptions) {
  const { falseAlarmsPerWeek = 7, seed = 1, data, studies = false, threads = availableParallelism() } = options
  const { signals } = table
  const stepSeconds = options.stepSeconds ?? table.stepSeconds ?? assumedStepSeconds
  const rowsToTrain = options.trainRows >= warmUpSteps ? options.trainRows : 0
  if (rowsToTrain * signals.length > mostTrainingValues) {
    throw new PrescaleError('limit-exceeded', `${data}: ${rowsToTrain} training rows of ${signals.length} signals; at most ${mostTrainingValues} values can be held.`)
  }
  const training = { x: new Float64Array(rowsToTrain * signals.length), at: new Float64Array(rowsToTrain) }
  let seasonSeconds = options.seasonSeconds ?? (table.hasTime ? daySeconds : null)
  let model = options.model ?? null
  let state = emptyAnomalyState()
  let row = 0
  let gathered = 0
  let latest: Latest = { given: NaN, x: new Float64Array(0), judged: notJudged }

  function next (batch: CsvBatch, i: number): Judged {
    const { at: given, x } = table.read(batch, i)
    const at = table.hasTime ? given : (row + 1) * stepSeconds * 1000
    const isTraining = row++ < rowsToTrain
    if (given === latest.given && x.every((value, s) => Object.is(value, latest.x[s]))) return latest.judged
    latest = { given, x, judged: isTraining ? gather(at, x) : judge(at, x) }
    return latest.judged
  }

  function gather (at: number, x: Float64Array): Judged {
    training.x.set(x, gathered * signals.length)
    training.at[gathered++] = at
    return notJudged
  }

  /** Whether the last training row has come and nothing was learned from them yet. */
  const isReady = () => row === rowsToTrain && training.x.length > 0

  async function learn (): Promise<void> {
    const rows = { signals, x: training.x.subarray(0, gathered * signals.length), at: training.at.subarray(0, gathered) }
    const periodRows = seasonSeconds === null ? findPeriodRows(rows.x, signals.length) : null
    if (periodRows !== null) seasonSeconds = periodRows * stepSeconds
    const rules = { stepSeconds, seasonSeconds, falseAlarmsPerWeek, random: createRandom(seed) }
    const learned = await learnServiceOnThreads(rows, { ...rules, threads })
    state = learned.state
    model = { version: 'learned', forest: learned.forest }
    training.x = new Float64Array(0)
  }

  function judge (at: number, x: Float64Array): Judged {
    const measured = Object.fromEntries(signals.map((signal, s) => [signal, x[s]]).filter(([, value]) => !Number.isNaN(value))) as Signals
    const judged = detect(state, { service: data, at, signals: measured }, { model, falseAlarmsPerWeek, stepSeconds, seasonSeconds, mostSignals: mostColumns, studies, explain: 'all' })
    const news = state.standard !== null || isNews(state.alarm, judged.state.alarm, noveltyRule)
    state = judged.state
    const { score, threshold, isAnomaly, severity, causes, tailProbability, maintenance, missingSignals, drift } = judged.verdict
    const incident = incidents.next(judged.verdict, { row: row - 1, stepSeconds })
    return [
      news ? score : echoShare * score, threshold, isAnomaly && news ? 1 : 0, severity, causes.map(({ text }) => text).join('; '), tailProbability ?? '',
      incident ?? '', maintenance.action, maintenance.probability, missingSignals.join('; '), drift?.score ?? ''
    ]
  }

  return { next, isReady, learn }
}
type Detector = ReturnType<typeof createDetector>
