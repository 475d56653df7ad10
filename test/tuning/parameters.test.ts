import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Parameter } from '../../src/domain.ts'
import { brokenConstraint, createParameterSpace, decode, encode, snap, towardsFeasible } from '../../src/tuning/parameters.ts'

const threads: Parameter = { name: 'threads', kind: 'integer', low: 4, high: 256, scale: 'log', default: 64 }
const share: Parameter = { name: 'share', kind: 'real', low: -1, high: 3, default: 0 }
const codec: Parameter = { name: 'codec', kind: 'choice', choices: ['none', 'gzip', 'zstd'], default: 'gzip' }
const level: Parameter = { name: 'level', kind: 'choice', choices: [1, 3, 9], ordered: true, default: 3 }
const keepAlive: Parameter = { name: 'keepAlive', kind: 'boolean', default: true }

describe('declared parameters', () => {
  it('become coordinates: one each, one for each choice without an order', () => {
    const space = createParameterSpace([threads, share, codec, level, keepAlive])
    expect(space.offsets).toEqual([0, 1, 2, 5, 6, 7])
    // threads 64 of 4 to 256: ln 16 / ln 64; share 0 of −1 to 3: 1/4; gzip is the second; 3 is in the middle; true.
    expect(encode(space, space.defaults).map(value => Number(value.toFixed(3)))).toEqual([0.667, 0.25, 0, 1, 0, 0.5, 1])
  })

  it('have no coordinate where there is nothing to choose, and still their value', () => {
    const space = createParameterSpace([{ name: 'fixed', kind: 'choice', choices: ['only'], default: 'only' }, { name: 'point', kind: 'integer', low: 7, high: 7, default: 7 }, threads])
    expect(space.width).toBe(1)
    expect(decode(space, [1])).toEqual({ fixed: 'only', point: 7, threads: 256 })
  })

  it.each<[string, readonly Parameter[], readonly string[], RegExp]>([
    ['no parameter', [], [], /1 to 50 parameters/],
    ['51 parameters', Array.from({ length: 51 }, (_, i) => ({ ...share, name: `p${i}` })), [], /got 51/],
    ['a name twice', [threads, threads], [], /each name once/],
    ['a lower bound above the upper one', [{ ...share, low: 4 }], [], /low not above high/],
    ['bounds that are no numbers', [{ ...share, high: NaN }], [], /finite bounds/],
    ['bounds that are infinitely far apart', [{ ...share, low: -1e308, high: 1e308 }], [], /finite bounds/],
    ['a logarithmic scale without end', [{ ...threads, low: 1e-300, high: 1e300 }], [], /ratio is a finite number/],
    ['a logarithmic scale from 0', [{ ...threads, low: 0 }], [], /positive lower bound/],
    ['no whole number within the bounds', [{ ...threads, low: 4.2, high: 4.8, default: 4.5 }], [], /whole number/],
    ['a default out of bounds', [{ ...threads, default: 300 }], [], /a default between 4 and 256/],
    ['no choice', [{ ...codec, choices: [] }], [], /at least one choice/],
    ['a default that is no choice', [{ ...codec, default: 'br' }], [], /one of none, gzip, zstd/],
    ['a negative cost of changing', [{ ...share, changeCost: -1 }], [], /cost of changing/],
    ['a constraint on an unknown name', [threads], ['thread <= 4'], /"thread" is none/],
    ['a constraint that the defaults break', [threads], ['threads <= 60'], /The defaults break the constraint "threads <= 60"/],
    ['a constraint that nothing meets', [threads], ['threads <= 3'], /No configuration meets/]
  ])('are refused with %s', (_, parameters, constraints, message) => {
    expect(() => createParameterSpace(parameters, constraints)).toThrow(message)
  })

  it('name every problem at once', () => {
    expect(() => createParameterSpace([{ ...threads, default: 1 }, { ...codec, default: 'br' }])).toThrow(/2 problems: threads: .*; codec: /)
  })
})

describe('a point', () => {
  const space = createParameterSpace([threads, share, codec, level, keepAlive], ['threads * 2 + share <= 300'])
  const anyPoint = fc.array(fc.double({ min: -0.5, max: 1.5, noNaN: true }), { minLength: space.width, maxLength: space.width })

  it('always means a configuration within the bounds, and the same one after a way there and back', () => {
    fc.assert(fc.property(anyPoint, (unit) => {
      const config = decode(space, unit)
      expect(config.threads).toSatisfy((value: number) => Number.isInteger(value) && value >= 4 && value <= 256)
      expect(config.share).toSatisfy((value: number) => value >= -1 && value <= 3)
      expect(['none', 'gzip', 'zstd']).toContain(config.codec)
      expect([1, 3, 9]).toContain(config.level)
      const again = decode(space, snap(space, unit))
      expect({ ...again, share: 0 }).toEqual({ ...config, share: 0 })
      expect(again.share).toBeCloseTo(Number(config.share), 9)
    }))
  })

  it('moves towards one that meets the constraints until it does itself', () => {
    const defaults = encode(space, space.defaults)
    fc.assert(fc.property(anyPoint, (unit) => {
      expect(brokenConstraint(space, decode(space, towardsFeasible(space, unit, defaults)))).toBeNull()
    }))
    expect(decode(space, towardsFeasible(space, encode(space, { ...space.defaults, threads: 256 }), defaults)).threads).toBeGreaterThan(64)
  })

  it('of values beyond the bounds is at the bound; of unknown and missing ones at the default', () => {
    expect(decode(space, encode(space, { threads: 1000, share: NaN, codec: 'br' }))).toEqual({ ...space.defaults, threads: 256 })
  })
})
