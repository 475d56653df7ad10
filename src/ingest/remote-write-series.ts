import type { Point } from '../domain.ts'
import { limitError, overLimit, type SeriesLimits } from './limits.ts'
import { readFixed64, readInt64, readNested, type ProtoReader } from './protobuf-reader.ts'

/** What one request amounts to while it is read. */
export interface WriteCollector {
  readonly limits: SeriesLimits
  readonly points: Point[]
  readonly written: { samples: number, histograms: number, exemplars: number }
  readonly invalid: { count: number, firstReason: string | null }
}

/** One time series as it stands in the message: its parts may come in any order, so they are judged at its end. */
export interface RawSeries {
  /** Null in place of what is not valid UTF-8. */
  readonly labels: [name: string | null, value: string | null][]
  readonly samples: { at: number, value: number, stale: boolean }[]
  histograms: number
  exemplars: number
  /** Why the whole series cannot be used. */
  problem: string | null
}

export function newRawSeries (): RawSeries {
  return { labels: [], samples: [], histograms: 0, exemplars: 0, problem: null }
}

/** More labels than allowed are counted but not kept. */
export function addLabel (series: RawSeries, name: string | null, value: string | null, { labelsPerSeries }: SeriesLimits): void {
  // __name__ is not one of the labels that are counted.
  if (series.labels.length <= labelsPerSeries) series.labels.push([name, value])
  else series.problem ??= `a series has more labels than the limit labelsPerSeries, which is ${labelsPerSeries}`
}

/** Sample of both versions: 1 value, 2 timestamp in ms; a start timestamp (3) says nothing that we ask. */
export function readSample (reader: ProtoReader, wireType: number, series: RawSeries): void {
  const sample = { at: 0, value: 0, stale: false }
  readNested(reader, wireType, (field, wireType) => {
    if (field === 1) {
      const at = readFixed64(reader, wireType)
      sample.value = reader.view.getFloat64(at, true)
      // Other NaNs and infinities are no markers, but no measurements either.
      sample.stale = isStaleMarker(reader, at) || !Number.isFinite(sample.value)
    } else if (field === 2) {
      sample.at = readInt64(reader, wireType)
    } else {
      return false
    }
  })
  series.samples.push(sample)
}

/** The NaN 0x7ff0000000000002. As a number it would be a quiet NaN, 0x7ff8…, on some machines: the bytes are compared. */
function isStaleMarker ({ view }: ProtoReader, at: number): boolean {
  return view.getUint32(at, true) === 2 && view.getUint32(at + 4, true) === 0x7ff00000
}

/** Counts a series as written, with its points, or as invalid. */
export function finishSeries ({ points, written, invalid, limits }: WriteCollector, series: RawSeries): void {
  const identity = series.problem ?? identify(series.labels, limits)
  if (typeof identity === 'string') {
    invalid.count += series.samples.length + series.histograms
    invalid.firstReason ??= identity
    return
  }
  written.samples += series.samples.length
  written.histograms += series.histograms
  written.exemplars += series.exemplars
  const { metric, labels } = identity
  for (const { at, value, stale } of series.samples) points.push(stale ? { metric, labels, at, value, stale } : { metric, labels, at, value })
  if (points.length > limits.samplesPerRequest) throw limitError(`There are more samples than the limit samplesPerRequest, which is ${limits.samplesPerRequest}`)
}

/** Name and labels, or why they cannot be. A label without a value is one that is not there. */
function identify (raw: RawSeries['labels'], limits: SeriesLimits): Pick<Point, 'metric' | 'labels'> | string {
  let metric = ''
  let last = ''
  const labels: [string, string][] = []
  for (const [name, value] of raw) {
    if (name === null || value === null) return 'a label is not valid UTF-8'
    if (name === '') return 'a label name is empty'
    if (name === last) return `the label ${name} is there twice`
    if (name < last) return `the labels are not sorted: ${name} follows ${last}`
    last = name
    if (name === '__name__') metric = value
    else if (value !== '') labels.push([name, value])
  }
  if (metric === '') return 'a series has no label __name__'
  return overLimit(metric, labels, limits) ?? { metric, labels }
}
