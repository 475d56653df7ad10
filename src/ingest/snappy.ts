import snappy from 'snappyjs'
import { PrescaleError } from '../errors.ts'

/**
 * Uncompresses one block of snappy (not the framed form).
 *
 * The block is walked first, without output: snappyjs allocates what the head declares and returns a block that is cut off, padded with
 * zeros, or one that declares too little, cut to size. Both would be silent damage, the first also a bomb.
 *
 * @param maxBytes of the uncompressed form.
 * @throws PrescaleError `body-too-large` or `invalid-request`.
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */
export function uncompress (block: Uint8Array, maxBytes: number): Uint8Array {
  const { declared, start } = readDeclaredLength(block)
  if (declared > maxBytes) throw new PrescaleError('body-too-large', `The uncompressed body has ${declared} bytes; the limit decodedBytes is ${maxBytes}.`)
  const actual = measure(block, start, declared)
  if (actual !== declared) throw notSnappy(`it declares ${declared} bytes and holds ${actual > declared ? 'more' : actual}`)
  try {
    return snappy.uncompress(block, maxBytes)
  } catch (cause) {
    // It is stricter in one point that no encoder uses: a literal of less than four bytes with its length written apart.
    throw notSnappy('a literal is not in the usual form', cause)
  }
}

function notSnappy (why: string, cause?: unknown): PrescaleError {
  return new PrescaleError('invalid-request', `The body is not a snappy block: ${why}.`, { cause })
}

/** A varint of at most 32 bits. */
function readDeclaredLength (block: Uint8Array): { declared: number, start: number } {
  let declared = 0
  for (let i = 0; i < 5; i++) {
    if (i >= block.length) throw notSnappy('it ends before its length')
    declared += (block[i] & 0x7f) * 2 ** (7 * i)
    if (block[i] >= 0x80) continue
    if (declared >= 2 ** 32) break
    return { declared, start: i + 1 }
  }
  throw notSnappy('its length has more than 32 bits')
}

/** How many bytes the elements of the block yield; stops beyond `declared`. */
function measure (block: Uint8Array, start: number, declared: number): number {
  let length = 0
  let at = start
  while (at < block.length && length <= declared) {
    const tag = block[at++]
    const kind = tag & 3
    if (kind === 0) {
      const extra = Math.max(0, (tag >>> 2) - 59)
      const size = (extra === 0 ? tag >>> 2 : readOffset(block, at, extra)) + 1
      at += extra + size
      length += size
    } else {
      const extra = kind === 3 ? 4 : kind
      const offset = kind === 1 ? (tag >>> 5) * 256 + readOffset(block, at, 1) : readOffset(block, at, extra)
      if (offset === 0 || offset > length) throw notSnappy(`a copy at byte ${at} reaches ${offset} back where ${length} bytes are`)
      at += extra
      length += kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    }
    if (at > block.length) throw notSnappy('it ends within an element')
  }
  return length
}

/** Little-endian, 1 to 4 bytes. */
function readOffset (block: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > block.length) throw notSnappy('it ends within an element')
  if (bytes === 1) return block[at]
  if (bytes === 2) return block[at] | block[at + 1] << 8
  const low = block[at] | block[at + 1] << 8 | block[at + 2] << 16
  return bytes === 3 ? low : low + block[at + 3] * 2 ** 24
}
