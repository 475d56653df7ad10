import { PrescaleError } from '../src/errors.ts'
import { isAbsent, readNumber } from './csv.ts'
import type { CsvBatch } from './csv.ts'

/** How the columns of a CSV file are read as signals over time. */
export interface SignalTable {
  readonly signals: readonly string[]
  readonly hasTime: boolean
  /** Usual distance of two rows; null without a time column. */
  readonly stepSeconds: number | null
  /** Row `i` of a batch, which is row `row` of the file: time in epoch ms (NaN without a time column) and a value per signal, NaN where there is none or an infinite one. */
  read (batch: CsvBatch, i: number): { at: number, x: Float64Array }
}

const timeColumns = ['at', 'timestamp']
const ignoredColumns = ['label']
/** Numbers above are epoch milliseconds: as seconds they lie beyond the year 5138. */
const leastMilliseconds = 1e11

/** Columns and step from the first batch: a column is a signal if most of its cells there are numbers, or all are empty. */
export function openSignalTable (path: string, first: CsvBatch): SignalTable {
  const { header } = first
  const timeColumn = header.findIndex(name => timeColumns.includes(name))
  const columns = [...header.keys()].filter(column => column !== timeColumn && !ignoredColumns.includes(header[column]) && isNumeric(first, column))
  if (columns.length === 0) {
    const separated = header.length === 1 && /[;\t|]/.exec(header[0])
    if (separated) throw new PrescaleError('invalid-request', `${path}:1: columns are separated by ${JSON.stringify(separated[0])}; commas are expected.`)
    throw new PrescaleError('invalid-request', `${path}:1: there is no column of numbers among ${header.slice(0, 10).join(', ')}.`)
  }
  const read = ({ rows, lines }: CsvBatch, i: number) => ({
    at: timeColumn < 0 ? NaN : readTime(rows[i][timeColumn], `${path}:${lines[i]}`),
    x: Float64Array.from(columns, column => isInfinite(rows[i][column].trim()) ? NaN : readNumber(rows[i][column], { path, line: lines[i], column: header[column] }))
  })
  return {
    signals: columns.map(column => header[column]),
    hasTime: timeColumn >= 0,
    stepSeconds: timeColumn < 0 ? null : usualStep(first.rows.map((_, i) => read(first, i).at)),
    read
  }
}

function isNumeric ({ rows }: CsvBatch, column: number): boolean {
  const filled = rows.map(row => row[column].trim()).filter(text => !isAbsent(text))
  return filled.length === 0 || filled.filter(text => isInfinite(text) || Number.isFinite(Number(text))).length > filled.length / 2
}

/** `inf` and what is too large for a number: a measurement that failed. */
const isInfinite = (text: string) => /^[+-]?inf(inity)?$/i.test(text) || Math.abs(Number(text)) === Infinity

function readTime (text: string, where: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isFinite(number)) return Math.abs(number) >= leastMilliseconds ? number : number * 1000
  // A time without a zone is UTC: what a file says must not depend on where it is read.
  const at = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.trim().replace(' ', 'T')}Z`)
  if (Number.isFinite(at)) return at
  throw new PrescaleError('invalid-request', `${where}: the time is ${JSON.stringify(text)}; epoch seconds or an ISO time is expected.`)
}

/** Median distance, in seconds; null if the times do not move on. */
function usualStep (times: readonly number[]): number | null {
  const steps = times.slice(1).map((at, i) => (at - times[i]) / 1000).filter(step => step > 0).sort((a, b) => a - b)
  return steps.length > 0 ? steps[steps.length >> 1] : null
}
