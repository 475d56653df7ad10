import snappy from 'snappyjs'

/** Bodies of remote write requests as a sender makes them, and as none should: nothing is checked here. */
export interface SeriesToWrite {
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly samples?: readonly { readonly at: number, readonly value: number | 'stale' }[]
  /** How many (empty) native histograms and exemplars the series carries. */
  readonly histograms?: number
  readonly exemplars?: number
}

export const v1Headers = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy', 'x-prometheus-remote-write-version': '0.1.0' }
export const v2Headers = { ...v1Headers, 'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request', 'x-prometheus-remote-write-version': '2.0.0' }

export function encodeV1 (series: readonly SeriesToWrite[], { metadata = 0 }: { metadata?: number } = {}): Buffer {
  return compress(Buffer.concat([
    ...series.map(({ labels, samples = [], histograms = 0, exemplars = 0 }) => message(1, [
      ...labels.map(([name, value]) => message(1, [bytes(1, name), bytes(2, value)])),
      ...samples.map((sample) => message(2, encodeSample(sample))),
      ...repeat(exemplars, () => message(3, [])),
      ...repeat(histograms, () => message(4, []))
    ])),
    ...repeat(metadata, () => message(3, [bytes(2, 'some_metric')]))
  ]))
}

export function encodeV2 (series: readonly SeriesToWrite[], { symbols = [''] }: { symbols?: string[] } = {}): Buffer {
  const table = [...symbols]
  const reference = (text: string) => table.includes(text) ? table.indexOf(text) : table.push(text) - 1
  const encoded = series.map(({ labels, samples = [], histograms = 0, exemplars = 0 }) => message(5, [
    bytes(1, Buffer.concat(labels.flat().map((text) => varint(reference(text))))),
    ...samples.map((sample) => message(2, encodeSample(sample))),
    ...repeat(histograms, () => message(3, [])),
    ...repeat(exemplars, () => message(4, []))
  ]))
  return compress(Buffer.concat([...table.map((symbol) => bytes(4, symbol)), ...encoded]))
}

export function compress (body: Buffer): Buffer {
  return snappy.compress(body)
}

export function message (field: number, parts: readonly Buffer[]): Buffer {
  return bytes(field, Buffer.concat(parts))
}

export function bytes (field: number, content: string | Buffer): Buffer {
  const body = typeof content === 'string' ? Buffer.from(content) : content
  return Buffer.concat([varint(field * 8 + 2), varint(body.length), body])
}

export function varint (value: number | bigint): Buffer {
  const result: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    result.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0))
    rest >>= 7n
  } while (rest > 0n)
  return Buffer.from(result)
}

function encodeSample ({ at, value }: { at: number, value: number | 'stale' }): Buffer[] {
  const double = Buffer.alloc(8)
  if (value === 'stale') double.writeBigUInt64LE(0x7ff0000000000002n)
  else double.writeDoubleLE(value)
  return [varint(1 * 8 + 1), double, varint(2 * 8 + 0), varint(at)]
}

function repeat<T> (times: number, make: () => T): T[] {
  return Array.from({ length: times }, make)
}
