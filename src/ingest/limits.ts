import type { Point } from '../domain.ts'
import { PrescaleError } from '../errors.ts'

/** What one batch of series may hold; the names are those of `limits` in prescale.yaml. */
export interface SeriesLimits {
  readonly labelsPerSeries: number
  /** Also of metric names and label names. */
  readonly labelValueLength: number
  /** Values in one scrape or one request. */
  readonly samplesPerRequest: number
}

export const defaultSeriesLimits: SeriesLimits = { labelsPerSeries: 64, labelValueLength: 1024, samplesPerRequest: 200_000 }

export function withLimits (limits: Partial<SeriesLimits> | undefined): SeriesLimits {
  return { ...defaultSeriesLimits, ...limits }
}

/** Why a series is over a limit; null when it is not. */
export function overLimit (metric: string, labels: Point['labels'], { labelsPerSeries, labelValueLength }: SeriesLimits): string | null {
  if (labels.length > labelsPerSeries) return `a series has ${labels.length} labels; the limit labelsPerSeries is ${labelsPerSeries}`
  let longest = metric.length
  for (const [name, value] of labels) {
    if (name.length > longest) longest = name.length
    if (value.length > longest) longest = value.length
  }
  return longest > labelValueLength ? `a name or label value has ${longest} characters; the limit labelValueLength is ${labelValueLength}` : null
}

export function limitError (what: string): PrescaleError {
  return new PrescaleError('limit-exceeded', `${what}.`)
}
