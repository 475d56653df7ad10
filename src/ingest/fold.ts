import type { Point, Sample } from '../domain.ts'
import { readSignals } from './formulas.ts'
import { selectorsOf, upperBound, type CompiledMappings } from './selectors.ts'
import type { AssembleOptions, SeriesState } from './series-state.ts'
import { closeStep, newestEntry, seriesKey, targetKey, withPoint, type Series } from './series.ts'

/** What changes while one batch is folded. */
export interface Fold {
  readonly service: string
  readonly mappings: CompiledMappings
  readonly readFor: number
  readonly stepMs: number
  readonly lateMs: number
  readonly idleMs: number
  readonly maxSeries: number
  readonly known: Map<number, Series>
  readonly samples: Sample[]
  readonly rejectedBy: { outOfOrder: number, overLimit: number }
  heard: number[]
  closedAt: number | null
  newestAt: number | null
}

export function beginFold (state: SeriesState | null, mappings: CompiledMappings, options: AssembleOptions): Fold {
  const { service, stepSeconds, lateSeconds, limits } = options
  const { maxSeries = 10_000, idleSeconds = 900 } = limits ?? {}
  const stepMs = Math.round(stepSeconds * 1000)
  const readFor = seriesKey({ metric: `${stepMs} ${mappings.text}`, labels: [] })
  const kept = state?.readFor === readFor ? state : null
  return {
    service,
    mappings,
    readFor,
    stepMs,
    lateMs: lateSeconds * 1000,
    idleMs: idleSeconds * 1000,
    maxSeries,
    known: new Map(kept?.series.map((series) => [series.key, series])),
    samples: [],
    rejectedBy: { outOfOrder: 0, overLimit: 0 },
    heard: [...kept?.heard ?? []],
    // Another step has another grid: nothing that was closed is opened again.
    closedAt: state === null || state.closedAt === null ? null : endOfStep(state.closedAt, stepMs),
    newestAt: state?.newestAt ?? null
  }
}

function endOfStep (at: number, stepMs: number): number {
  return Math.ceil(at / stepMs) * stepMs
}

export function addPoint (fold: Fold, point: Point): void {
  const end = endOfStep(point.at, fold.stepMs)
  fold.closedAt ??= end - fold.stepMs
  advance(fold, point.at)
  if (end > fold.closedAt && !fold.heard.includes(end)) fold.heard = [...fold.heard, end].sort((a, b) => a - b)
  if (point.metric === 'up' && point.value === 0) endTarget(fold, point)
  record(fold, point)
}

function record ({ known, mappings, stepMs, maxSeries, rejectedBy }: Fold, point: Point): void {
  const key = seriesKey(point)
  const series = known.get(key) ?? newSeries(key, point, mappings)
  if (series.selectors.length === 0) return
  const newest = newestEntry(series)
  if (newest === null && known.size >= maxSeries) {
    rejectedBy.overLimit++
  } else if (newest === null || point.at > newest.at) {
    known.set(key, withPoint(series, point, stepMs))
  } else if (newest.value !== null || point.stale !== true) {
    rejectedBy.outOfOrder++
  }
}

function newSeries (key: number, point: Point, mappings: CompiledMappings): Series {
  const { labels } = point
  const selectors = selectorsOf(mappings, point)
  return { key, target: targetKey(labels), selectors, bound: upperBound(labels), intervalMs: 0, current: null, pending: [] }
}

/** A scrape that failed ends all series of its target, as Prometheus' staleness markers do. */
function endTarget ({ known, stepMs }: Fold, up: Point): void {
  const target = targetKey(up.labels)
  const own = seriesKey(up)
  for (const [key, series] of known) {
    const newest = newestEntry(series)
    if (series.target !== target || key === own || newest === null || newest.value === null || newest.at >= up.at) continue
    known.set(key, withPoint(series, { at: up.at, value: NaN, stale: true }, stepMs))
  }
}

/** Closes every step that ends, lateness included, before `at`. */
function advance (fold: Fold, at: number): void {
  const { stepMs, lateMs } = fold
  if (fold.closedAt === null || at <= (fold.newestAt ?? -Infinity)) return
  fold.newestAt = at
  const last = endOfStep(at - lateMs, stepMs) - stepMs
  let dark = false
  while (fold.closedAt < last) {
    // Once nothing is known any more, nothing changes until something is heard.
    const end: number = dark ? Math.min(fold.heard[0] ?? last, last) : fold.closedAt + stepMs
    dark = !close(fold, end)
  }
}

/** @returns whether there is a sample of the step that ends at `end`. */
function close (fold: Fold, end: number): boolean {
  const { known, stepMs, idleMs, mappings, service, samples } = fold
  fold.closedAt = end
  for (const [key, series] of known) {
    const closed = closeStep(series, end)
    if (end - (newestEntry(closed)?.at ?? end) > idleMs) known.delete(key)
    else if (closed !== series) known.set(key, closed)
  }
  const signals = readSignals(known.values(), mappings, end, stepMs)
  const wasHeard = fold.heard[0] === end
  if (wasHeard) fold.heard = fold.heard.slice(1)
  const isSample = wasHeard || Object.keys(signals).length > 0
  if (isSample) samples.push({ service, at: end, signals })
  return isSample
}
