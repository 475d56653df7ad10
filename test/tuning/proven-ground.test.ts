import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Configuration } from '../../src/domain.ts'
import type { Observation } from '../../src/tuning/observations.ts'
import { createParameterSpace, decode, encode } from '../../src/tuning/parameters.ts'
import { presetDeclared } from '../../src/tuning/preset.ts'
import { createProvenGround } from '../../src/tuning/proven-ground.ts'

const space = createParameterSpace(presetDeclared)
const defaults = encode(space, space.defaults)
const proven = (config: Configuration, load: number): Observation =>
  ({ id: '', at: 0, context: [Math.log(load)], unit: encode(space, { ...space.defaults, ...config }), utility: 80, defaultUtility: 60 })

function stepTo (wanted: Configuration, observations: readonly Observation[], load = 1): Configuration {
  const ground = createProvenGround(space, { defaults, observations, load: Math.log(load) })
  return decode(space, ground(encode(space, { ...space.defaults, ...wanted })))
}

describe('proven ground', () => {
  it.each<[string, Configuration, readonly Observation[], Configuration, number?]>([
    ['half the threads of the defaults', { threadPoolSize: 4 }, [], { threadPoolSize: 32 }],
    ['twice the threads of the defaults', { threadPoolSize: 250 }, [], { threadPoolSize: 128 }],
    // 4 × 0.7 = 2.8; 4 × 1.6 = 6.4.
    ['a batch of 3 below the default of 4', { batchSize: 1 }, [], { batchSize: 3 }],
    ['a batch of 6 above the default of 4', { batchSize: 64 }, [], { batchSize: 6 }],
    // 3 × 0.7 = 2.1 at the same load; at 80 % of it 1.7.
    ['no batch of 2 at the load that 3 carried', { batchSize: 1 }, [proven({ batchSize: 3 }, 1)], { batchSize: 3 }],
    ['a batch of 2 at 80 % of the load that 3 carried', { batchSize: 1 }, [proven({ batchSize: 3 }, 1)], { batchSize: 2 }, 0.8],
    ['a timeout of 350 ms below the default of 1 s', { timeoutMs: 20 }, [], { timeoutMs: 350 }],
    ['a timeout of 35 ms where 100 ms did well', { timeoutMs: 20 }, [proven({ timeoutMs: 100 }, 1)], { timeoutMs: 35 }],
    ['any longer timeout and any larger cache', { timeoutMs: 5000, cacheMegabytes: 6144 }, [], { timeoutMs: 5000, cacheMegabytes: 6144 }],
    ['a quarter of the cache', { cacheMegabytes: 32 }, [], { cacheMegabytes: 64 }],
    ['any number of retries', { retryCount: 0 }, [], { retryCount: 0 }]
  ])('reaches to %s', (_, wanted, observations, expected, load) => {
    expect(stepTo(wanted, observations, load)).toMatchObject(expected)
  })

  it('asks that one and the same proven place is near in everything', () => {
    const places = [proven({ threadPoolSize: 16 }, 1), proven({ timeoutMs: 100 }, 1)]
    const { threadPoolSize, timeoutMs } = stepTo({ threadPoolSize: 8, timeoutMs: 40 }, places)
    expect(Number(threadPoolSize) >= 32 || Number(timeoutMs) >= 350).toBe(true)
  })

  it('leaves alone what is within reach, and whatever it moves is within reach then', () => {
    const ground = createProvenGround(space, { defaults, observations: [proven({ threadPoolSize: 16, batchSize: 8 }, 1.2)], load: 0 })
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 }), (unit) => {
      const moved = ground(unit)
      expect(ground(moved)).toEqual(moved)
    }))
    expect(ground(defaults)).toEqual(defaults)
  })

  it('is everywhere where no parameter has a role', () => {
    const plain = createParameterSpace([{ name: 'x', kind: 'real', low: 0, high: 1, default: 0.5 }])
    expect(createProvenGround(plain, { defaults: [0.5], observations: [], load: 0 })([0])).toEqual([0])
  })
})
