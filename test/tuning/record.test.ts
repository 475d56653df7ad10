import { describe, expect, it } from 'vitest'
import { presetRules } from '../../src/tuning/preset.ts'
import { emptyRecord, guessRange, optionsOf } from '../../src/tuning/record.ts'
import { configurationProblem, sameConfiguration, spaceOf } from '../../src/tuning/space.ts'

describe('the range of performance', () => {
  it.each([
    { first: [], range: 100 },
    { first: [0.7, 0.8], range: 1 },
    { first: [58, 61, 60], range: 100 },
    { first: [3, 3.2], range: 5 }, // 1.6 · 3.2 = 5.12
    { first: [1400, 1500, 1450], range: 2000 }, // 1.6 · 1450 = 2320
    { first: [-0.3], range: 0.5 }, // 1.6 · 0.3 = 0.48
    { first: [0, 0, 0], range: 100 },
    { first: [0, 0, 7], range: 10 }
  ])('is guessed from $first as $range', ({ first, range }) => {
    expect(guessRange(first)).toBeCloseTo(range, 9)
  })

  it('is what somebody says, where somebody does', () => {
    expect(optionsOf([0.5], { ...presetRules, performanceRange: 40 }).utilityRange).toBe(40)
  })
})

describe('a record', () => {
  it('has the name of its service as its seed', () => {
    const [shop, again, cart] = ['shop', 'shop', 'cart'].map(service => emptyRecord(service, spaceOf(presetRules), presetRules).tuner.seed)
    expect(shop).toBe(again)
    expect(shop).not.toBe(cart)
  })
})

describe('a reported configuration', () => {
  const rules = {
    parameters: [
      { name: 'threads', kind: 'integer', low: 1, high: 64, default: 8 },
      { name: 'ratio', kind: 'real', low: 0, high: 1, default: 0.5 },
      { name: 'codec', kind: 'choice', choices: ['none', 'gzip', 3], default: 'none' },
      { name: 'keepAlive', kind: 'boolean', default: true }
    ],
    constraints: ['threads * ratio <= 16']
  } as const

  it.each([
    [{}, /^the configuration is empty; known parameters are threads, ratio, codec, keepAlive$/],
    [{ colour: 1 }, /^the parameter colour is unknown/],
    [{ threads: 65 }, /^threads is 65, expected a whole number, 1 to 64$/],
    [{ threads: '8' }, /^threads is 8, expected a whole number, 1 to 64$/],
    [{ threads: 8.5 }, /^threads is 8.5, expected a whole number, 1 to 64$/],
    [{ ratio: NaN }, /^ratio is NaN, expected 0 to 1$/],
    [{ codec: 'br' }, /^codec is br, expected one of none, gzip, 3$/],
    [{ keepAlive: 1 }, /^keepAlive is 1, expected true or false$/],
    [{ threads: 64 }, /^it breaks the constraint "threads \* ratio <= 16"$/], // 64 · 0.5
    [{ __proto__: null, constructor: 1 }, /^the parameter constructor is unknown/]
  ])('%o is refused with the reason', (config, problem) => {
    expect(configurationProblem(config as never, rules)).toMatch(problem)
  })

  it('may name some of the parameters, each of its kind', () => {
    expect(configurationProblem({ codec: 3, keepAlive: false }, rules)).toBeNull()
    expect(configurationProblem({ threads: 16, ratio: 1 }, rules)).toBeNull()
  })

  it('is the same as another one that differs by what is left out at its default', () => {
    const space = spaceOf(rules)
    expect(sameConfiguration(space, { threads: 4 }, { threads: 4, codec: 'none', ratio: 0.5 + 1e-9 })).toBe(true)
    expect(sameConfiguration(space, { threads: 4 }, { threads: 5 })).toBe(false)
    expect(sameConfiguration(space, { keepAlive: true }, { keepAlive: false })).toBe(false)
  })
})
