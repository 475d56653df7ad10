import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PrescaleError } from '../../src/errors.ts'
import { parseExpression } from '../../src/tuning/expression.ts'

const values = { a: 2, b: 3, errorRatio: 0.1 }

describe('an expression', () => {
  it.each<[string, number]>([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['2 ^ 3 ^ 2', 512],
    ['-2 ^ 2', -4],
    ['10 - 4 - 3', 3],
    ['12 / a / b', 2],
    ['1.5e2 * errorRatio', 15],
    ['min(a, b) + max(a, b) + abs(-1) + sqrt(4)', 8],
    ['exp(log(b))', 3],
    ['a * 4 + b <= 11', 1],
    ['a * 4 + b < 11', 0],
    ['a == b', 0]
  ])('%s is %d', (text, expected) => {
    expect(parseExpression(text).evaluate(values)).toBeCloseTo(expected)
  })

  it('names what it is about, in order, once', () => {
    expect(parseExpression('b * a + max(b, c)').names).toEqual(['b', 'a', 'c'])
  })

  it('is NaN where a name has no value, also where objects have such a property', () => {
    for (const name of ['missing', 'constructor', 'toString', '__proto__']) expect(parseExpression(`a + ${name}`).evaluate(values)).toBeNaN()
  })

  it.each<[string, RegExp]>([
    ['', /a number or a name at the end/],
    ['1 +', /at the end/],
    ['1 + + 2', /before "\+"/],
    ['(1 + 2', /"\)"/],
    ['a b', /an operator before "b"/],
    ['a < b < 1', /an operator before "<"/],
    ['eval(a)', /one of min, max, .*not "eval"/],
    ['min(a)', /","/],
    ['a; b', /character 2/],
    [`${'('.repeat(60)}a`, /at most 50 nested/],
    ['a +'.repeat(200), /at most 500 characters/]
  ])('"%s" is refused with the place', (text, message) => {
    expect(() => parseExpression(text)).toThrow(message)
  })

  it('of any text is read or refused, never anything else', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab1.(),+-*/^<>= min'), maxLength: 40 }), (text) => {
      try {
        expect(typeof parseExpression(text).evaluate(values)).toBe('number')
      } catch (error) {
        expect(error).toBeInstanceOf(PrescaleError)
      }
    }))
  })
})
