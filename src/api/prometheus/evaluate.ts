import type { Labels } from '../series.ts'
import { badQuery } from './lexer.ts'
import type { Arithmetic, Expression, Grouping, Selector } from './parser.ts'

/** Points of one series, ascending and without overlap; each holds in [from, until), epoch ms. */
export interface Series {
  readonly labels: Labels
  readonly points: readonly { readonly from: number, readonly until: number, readonly value: number }[]
}
export interface Sample { readonly labels: Labels, readonly value: number }
/** A number or an instant vector. */
export type Value = number | readonly Sample[]

type Read = (selector: Selector) => readonly Series[]

/** What an expression is at one instant; the series that it needs have been read before. */
export function evaluate (expression: Expression, at: number, read: Read): Value {
  switch (expression.kind) {
    case 'number': return expression.value
    case 'selector': return select(read(expression), at)
    case 'negative': return each(evaluate(expression.operand, at, read), (value) => -value)
    case 'arithmetic': return combine(expression.operator, evaluate(expression.left, at, read), evaluate(expression.right, at, read))
    case 'aggregation': return aggregate(expression.operator, expression.grouping, evaluate(expression.operand, at, read))
    case 'call': return call(expression.name, expression.operands, at, read)
  }
}

function select (series: readonly Series[], at: number): Sample[] {
  return series.flatMap(({ labels, points }) => {
    const point = points[lastFrom(points, at)]
    return point && at < point.until ? [{ labels, value: point.value }] : []
  })
}

/** Index of the newest point that began at `at` or before; -1 for none. */
function lastFrom (points: Series['points'], at: number): number {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (points[middle].from <= at) low = middle + 1
    else high = middle
  }
  return low - 1
}

function call (name: string, operands: readonly Expression[], at: number, read: Read): Value {
  if (name === 'time') return at / 1000
  const [operand] = operands
  if (operand.kind === 'selector' && operand.rangeMs !== null) return overTime(name, read(operand), { after: at - operand.rangeMs, until: at })
  const value = evaluate(operand, at, read)
  if (name === 'vector') {
    if (typeof value !== 'number') throw badQuery('vector needs a number')
    return [{ labels: {}, value }]
  }
  if (typeof value === 'number') throw badQuery(`${name} needs a vector, not a number`)
  return each(value, { abs: Math.abs, ceil: Math.ceil, floor: Math.floor, round: Math.round }[name]!)
}

/** Over the points that began within the range. */
function overTime (name: string, series: readonly Series[], { after, until }: { after: number, until: number }): Sample[] {
  return series.flatMap(({ labels, points }) => {
    const values = points.slice(lastFrom(points, after) + 1, lastFrom(points, until) + 1).map(({ value }) => value)
    if (values.length === 0) return []
    // Only last_over_time is a sample of the series itself, so only it keeps the name.
    if (name === 'last_over_time') return [{ labels, value: values[values.length - 1] }]
    return [{ labels: withoutName(labels), value: reduce(name.slice(0, 3), values) }]
  })
}

function reduce (operator: string, values: readonly number[]): number {
  switch (operator) {
    case 'max': return values.reduce((a, b) => Math.max(a, b))
    case 'min': return values.reduce((a, b) => Math.min(a, b))
    case 'count': return values.length
    case 'sum': return values.reduce((a, b) => a + b)
    default: return values.reduce((a, b) => a + b) / values.length
  }
}

function withoutName ({ __name__: _, ...labels }: Labels): Labels {
  return labels
}

function each (value: Value, change: (value: number) => number): Value {
  return typeof value === 'number' ? change(value) : value.map((sample) => ({ labels: withoutName(sample.labels), value: change(sample.value) }))
}

function combine (operator: Arithmetic, left: Value, right: Value): Value {
  if (typeof right === 'number') return each(left, (value) => compute(operator, value, right))
  if (typeof left === 'number') return each(right, (value) => compute(operator, left, value))
  const partners = new Map(right.map((sample) => [labelsKey(withoutName(sample.labels)), sample.value]))
  const pairs = left.flatMap((sample) => {
    const labels = withoutName(sample.labels)
    const partner = partners.get(labelsKey(labels))
    return partner === undefined ? [] : [{ labels, value: compute(operator, sample.value, partner) }]
  })
  // An empty vector would be correct, and be taken for 0.
  if (pairs.length === 0 && left.length > 0 && right.length > 0) throw badQuery(`both sides of "${operator}" need the same labels; on, ignoring and group_left are not supported`)
  return pairs
}

function compute (operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case '+': return left + right
    case '-': return left - right
    case '*': return left * right
    case '/': return left / right
    case '%': return left % right
    case '^': return left ** right
  }
}

function aggregate (operator: string, { keep, labels: named }: Grouping, value: Value): Sample[] {
  if (typeof value === 'number') throw badQuery(`${operator} needs a vector, not a number`)
  const groups = new Map<string, { labels: Labels, values: number[] }>()
  for (const sample of value) {
    const labels = Object.fromEntries(Object.entries(withoutName(sample.labels)).filter(([name]) => named.includes(name) === keep))
    const key = labelsKey(labels)
    const group = groups.get(key)
    if (group) group.values.push(sample.value)
    else groups.set(key, { labels, values: [sample.value] })
  }
  return [...groups.values()].map(({ labels, values }) => ({ labels, value: reduce(operator, values) }))
}

export function labelsKey (labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => a < b ? -1 : 1))
}
