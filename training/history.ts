import { basename } from 'node:path'
import { PrescaleError } from '../src/errors.ts'
import { readCsv, readNumber } from './csv.ts'
import type { Workload } from './generate-workloads.ts'

/** What was measured of one service. */
export interface History {
  readonly name: string
  readonly stepSeconds: number
  /** Epoch ms at which each step begins, ascending. */
  readonly at: Float64Array
  readonly signals: readonly string[]
  /** Shape [rows, signals], row-major; NaN where nothing was measured. */
  readonly x: Float64Array
}

const timeColumns = ['at', 'timestamp']
/** Neither measured nor known at the time: what somebody said about a row afterwards. */
const ignoredColumns = ['label']

export const isHistory = (header: readonly string[]) => header.some(name => timeColumns.includes(name))

/**
 * Reads a trace: `at` or `timestamp` (epoch seconds, ascending), and a column for each signal. A signal that no row has is left out.
 *
 * @throws PrescaleError 'invalid-request' with file and line for text, or a time that does not rise.
 */
export async function readHistory (path: string): Promise<History> {
  const at: number[] = []
  const values: number[] = []
  let signals: string[] = []
  for await (const { header, rows, lines } of readCsv(path)) {
    const time = header.find(name => timeColumns.includes(name))
    if (time === undefined) throw new PrescaleError('invalid-request', `${path}:1: a column at or timestamp is missing; the file has ${header.join(', ')}.`)
    signals = header.filter(name => name !== time && !ignoredColumns.includes(name))
    rows.forEach((row, i) => {
      const cell = (column: string) => readNumber(row[header.indexOf(column)], { path, line: lines[i], column })
      const ms = cell(time) * 1000
      if (!(ms > (at.at(-1) ?? -Infinity))) throw new PrescaleError('invalid-request', `${path}:${lines[i]}: ${time} is ${ms / 1000}; it must rise from row to row.`)
      at.push(ms)
      for (const signal of signals) values.push(cell(signal))
    })
  }
  if (at.length < 2) throw new PrescaleError('invalid-request', `${path}: ${at.length} rows are too few to learn from.`)
  return withoutEmptySignals({ name: nameOf(path), stepSeconds: stepOf(at), at: Float64Array.from(at), signals, x: Float64Array.from(values) })
}

/** "data/demo-shop.csv.gz" → "demo-shop" */
export const nameOf = (path: string) => basename(path).replace(/\.csv(\.gz)?$/, '')

/** The usual distance of two rows, whatever gaps there are. */
function stepOf (at: readonly number[]): number {
  const distances = at.slice(1).map((value, i) => value - at[i]).sort((a, b) => a - b)
  return distances[distances.length >> 1] / 1000
}

export function withoutEmptySignals (history: History): History {
  const width = history.signals.length
  const kept = history.signals.map((_, i) => i).filter(i => history.x.some((value, place) => place % width === i && !Number.isNaN(value)))
  if (kept.length === width) return history
  const rows = history.at.length
  const x = Float64Array.from({ length: rows * kept.length }, (_, place) => history.x[Math.floor(place / kept.length) * width + kept[place % kept.length]])
  return { ...history, signals: kept.map(i => history.signals[i]), x }
}

/**
 * The load of a history on an even grid of steps; a gap is NaN.
 *
 * @param capacity load that one instance carries; a twentieth of the largest load where nobody says (it only decides what counts as quiet).
 */
export function workloadOf ({ name, stepSeconds, at, signals, x }: History, { seasonSeconds, capacity }: { seasonSeconds: number, capacity?: number }): Workload | null {
  const column = signals.indexOf('requestsPerSecond')
  if (column === -1) return null
  const stepMs = stepSeconds * 1000
  const steps = Math.round((at[at.length - 1] - at[0]) / stepMs) + 1
  const loads = new Float64Array(steps).fill(NaN)
  at.forEach((ms, row) => { loads[Math.round((ms - at[0]) / stepMs)] = x[row * signals.length + column] })
  const largest = loads.reduce((most, load) => load > most ? load : most, 0)
  return { name, stepSeconds, seasonSeconds, startAt: at[0] / 1000, capacity: capacity ?? Math.max(largest / 20, 1e-9), loads }
}
