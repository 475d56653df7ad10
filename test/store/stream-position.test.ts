import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPosition, hasReached, parseEntryId, parsePosition, type Position } from '../../src/store/stream-position.ts'

const at = Date.UTC(2026, 10, 20, 12)

describe('a position in the streams of all partitions', () => {
  it('comes back from its text as it was, whatever it is', () => {
    const entry = fc.oneof(fc.constant({ ms: 0, seq: 0 }), fc.record({ ms: fc.integer({ min: 1, max: at }), seq: fc.integer({ min: 0, max: 1e9 }) }))
    fc.assert(fc.property(fc.array(entry, { minLength: 1, maxLength: 256 }), (position) => {
      expect(parsePosition(formatPosition(position), position.length)).toEqual(position)
    }))
  })

  it('is a short text while all partitions are busy', () => {
    const position: Position = Array.from({ length: 8 }, (_, partition) => ({ ms: at - 5_000 * partition, seq: partition % 2 }))
    expect(formatPosition(position)).toMatch(/^[0-9a-z._]{1,60}$/)
  })

  it.each(['', 'x', '0', '1_2', '!_0', '5_6', '9999999999999_0', '1_-_-', 'a_0.', '__proto__'])('is not read out of %j', (text) => {
    expect(parsePosition(text, 1)).toBeNull()
  })

  it('has reached another one when no partition is still before it', () => {
    const [a, b] = [{ ms: 5, seq: 1 }, { ms: 5, seq: 2 }]
    expect(hasReached([b, b], [a, b])).toBe(true)
    expect(hasReached([b, a], [a, b])).toBe(false)
  })

  it('refuses ids that no stream has', () => {
    expect(parseEntryId('1700000000000-3')).toEqual({ ms: 1_700_000_000_000, seq: 3 })
    expect(() => parseEntryId('+')).toThrow(RangeError)
  })
})
