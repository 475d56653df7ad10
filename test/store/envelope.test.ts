import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Point } from '../../src/domain.ts'
import { isEnvelope, itemsOf, reviveEnvelope, splitEnvelope, type Envelope } from '../../src/store/envelope.ts'

const samples = (count: number): Envelope => ({ kind: 'samples', service: 'shop', samples: Array.from({ length: count }, (_, at) => ({ service: 'shop', at, signals: {} })) })
const point = (valueLength: number): Point => ({ metric: 'm', labels: [['label', 'x'.repeat(valueLength)]], at: 1, value: 2 })

describe('envelopes', () => {
  it('are cut into jobs of 100 samples', () => {
    expect(splitEnvelope(samples(250)).map((part) => itemsOf(part).length)).toEqual([100, 100, 50])
    expect(splitEnvelope(samples(0))).toEqual([])
  })

  it('are cut into jobs of about 256 KiB of points', () => {
    // 100 kB each: two of them fit, and the third does not.
    const parts = splitEnvelope({ kind: 'points', service: 'shop', points: Array.from({ length: 5 }, () => point(100_000)) })
    expect(parts.map((part) => itemsOf(part).length)).toEqual([2, 2, 1])
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(256 * 1024)
  })

  it('hold everything in its order after the cut', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 50 }), (lengths) => {
      const points = lengths.map(point)
      const parts = splitEnvelope({ kind: 'points', service: 'shop', points })
      expect(parts.flatMap(itemsOf)).toEqual(points)
      for (const part of parts) expect(itemsOf(part).length).toBeGreaterThan(0)
    }))
  })

  it('bring the marker of a stale series through JSON', () => {
    const stale: Envelope = { kind: 'points', service: 'shop', points: [{ ...point(1), value: NaN, stale: true }, point(1)] }
    expect(reviveEnvelope(JSON.parse(JSON.stringify(stale)) as Envelope)).toEqual(stale)
  })

  it.each([null, 7, 'samples', {}, { kind: 'samples', service: 'shop' }, { kind: 'other', service: 'shop', other: [] }, { kind: 'points', points: [] }])(
    'are told apart from %j', (value) => { expect(isEnvelope(value)).toBe(false) })

  it('of remarks about incidents keep their order', () => {
    const remarks = (count: number): Envelope => ({ kind: 'remarks', service: 'shop', remarks: Array.from({ length: count }, (_, at) => ({ incident: 'shop.1', verdict: 'real', at, by: 'ann' })) })
    expect(isEnvelope(remarks(1))).toBe(true)
    expect(splitEnvelope(remarks(150)).map((part) => itemsOf(part).length)).toEqual([100, 50])
    expect(splitEnvelope(remarks(150)).flatMap(itemsOf)).toEqual(itemsOf(remarks(150)))
  })

  it('are known by their kind, service and list', () => {
    expect(isEnvelope(samples(1))).toBe(true)
  })
})
