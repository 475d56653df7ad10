import { PrescaleError } from '../errors.ts'

/**
 * The file format of every model: one buffer, usable as it is, without parsing numbers.
 *
 *     bytes 0–7    "prescale"
 *     bytes 8–23   four Uint32: format version, length of the file, length of the header, CRC-32 of all that follows
 *     then         the header as JSON: kind, features, meta, and for each section its name, type, offset and length
 *     then         the sections: typed arrays, little-endian, each at a multiple of 8 bytes
 */
export const formatVersion = 1
const magic = 'prescale'
const preambleBytes = 24

const sectionTypes = { Float64Array, Float32Array, Int32Array, Uint32Array, Int16Array, Uint16Array, Uint8Array }
export type SectionType = keyof typeof sectionTypes
export type Section = Float64Array | Float32Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Uint8Array

export interface ModelFile {
  readonly kind: string
  readonly features: readonly string[]
  /** Whatever else the model must know, as JSON; keep it free of dates and machine names, or equal models differ in bytes. */
  readonly meta: Readonly<Record<string, unknown>>
  readonly sections: Readonly<Record<string, Section>>
}

interface Header extends Omit<ModelFile, 'sections'> {
  readonly sections: readonly { readonly name: string, readonly type: SectionType, readonly offset: number, readonly length: number }[]
}

const align = (offset: number) => Math.ceil(offset / 8) * 8
const refuse = (sentence: string) => new PrescaleError('model-format', sentence)

/** Lays a model out as one file; equal models give equal bytes. */
export function writeModelFile ({ kind, features, meta, sections }: ModelFile): Uint8Array {
  const layout: { name: string, type: SectionType, offset: number, length: number }[] = []
  let dataBytes = 0
  for (const [name, section] of Object.entries(sections)) {
    layout.push({ name, type: section.constructor.name as SectionType, offset: dataBytes, length: section.length })
    dataBytes = align(dataBytes + section.byteLength)
  }
  const header = new TextEncoder().encode(JSON.stringify({ kind, features, meta, sections: layout } satisfies Header))
  const dataAt = align(preambleBytes + header.length)
  const bytes = new Uint8Array(dataAt + dataBytes)
  bytes.set(new TextEncoder().encode(magic))
  bytes.set(header, preambleBytes)
  for (const { name, offset } of layout) {
    const section = sections[name]
    bytes.set(new Uint8Array(section.buffer, section.byteOffset, section.byteLength), dataAt + offset)
  }
  new Uint32Array(bytes.buffer, 8, 4).set([formatVersion, bytes.length, header.length, crc32(bytes, preambleBytes)])
  return bytes
}

/**
 * Reads a file back; the sections are views of `bytes`, nothing is copied where the buffer is aligned.
 *
 * @param kind the kind of model that is wanted.
 * @throws PrescaleError 'model-format' if it is no model file, of another version or kind, cut short or altered.
 */
export function readModelFile (bytes: Uint8Array, kind: string): ModelFile {
  const { file, header, dataAt } = openModelFile(bytes)
  if (header.kind !== kind) throw refuse(`Expected a model of kind "${kind}", got "${header.kind}".`)
  const sections: Record<string, Section> = Object.create(null)
  for (const { name, type, offset, length } of header.sections) {
    sections[name] = new sectionTypes[type](file.buffer as ArrayBuffer, file.byteOffset + dataAt + offset, length)
  }
  return { kind, features: header.features, meta: header.meta, sections }
}

/** The kind that a file says it is, for a caller who takes several. @throws like readModelFile. */
export function modelKindOf (bytes: Uint8Array): string {
  return openModelFile(bytes).header.kind
}

/**
 * One section of a file that was read, checked to be what the model needs.
 *
 * @throws PrescaleError 'model-format' if it is missing, of another type, or (where `length` is given) of another length.
 */
export function sectionOf<T extends SectionType> (file: ModelFile, name: string, { type, length }: { type: T, length?: number }) {
  const section = file.sections[name]
  if (section === undefined) throw refuse(`The model file has no section "${name}".`)
  if (section.constructor.name !== type) throw refuse(`Section "${name}" of the model file holds a ${section.constructor.name}, expected a ${type}.`)
  if (length !== undefined && section.length !== length) {
    throw refuse(`Section "${name}" of the model file has ${section.length} entries, expected ${length}.`)
  }
  return section as InstanceType<typeof sectionTypes[T]>
}

function openModelFile (bytes: Uint8Array): { file: Uint8Array, header: Header, dataAt: number } {
  // Views need an aligned start; a Buffer from Node's pool rarely has one.
  const file = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  if (file.length < preambleBytes || new TextDecoder('latin1').decode(file.subarray(0, 8)) !== magic) {
    throw refuse(`Not a model file: ${file.length} bytes that do not begin with "${magic}".`)
  }
  const [version, length, headerBytes, checksum] = new Uint32Array(file.buffer, file.byteOffset + 8, 4)
  if (version !== formatVersion) throw refuse(`The model file has format version ${version}, this program reads ${formatVersion}.`)
  if (length !== file.length) throw refuse(`The model file should have ${length} bytes, got ${file.length}.`)
  const actual = crc32(file, preambleBytes)
  if (actual !== checksum) throw refuse(`The model file was altered: checksum ${hex(actual)}, expected ${hex(checksum)}.`)
  const header = parseHeader(file.subarray(preambleBytes, preambleBytes + headerBytes))
  const dataAt = align(preambleBytes + headerBytes)
  for (const { name, type, offset, length: entries } of header.sections) {
    const end = dataAt + offset + entries * (sectionTypes[type]?.BYTES_PER_ELEMENT ?? NaN)
    if (!(offset >= 0 && offset % 8 === 0 && entries >= 0 && end <= length)) throw refuse(`Section "${name}" of the model file lies outside of it.`)
  }
  return { file, header, dataAt }
}

function parseHeader (text: Uint8Array): Header {
  try {
    return JSON.parse(new TextDecoder().decode(text)) as Header
  } catch (cause) {
    throw new PrescaleError('model-format', `The header of the model file is not JSON (${text.length} bytes).`, { cause })
  }
}

const hex = (value: number) => value.toString(16).padStart(8, '0')

const crcTable = new Uint32Array(256).map((_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

/** The CRC-32 of zip and gzip. */
function crc32 (bytes: Uint8Array, from: number): number {
  let crc = 0xffffffff
  for (let i = from; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]) & 255] ^ (crc >>> 8)
  return ~crc >>> 0
}
