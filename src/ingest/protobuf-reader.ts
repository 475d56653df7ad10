import { PrescaleError } from '../errors.ts'

/** Where a reader of protobuf's wire format stands. `end` is that of the message being read; nothing is read beyond it. */
export interface ProtoReader {
  readonly bytes: Buffer
  readonly view: DataView
  readonly strings: StringTable
  at: number
  end: number
}

export const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

export function createProtoReader (body: Uint8Array): ProtoReader {
  const { buffer, byteOffset, byteLength } = body
  return {
    bytes: Buffer.from(buffer, byteOffset, byteLength),
    view: new DataView(buffer, byteOffset, byteLength),
    strings: { starts: new Int32Array(tableSize), ends: new Int32Array(tableSize), texts: [] },
    at: 0,
    end: byteLength
  }
}

export function malformed ({ at }: ProtoReader, why: string): PrescaleError {
  return new PrescaleError('invalid-request', `The body is not a valid protobuf message: ${why}, at byte ${at}.`)
}

/** Calls `onField` for each field; it must read the field, or return false for one that it does not know. */
export function readMessage (reader: ProtoReader, onField: (field: number, wireType: number) => unknown): void {
  while (reader.at < reader.end) {
    const tag = readVarint(reader)
    const field = Math.floor(tag / 8)
    if (field === 0 || field >= 2 ** 29) throw malformed(reader, `${field} is no field number`)
    if (onField(field, tag % 8) === false) skip(reader, tag % 8)
  }
}

/** A message within the present one. */
export function readNested (reader: ProtoReader, wireType: number, onField: (field: number, wireType: number) => unknown): void {
  const outer = reader.end
  reader.end = readEnd(reader, wireType)
  readMessage(reader, onField)
  reader.end = outer
}

/** Reads the length of a field and gives the place where it ends. */
export function readEnd (reader: ProtoReader, wireType: number): number {
  expectWire(reader, wireType, wire.bytes)
  const length = readVarint(reader)
  if (length > reader.end - reader.at) throw malformed(reader, `a field of ${length} bytes does not fit into the ${reader.end - reader.at} that are left`)
  return reader.at + length
}

export function expectWire (reader: ProtoReader, wireType: number, expected: number): void {
  if (wireType !== expected) throw malformed(reader, `wire type ${wireType} where ${expected} was expected`)
}

/** Unsigned; exact up to 2⁵³, which is more than any length, number or reference may be. */
export function readVarint (reader: ProtoReader): number {
  const { bytes, end } = reader
  let value = 0
  let factor = 1
  for (let i = 0; i < 10; i++) {
    if (reader.at >= end) throw malformed(reader, 'it ends within a number')
    const byte = bytes[reader.at++]
    value += (byte & 0x7f) * factor
    if (byte < 0x80) return value
    factor *= 128
  }
  throw malformed(reader, 'a number has more than 10 bytes')
}

/** A signed 64-bit varint (two's complement, not zigzag); beyond 2⁵³ the nearest that a double holds. */
export function readInt64 (reader: ProtoReader, wireType: number): number {
  expectWire(reader, wireType, wire.varint)
  const from = reader.at
  const value = readVarint(reader)
  // Only the tenth byte holds bit 63: a shorter one is not negative.
  if (reader.at - from < 10) return value
  let big = 0n
  for (let i = 9; i >= 0; i--) big = (big << 7n) | BigInt(reader.bytes[from + i] & 0x7f)
  return Number(BigInt.asIntN(64, big))
}

/** Where the eight bytes of a double are; the caller looks at them before they become a number. */
export function readFixed64 (reader: ProtoReader, wireType: number): number {
  expectWire(reader, wireType, wire.fixed64)
  if (reader.end - reader.at < 8) throw malformed(reader, 'it ends within a number')
  reader.at += 8
  return reader.at - 8
}

/** Where in the body a string with this hash was read last, and what it was: label names and most values come again and again. */
interface StringTable { readonly starts: Int32Array, readonly ends: Int32Array, readonly texts: (string | null)[] }
const tableSize = 2048

/** @returns null when the bytes are not valid UTF-8. */
export function readString (reader: ProtoReader, wireType: number): string | null {
  const { bytes, strings } = reader
  const end = readEnd(reader, wireType)
  const from = reader.at
  reader.at = end
  let hash = end - from
  for (let i = from; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]) | 0
  const slot = hash & (tableSize - 1)
  const known = strings.texts[slot]
  if (known !== undefined && isSame(bytes, { from, end }, { from: strings.starts[slot], end: strings.ends[slot] })) return known
  strings.starts[slot] = from
  strings.ends[slot] = end
  return (strings.texts[slot] = decodeUtf8(bytes, from, end))
}

interface Span { readonly from: number, readonly end: number }

function isSame (bytes: Buffer, a: Span, b: Span): boolean {
  if (a.end - a.from !== b.end - b.from) return false
  for (let i = a.from, j = b.from; i < a.end; i++, j++) {
    if (bytes[i] !== bytes[j]) return false
  }
  return true
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeUtf8 (bytes: Buffer, from: number, end: number): string | null {
  const text = bytes.toString('utf8', from, end)
  // The replacement character may be in the text itself; only the slow decoder tells.
  if (!text.includes('\ufffd')) return text
  try {
    return utf8.decode(bytes.subarray(from, end))
  } catch {
    return null
  }
}

export function skip (reader: ProtoReader, wireType: number): void {
  if (wireType === wire.varint) readVarint(reader)
  else if (wireType === wire.bytes) reader.at = readEnd(reader, wireType)
  else if (wireType === wire.fixed64) readFixed64(reader, wireType)
  else if (wireType === wire.fixed32 && reader.end - reader.at >= 4) reader.at += 4
  else throw malformed(reader, wireType === wire.fixed32 ? 'it ends within a number' : `wire type ${wireType} is not known`)
}
