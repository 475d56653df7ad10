import type { Point } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { fail, type Cursor } from './exposition-cursor.ts'
import { readText } from './exposition-text.ts'
import { limitError, overLimit, withLimits, type SeriesLimits } from './limits.ts'
import { readOpenMetrics } from './openmetrics.ts'

export type ExpositionFormat = 'text' | 'openmetrics'

export interface ExpositionOptions {
  readonly format: ExpositionFormat
  /** Epoch ms of samples that carry no timestamp. */
  readonly at: number
  readonly limits?: Partial<SeriesLimits>
}

/** What a scrape asks for: the plain format first, because every exporter has it. */
export const acceptHeader = 'text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1'

/**
 * Reads what an exporter answers.
 *
 * @param body text, or its bytes, which must be valid UTF-8.
 * @returns one point for each sample, in the order of the text, labels without the name.
 * @throws PrescaleError `invalid-request` with the line, or `limit-exceeded` with the limit: an exposition is used as a whole or not at all.
 */
export function parseExposition (body: string | Uint8Array, { format, at, limits }: ExpositionOptions): Point[] {
  const text = typeof body === 'string' ? body : decodeUtf8(body)
  const cursor: Cursor = { text: text.endsWith('\n') ? text : `${text}\n`, at: 0, line: 1 }
  if (format === 'text' && text !== '' && !text.endsWith('\n')) fail({ ...cursor, line: text.split('\n').length }, 'the last line must end with a line feed')
  const points: Point[] = []
  const bounds = withLimits(limits)
  const sink = (point: Point, { line }: Cursor) => {
    const over = overLimit(point.metric, point.labels, bounds)
    if (over !== null) throw limitError(`Line ${line}: ${over}`)
    // NaN and infinity are legal here, and no measurement: such a series has no value now.
    if (points.push(Number.isFinite(point.value) ? point : { ...point, stale: true }) > bounds.samplesPerRequest) throw limitError(`There are more samples than the limit samplesPerRequest, which is ${bounds.samplesPerRequest}`)
  }
  if (text !== '' || format === 'openmetrics') (format === 'text' ? readText : readOpenMetrics)(cursor, at, sink)
  return points
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeUtf8 (bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new PrescaleError('invalid-request', 'The exposition is not valid UTF-8.', { cause })
  }
}

/**
 * The format that a Content-Type names. As in Prometheus 3, a missing or strange one is an error and not a guess, unless a fallback is given.
 *
 * @throws PrescaleError `unsupported-media-type`.
 */
export function expositionFormat (contentType: string | undefined, fallback?: ExpositionFormat): ExpositionFormat {
  const [mediaType, ...parameters] = (contentType ?? '').split(';').map((part) => part.trim().toLowerCase())
  const version = parameters.find((parameter) => parameter.startsWith('version='))?.slice('version='.length).replaceAll('"', '')
  // Versions are not asked for, as in Prometheus; what differs in 1.0.0 and 0.0.1 of OpenMetrics is read alike.
  if (mediaType === 'text/plain' && (version === undefined || version === '0.0.4' || version === '1.0.0')) return 'text'
  if (mediaType === 'application/openmetrics-text' && (version === undefined || version === '1.0.0' || version === '0.0.1')) return 'openmetrics'
  if (fallback) return fallback
  const what = contentType ? `The content type ${JSON.stringify(contentType.slice(0, 100))} is not known` : 'There is no content type'
  throw new PrescaleError('unsupported-media-type', `${what}; expected text/plain; version=0.0.4 or application/openmetrics-text; version=1.0.0.`)
}
