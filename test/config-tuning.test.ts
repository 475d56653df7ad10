import { describe, expect, it } from 'vitest'
import { resolveService } from '../src/config.ts'
import { PrescaleError } from '../src/errors.ts'
import { presetDeclared, presetRules } from '../src/tuning/preset.ts'
import { configOf } from './api/support.ts'

const rulesOf = (yaml: string) => resolveService('shop', null, configOf(`services:\n  shop: ${yaml}`)).policy.tuning

function errorsOf (tuning: string): { path: string, expected: string }[] {
  try {
    configOf(`services:\n  shop: { tuning: ${tuning} }`)
  } catch (error) {
    if (error instanceof PrescaleError) return error.details.map(({ path, expected }) => ({ path: path.replace('services.shop.tuning.', ''), expected }))
    throw error
  }
  return []
}

describe('tuning in the settings of a service', () => {
  it('is the preset in the mode suggest where nothing is said', () => {
    expect(rulesOf('{}')).toBeUndefined()
    expect(rulesOf('{ tuning: {} }')).toEqual(presetRules)
    expect(presetDeclared.map(({ name }) => name)).toEqual(['threadPoolSize', 'cacheMegabytes', 'timeoutMs', 'batchSize', 'retryCount'])
  })

  it('declares parameters of every kind, constraints and an objective', () => {
    const rules = rulesOf(`
      tuning:
        mode: apply
        strategy: bluefin
        explorationShare: 0.2
        safetyMargin: 0.1
        parameters:
          - { name: threads, kind: integer, low: 1, high: 64, scale: log, default: 8, role: threads, changeCost: 2 }
          - { name: ratio, kind: real, low: 0, high: 1, default: 0.5 }
          - { name: codec, kind: choice, choices: [none, gzip, br], default: none }
          - { name: keepAlive, kind: boolean, default: true }
        constraints: ['threads * ratio <= 32']
        objective: requestsPerSecond - 200 * errorRatio`)
    expect(rules).toMatchObject({
      mode: 'apply',
      strategy: 'bluefin',
      explorationShare: 0.2,
      safetyMargin: 0.1,
      constraints: ['threads * ratio <= 32'],
      objective: { kind: 'expression', expression: 'requestsPerSecond - 200 * errorRatio' },
      performanceRange: null
    })
    expect(rules!.parameters.map(({ name, kind }) => [name, kind])).toEqual([['threads', 'integer'], ['ratio', 'real'], ['codec', 'choice'], ['keepAlive', 'boolean']])
  })

  it('takes a role from the name of a number where none is declared; none is none', () => {
    const rules = rulesOf(`
      tuning:
        parameters:
          - { name: pool_size, kind: integer, low: 1, high: 64, default: 8 }
          - { name: timeoutMs, kind: real, low: 1, high: 64, default: 8, role: none }
          - { name: batchSize, kind: integer, low: 1, high: 64, default: 8, role: threads }
          - { name: cache, kind: boolean, default: true }
          - { name: level, kind: integer, low: 1, high: 9, default: 5 }`)
    expect(rules!.parameters.map(({ role }) => role)).toEqual(['threads', undefined, 'threads', undefined, undefined])
  })

  it('takes the preset objective with what is asked of the service, whose range is 100', () => {
    expect(rulesOf('{ tuning: { objective: { responseTimeSeconds: 0.2 } } }')).toMatchObject({
      objective: { kind: 'preset', responseTimeSeconds: 0.2, requestsPerSecond: null, resourceWeight: 10 }, performanceRange: 100
    })
  })

  it('says everything that is wrong with parameters at once, each at its place', () => {
    expect(errorsOf(`{ parameters: [
      { name: a, kind: integer, low: 1, default: 2.5 }, { name: b, kind: choice, default: x }, { name: c, kind: boolean, default: 1, low: 0 }, { name: a, kind: real, low: 0, high: 1, default: no } ],
      constraints: ['a +'], objective: '3 + 4' }`)).toEqual([
      { path: 'parameters[0].high', expected: 'a number, the largest value of a' },
      { path: 'parameters[0].default', expected: 'a whole number' },
      { path: 'parameters[1].choices', expected: 'a list of choices' },
      { path: 'parameters[2].low', expected: 'no low of a boolean' },
      { path: 'parameters[2].default', expected: 'true or false' },
      { path: 'parameters[3].default', expected: 'a number' },
      { path: 'parameters[3].name', expected: 'each name once; parameters[0] has it already' },
      { path: 'constraints[0]', expected: expect.stringContaining('at the end') },
      { path: 'objective', expected: 'an expression over signals; it names none' }
    ])
  })

  it.each([
    ['a default out of bounds', '{ parameters: [{ name: a, kind: integer, low: 1, high: 9, default: 20 }] }', 'parameters[0]', 'a default between 1 and 9'],
    ['a logarithm of zero', '{ parameters: [{ name: a, kind: real, low: 0, high: 9, scale: log, default: 2 }] }', 'parameters[0]', 'a positive lower bound on a logarithmic scale'],
    ['a default that is no choice', '{ parameters: [{ name: a, kind: choice, choices: [x, y], default: z }] }', 'parameters[0]', 'one of x, y'],
    ['a constraint over something else', "{ parameters: [{ name: a, kind: boolean, default: true }], constraints: ['b <= 3'] }", 'constraints[0]', 'names of parameters; "b" is none'],
    ['defaults that break a constraint', "{ constraints: ['threadPoolSize <= 10'] }", 'constraints', 'The defaults break the constraint "threadPoolSize <= 10"; they are what the tuner falls back to.'],
    ['a constraint that nothing meets', "{ constraints: ['threadPoolSize <= 1'] }", 'constraints', 'No configuration meets the constraints (the defaults break "threadPoolSize <= 1").'],
    ['a name that objects have a meaning for', '{ parameters: [{ name: __proto__, kind: boolean, default: true }] }', 'parameters[0].name', 'a name: a letter, then letters, digits and _, at most 64 characters'],
    ['a slip of the pen', '{ stratgy: bluefin }', 'stratgy', expect.stringMatching(/^did you mean "strategy"\?/)],
    ['51 parameters', `{ parameters: [${Array.from({ length: 51 }, (_, i) => `{ name: p${i}, kind: boolean, default: true }`).join()}] }`, 'parameters', 'a list from 1 to 50 entries']
  ])('refuses %s', (_, tuning, path, expected) => {
    expect(errorsOf(tuning)).toEqual([{ path, expected }])
  })

  it('takes a choice with one value and 50 parameters', () => {
    expect(errorsOf('{ parameters: [{ name: a, kind: choice, choices: [only], default: only }] }')).toEqual([])
    expect(errorsOf(`{ parameters: [${Array.from({ length: 50 }, (_, i) => `{ name: p${i}, kind: real, low: 0, high: 1, default: 0.5 }`).join()}] }`)).toEqual([])
  })
})
