import type { Point } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { withLimits, type SeriesLimits } from './limits.ts'
import { createProtoReader } from './protobuf-reader.ts'
import type { WriteCollector } from './remote-write-series.ts'
import { readWriteRequestV1 } from './remote-write-v1.ts'
import { readWriteRequestV2 } from './remote-write-v2.ts'
import { uncompress } from './snappy.ts'

export interface WriteLimits extends SeriesLimits {
  /** On the wire. */
  readonly bodyBytes: number
  /** Uncompressed. */
  readonly decodedBytes: number
}
const defaultBytes = { bodyBytes: 8 * 2 ** 20, decodedBytes: 32 * 2 ** 20 }

export interface WriteRequestInput {
  readonly body: Uint8Array
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  readonly limits?: Partial<WriteLimits>
}

export interface WriteRequest {
  readonly version: 1 | 2
  /** Of the valid series, ascending in time: senders may give one series after the other. */
  readonly points: Point[]
  /** For the headers X-Prometheus-Remote-Write-{Samples,Histograms,Exemplars}-Written. What was understood and is not used counts. */
  readonly written: { readonly samples: number, readonly histograms: number, readonly exemplars: number }
  /** Samples and histograms of series that must be answered with 400, although `points` may be kept. */
  readonly invalid: { readonly count: number, readonly firstReason: string | null }
}

/**
 * Reads the body of a remote write request, 1.0 or 2.0.
 *
 * @throws PrescaleError `unsupported-media-type` (415), `body-too-large` (413), `invalid-request` (400) for a body that is damaged as a
 *   whole, `limit-exceeded` (400) for too many samples.
 * @see https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/
 */
export function decodeWriteRequest ({ body, contentType, contentEncoding, limits }: WriteRequestInput): WriteRequest {
  const version = protocolVersion(contentType)
  checkEncoding(contentEncoding)
  const { bodyBytes, decodedBytes } = { ...defaultBytes, ...limits }
  if (body.length > bodyBytes) throw new PrescaleError('body-too-large', `The body has ${body.length} bytes; the limit bodyBytes is ${bodyBytes}.`)
  const reader = createProtoReader(uncompress(body, decodedBytes))
  const collector: WriteCollector = {
    limits: withLimits(limits), points: [], written: { samples: 0, histograms: 0, exemplars: 0 }, invalid: { count: 0, firstReason: null }
  }
  if (version === 1) readWriteRequestV1(reader, collector)
  else readWriteRequestV2(reader, collector)
  const { points, written, invalid } = collector
  return { version, points: points.sort((a, b) => a.at - b.at), written, invalid }
}

const mediaType = 'application/x-protobuf'
const messages: Readonly<Record<string, 1 | 2>> = { 'prometheus.WriteRequest': 1, 'io.prometheus.write.v2.Request': 2 }

/** As Prometheus' own receiver: no content type, or none with `proto=`, means 1.0. */
function protocolVersion (contentType: string | undefined): 1 | 2 {
  const [type, ...parameters] = (contentType || mediaType).split(';').map((part) => part.trim())
  const message = parameters.map((parameter) => /^proto="?([^"]*)"?$/.exec(parameter)?.[1]).find((name) => name !== undefined)
  if (type.toLowerCase() === mediaType) {
    if (message === undefined) return 1
    if (Object.hasOwn(messages, message)) return messages[message]
  }
  throw new PrescaleError('unsupported-media-type', `The content type ${JSON.stringify(contentType!.slice(0, 100))} is not understood; expected ${mediaType}, or with ;proto=${Object.keys(messages)[1]}.`)
}

function checkEncoding (contentEncoding: string | undefined): void {
  if (!contentEncoding || contentEncoding.toLowerCase() === 'snappy') return
  throw new PrescaleError('unsupported-media-type', `The content encoding ${JSON.stringify(contentEncoding.slice(0, 100))} is not understood; expected snappy.`)
}
