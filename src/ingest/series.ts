import type { Point } from '../domain.ts'
import { labelValue } from './label-match.ts'

/** The last point of a series in one step, and where its increase is counted from. */
export interface StepEntry {
  /** Epoch ms of the end of the step, which holds the points in (end − step, end]. */
  readonly end: number
  readonly at: number
  /** Null: the series ended here, or had a value that is no number. */
  readonly value: number | null
  /** Sum of all increases since the series began, a reset counted as an increase from 0. */
  readonly total: number
  /** The last point before this step. */
  readonly fromAt: number
  readonly fromTotal: number
}

export interface Series {
  /** Hash of name and labels; the text itself would be most of the state. */
  readonly key: number
  /** Hash of `job` and `instance`, which share the fate of a failed scrape. */
  readonly target: number
  readonly selectors: readonly number[]
  /** Upper bound of a histogram's bucket. */
  readonly bound: number | null
  /** Between the two newest points; 0 while there is only one. */
  readonly intervalMs: number
  /** Of the last closed step. */
  readonly current: StepEntry | null
  /** Of the steps that are still open, ascending. */
  readonly pending: readonly StepEntry[]
}

/** A series lives for three of its own intervals, so that one missed scrape is no dip and a vanished instance not held for long. */
const intervalsAlive = 3
const defaultAliveMs = 300_000

export function aliveMs ({ intervalMs }: Series, stepMs: number): number {
  const longest = Math.max(defaultAliveMs, 2 * stepMs)
  return intervalMs === 0 ? longest : Math.min(longest, Math.max(intervalsAlive * intervalMs, 2 * stepMs))
}

export function newestEntry (series: Series): StepEntry | null {
  return series.pending.at(-1) ?? series.current
}

/**
 * The series with one more point, which must be newer than all before. Counting differs from Prometheus' rate() in one respect: an
 * interval begins with the last point before the step (and not the first in it), so no increase falls between two steps.
 */
export function withPoint (series: Series, { at, value, stale }: Pick<Point, 'at' | 'value' | 'stale'>, stepMs: number): Series {
  const end = Math.ceil(at / stepMs) * stepMs
  const previous = newestEntry(series)
  const usable = stale !== true && Number.isFinite(value)
  const intervalMs = usable && previous !== null && previous.value !== null ? at - previous.at : series.intervalMs
  const entry = usable ? nextEntry(series, { at, value, end }, stepMs) : { end, at, value: null, total: 0, fromAt: at, fromTotal: 0 }
  const pending = series.pending.filter((other) => other.end !== end)
  pending.push(entry)
  return { ...series, intervalMs, pending }
}

function nextEntry (series: Series, { at, value, end }: { at: number, value: number, end: number }, stepMs: number): StepEntry {
  const previous = newestEntry(series)
  if (previous === null || previous.value === null || at - previous.at > aliveMs(series, stepMs)) {
    return { end, at, value, total: 0, fromAt: at, fromTotal: 0 }
  }
  const total = previous.total + (value >= previous.value ? value - previous.value : value)
  return previous.end === end
    ? { end, at, value, total, fromAt: previous.fromAt, fromTotal: previous.fromTotal }
    : { end, at, value, total, fromAt: previous.at, fromTotal: previous.total }
}

/** Moves what lies in steps up to `end` out of the open ones. */
export function closeStep (series: Series, end: number): Series {
  const closed = series.pending.findLast((entry) => entry.end <= end)
  return closed ? { ...series, current: closed, pending: series.pending.filter((entry) => entry.end > end) } : series
}

/** The value, and the increase per second, of the closed steps at `end`; null where the series says nothing. */
export function readSeries (series: Series, end: number, stepMs: number): { value: number | null, perSecond: number | null } {
  const { current } = series
  if (current === null || current.value === null || end - current.at > aliveMs(series, stepMs)) return { value: null, perSecond: null }
  const seconds = (current.at - current.fromAt) / 1000
  return { value: current.value, perSecond: seconds > 0 ? (current.total - current.fromTotal) / seconds : null }
}

/** The same for any order of the labels. */
export function seriesKey ({ metric, labels }: Pick<Point, 'metric' | 'labels'>): number {
  let [low, high] = hash(metric, 0)
  for (const [name, value] of labels) {
    const [a, b] = hash(value, hash(name, 1)[0])
    low = (low + a) | 0
    high = (high + b) | 0
  }
  return join(low, high)
}

export function targetKey (labels: Point['labels']): number {
  return seriesKey({ metric: '', labels: [['job', labelValue(labels, 'job')], ['instance', labelValue(labels, 'instance')]] })
}

/** cyrb53, 2 × 32 bits: two of 10 000 series share 53 bits with a chance of 6 in 10⁹. */
function hash (text: string, seed: number): [number, number] {
  let a = 0xdeadbeef ^ seed
  let b = 0x41c6ce57 ^ seed
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return [a, b]
}

function join (low: number, high: number): number {
  return (high & 0x1fffff) * 4294967296 + (low >>> 0)
}
