import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { replayRows, type ReplaySettings, type TraceRow } from '../src/simulation/replay-rows.ts'
import { PrescaleError } from '../src/errors.ts'
import { checkNotInput, columnIndexes, createCsvWriter, readCsv, readNumber, unwritable } from './csv.ts'
import { createProgress } from './progress.ts'
import { createReplayPlot } from './replay-plot.ts'

export interface ReplayOptions extends ReplaySettings {
  /** CSV file, may end in .gz: `at` (epoch seconds, begin of the step), `requestsPerSecond`, optionally further signals. */
  readonly trace: string
  /** Where `at,replicas,source,forecast,reason` goes: the wish at the end of the step that began at `at`. */
  readonly out: string
  /** Where a picture of it goes, as SVG. */
  readonly plot?: string
}

/** Replays a trace file; what is asked for is written row by row, so that memory does not grow with the trace. */
export async function replay (options: ReplayOptions): Promise<{ rows: number }> {
  checkNotInput(options.out, options.trace)
  const writer = createCsvWriter(options.out, ['at', 'replicas', 'source', 'forecast', 'reason'])
  const plot = createReplayPlot({ atTarget: options.capacity * options.target })
  const progress = createProgress({ label: 'replay' })
  let rows = 0
  try {
    for await (const step of replayRows(readTrace(options.trace), options)) {
      const { at, replicas, source, forecast, reason } = step
      await writer.write([at, replicas, source, forecast === null ? '' : Number(forecast.toFixed(3)), reason])
      plot.add(step)
      progress.advance()
      rows++
    }
    await writer.close()
  } catch (error) {
    await writer.discard()
    throw error
  } finally {
    progress.done()
  }
  const { plot: picture } = options
  if (picture !== undefined) {
    await writeFile(picture, plot.toSvg(`prescale replay of ${basename(options.trace)}`)).catch((error: Error) => { throw unwritable(picture, error) })
  }
  return { rows }
}

/** The rows of a trace file; a row without a load is passed on with NaN, as the exporter that was silent would. */
export async function * readTrace (path: string): AsyncGenerator<TraceRow> {
  for await (const { header, rows, lines } of readCsv(path)) {
    const [atColumn, loadColumn] = columnIndexes(path, header, ['at', 'requestsPerSecond'])
    for (const [i, row] of rows.entries()) {
      const cell = (column: number) => readNumber(row[column], { path, line: lines[i], column: header[column] })
      const others = header.map((_, column) => column).filter(column => column !== atColumn && column !== loadColumn)
      yield { at: checkedTime(cell(atColumn), `${path}:${lines[i]}`), load: cell(loadColumn), signals: Object.fromEntries(others.map(column => [header[column], cell(column)])) }
    }
  }
}

/** Seconds that lie beyond the year 5000 were milliseconds. */
const mostSeconds = 1e11

function checkedTime (at: number, where: string): number {
  if (at < mostSeconds) return at
  throw new PrescaleError('invalid-request', `${where}: at is ${at}; seconds since 1970 are expected${at >= mostSeconds ? ', these look like milliseconds' : ''}.`)
}
