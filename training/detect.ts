import { availableParallelism } from 'node:os'
import type { Signals } from '../src/domain.ts'
import { PrescaleError } from '../src/errors.ts'
import { createRandom } from '../src/ml/random.ts'
import { isNews, noveltyRule } from '../src/policy/alarm.ts'
import { warmUpSteps } from '../src/policy/judge.ts'
import { detect, emptyAnomalyState } from '../src/policy/verdict.ts'
import type { AnomalyModel } from '../src/policy/verdict.ts'
import { createCsvWriter, readCsv } from './csv.ts'
import type { CsvBatch } from './csv.ts'
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
}

const header = ['row', 'score', 'threshold', 'isAnomaly', 'severity', 'causes']
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
 * @throws PrescaleError `not-found`, `invalid-request` with file and line, `limit-exceeded` for too many columns or training values.
 */
export async function detectFile (options: DetectFileOptions): Promise<{ rows: number }> {
  const { data, out, trainRows = 0 } = options
  const writer = createCsvWriter(out, header)
  const progress = createProgress({ label: 'detect' })
  let detector: Detector | null = null
  let row = 0
  try {
    for await (const batch of readCsv(data)) {
      detector ??= createDetector(checkedTable(data, batch), { ...options, trainRows })
      for (let i = 0; i < batch.rows.length; i++, row++) {
        const judged = detector.next(batch, i)
        await writer.write([row, ...judged])
        if (detector.isReady()) await detector.learn()
      }
      progress.advance(batch.rows.length)
    }
    await writer.close()
  } catch (error) {
    await writer.discard()
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

type Judged = [score: number, threshold: number, isAnomaly: number, severity: string, causes: string]
const notJudged: Judged = [0, 0.5, 0, 'none', '']

/** Rows in, judgements out; gathers the training rows first, if there are any. */
function createDetector (table: SignalTable, options: DetectFileOptions & { readonly trainRows: number }) {
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

  function next (batch: CsvBatch, i: number): Judged {
    const { at: given, x } = table.read(batch, i)
    const at = table.hasTime ? given : (row + 1) * stepSeconds * 1000
    if (row++ >= rowsToTrain) return judge(at, x)
    training.x.set(x, (row - 1) * signals.length)
    training.at[row - 1] = at
    return notJudged
  }

  /** Whether the last training row has come and nothing was learned from them yet. */
  const isReady = () => row === rowsToTrain && training.x.length > 0

  async function learn (): Promise<void> {
    const periodRows = seasonSeconds === null ? findPeriodRows(training.x, signals.length) : null
    if (periodRows !== null) seasonSeconds = periodRows * stepSeconds
    const rules = { stepSeconds, seasonSeconds, falseAlarmsPerWeek, random: createRandom(seed) }
    const learned = await learnServiceOnThreads({ signals, ...training }, { ...rules, threads })
    state = learned.state
    model = { version: 'learned', forest: learned.forest }
    training.x = new Float64Array(0)
  }

  function judge (at: number, x: Float64Array): Judged {
    const measured = Object.fromEntries(signals.map((signal, s) => [signal, x[s]]).filter(([, value]) => !Number.isNaN(value))) as Signals
    const judged = detect(state, { service: data, at, signals: measured }, { model, falseAlarmsPerWeek, stepSeconds, seasonSeconds, mostSignals: mostColumns, studies, explain: 'all' })
    const news = state.standard !== null || isNews(state.alarm, judged.state.alarm, noveltyRule)
    state = judged.state
    const { score, threshold, isAnomaly, severity, causes } = judged.verdict
    return [news ? score : echoShare * score, threshold, isAnomaly && news ? 1 : 0, severity, causes.map(({ text }) => text).join('; ')]
  }

  return { next, isReady, learn }
}
type Detector = ReturnType<typeof createDetector>
