import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { configurationProblem, defaultConfiguration, fromScale, presetParameters, toScale } from '../../src/policy/parameters.ts'

const cache = { name: 'cache', low: 32, high: 2048, scale: 'log', kind: 'integer', byDefault: 256, unit: 'MB' } as const
const ratio = { name: 'ratio', low: 0.2, high: 0.7, scale: 'linear', kind: 'real', byDefault: 0.5, unit: null } as const

describe('a parameter', () => {
  it.each([
    { parameter: cache, value: 32, place: 0 },
    { parameter: cache, value: 256, place: 0.5 }, // 32 · 64^0.5 = 256
    { parameter: cache, value: 2048, place: 1 },
    { parameter: ratio, value: 0.3, place: 0.2 } // (0.3 − 0.2) / 0.5
  ])('stands at $place of its scale with $value', ({ parameter, value, place }) => {
    expect(toScale(parameter, value)).toBeCloseTo(place, 12)
    expect(fromScale(parameter, place)).toBeCloseTo(value, 12)
  })

  it('is rounded when it is an integer, and never leaves its bounds', () => {
    expect(fromScale(cache, 0.51)).toBe(267) // 32 · 64^0.51 = 266.9
    expect(fromScale(cache, -3)).toBe(32)
    expect(fromScale(cache, 7)).toBe(2048)
  })

  it('comes back from its scale, for every whole value of the five', () => {
    fc.assert(fc.property(fc.constantFrom(...presetParameters), fc.double({ min: 0, max: 1, noNaN: true }), (parameter, share) => {
      const value = Math.round(parameter.low + share * (parameter.high - parameter.low))
      expect(fromScale(parameter, toScale(parameter, value))).toBe(value)
    }))
  })

  it('has its default within its bounds', () => expect(configurationProblem(defaultConfiguration())).toBeNull())
})

describe('a reported configuration', () => {
  it('may name some of the parameters only', () => expect(configurationProblem({ retryCount: 0 })).toBeNull())

  it.each([
    { config: {}, problem: /is empty; known parameters are threadPoolSize, cacheMegabytes, timeoutMs, batchSize, retryCount/ },
    { config: { heap: 1 }, problem: /the parameter heap is unknown/ },
    { config: { retryCount: 6 }, problem: 'retryCount is 6, expected 0 to 5' },
    { config: { timeoutMs: NaN }, problem: 'timeoutMs is NaN, expected 20 to 5000' }
  ])('is refused: $config', ({ config, problem }) => expect(configurationProblem(config as Record<string, number>)).toMatch(problem))
})
