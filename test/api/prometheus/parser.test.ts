import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PrescaleError } from '../../../src/errors.ts'
import { evaluate, type Value } from '../../../src/api/prometheus/evaluate.ts'
import { parseQuery, parseSelector } from '../../../src/api/prometheus/parser.ts'

const series = (service: string, value: number) => ({ labels: { __name__: 'prescale_replicas', service }, points: [{ from: 0, until: 60_000, value }] })

/** At second 30, with shop at 6 and mail at 2 replicas. */
function valueOf (query: string): Value {
  return evaluate(parseQuery(query), 30_000, ({ matchers }) => [series('shop', 6), series('mail', 2)].filter(({ labels }) => matchers.every(({ name, matches }) => matches((labels as Record<string, string>)[name] ?? ''))))
}
const plain = (value: Value) => typeof value === 'number' ? value : value.map(({ labels: { service = '' }, value: number }) => [service, number])

describe('arithmetic', () => {
  it.each([
    ['1+1', 2], ['2 + 3 * 4', 14], ['(2 + 3) * 4', 20], ['2 ^ 3 ^ 2', 512], ['-2 ^ 2', -4], ['10 - 4 - 3', 3], ['7 % 4', 3], ['1e3 / .5', 2000], ['+1', 1], ['-Inf', -Infinity], ['time()', 30]
  ])('%s is %d', (query, expected) => {
    expect(valueOf(query)).toBe(expected)
  })
})

describe('selectors', () => {
  it.each([
    ['prescale_replicas', [['shop', 6], ['mail', 2]]],
    ['prescale_replicas{service="shop"}', [['shop', 6]]],
    ['prescale_replicas{service!="shop",}', [['mail', 2]]],
    ['prescale_replicas{service=~"sho.|x"}', [['shop', 6]]],
    ['prescale_replicas{service=~"sho"}', []],
    ["prescale_replicas{service!~'m.*'}", [['shop', 6]]],
    ['{__name__=~"prescale_.+", service="mail"}', [['mail', 2]]],
    ['prescale_replicas{service="shop"} * 2 # doubled', [['shop', 12]]],
    ['8 / prescale_replicas{service="mail"}', [['mail', 4]]],
    ['prescale_replicas / prescale_replicas', [['shop', 1], ['mail', 1]]],
    ['last_over_time(prescale_replicas{service="shop"}[1m])', [['shop', 6]]],
    ['ceil(prescale_replicas{service="shop"} / 4)', [['shop', 2]]],
    ['vector(1)', [['', 1]]]
  ])('%s', (query, expected) => {
    expect(plain(valueOf(query))).toEqual(expected)
  })
})

describe('aggregations', () => {
  it.each([
    ['sum(prescale_replicas)', [['', 8]]],
    ['max by (service) (prescale_replicas)', [['shop', 6], ['mail', 2]]],
    ['avg(prescale_replicas) without (service)', [['', 4]]],
    ['min(prescale_replicas)', [['', 2]]],
    ['count(prescale_replicas)', [['', 2]]],
    ['sum(prescale_replicas{service="shop"}) or 1', null]
  ])('%s', (query, expected) => {
    if (expected === null) expect(() => valueOf(query)).toThrow('"or" is not supported here')
    else expect(plain(valueOf(query))).toEqual(expected)
  })
})

describe('what is not understood', () => {
  it.each([
    ['', 'no expression found in input'],
    ['prescale_replica{service="shop"}', 'there is no series prescale_replica; there are prescale_replicas'],
    ['up', 'there is no series up'],
    ['rate(prescale_replicas[5m])', '"rate" is not supported here; supported are'],
    ['prescale_replicas offset 5m', '"offset" is not supported here'],
    ['prescale_replicas @ 3', '"@" is not supported here'],
    ['prescale_replicas > 3', '">" is not supported here'],
    ['prescale_replicas[5m]', 'a range needs a function'],
    ['sum(prescale_replicas', 'unexpected the end of the query, expected ")"'],
    ['prescale_replicas{service=}', 'expected text in quotes'],
    ['{service=~".*"}', 'at least one matcher'],
    ['prescale_replicas{service=~"("}', 'cannot be used'],
    ['prescale_replicas{service=~"(a+)+"}', 'a group is repeated'],
    ['prescale_replicas{service="a\\q"}', 'unknown escape sequence'],
    ['sum(1)', 'sum needs a vector'],
    ['last_over_time(prescale_replicas)', 'needs a range'],
    ['§', 'unexpected "§"'],
    ['('.repeat(100), 'nested too deeply'],
    ['1'.repeat(9000), 'longer than 8192']
  ])('%s is an error that says so', (query, message) => {
    expect(() => valueOf(query)).toThrow(message)
    expect(() => valueOf(query)).toThrow(PrescaleError)
  })

  it('is an error also when both sides share no labels, since an empty vector would be taken for 0', () => {
    expect(() => valueOf('prescale_replicas{service="shop"} / prescale_replicas{service="mail"}')).toThrow('need the same labels')
  })

  it('never is anything but such an error, whatever is sent', () => {
    const part = fc.constantFrom('prescale_replicas', '{service="a"}', '(', ')', 'sum', ' by ', '[5m]', '+', '-', '^', '1', '"', 'last_over_time', '{', '}', ',', '=~', 'vector', '\\', 'time()')
    fc.assert(fc.property(fc.oneof(fc.string(), fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''))), (query) => {
      try {
        valueOf(query)
      } catch (error) {
        expect(error).toBeInstanceOf(PrescaleError)
      }
    }), { numRuns: 3000 })
  })
})

it('match[] takes a selector and nothing else', () => {
  expect(parseSelector('{service="shop"}').matchers).toHaveLength(1)
  expect(() => parseSelector('1+1')).toThrow('is no selector')
})
