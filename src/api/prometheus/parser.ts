import { seriesNames } from '../series.ts'
import { badQuery, tokenize, type Token } from './lexer.ts'
import { createMatcher, type Matcher, type MatchOperator } from './matcher.ts'
import { parseDuration } from './time.ts'

export interface Selector { readonly kind: 'selector', readonly matchers: readonly Matcher[], readonly rangeMs: number | null }
export type Arithmetic = '+' | '-' | '*' | '/' | '%' | '^'
export interface Grouping { readonly keep: boolean, readonly labels: readonly string[] }
export type Expression =
  | { readonly kind: 'number', readonly value: number }
  | Selector
  | { readonly kind: 'negative', readonly operand: Expression }
  | { readonly kind: 'arithmetic', readonly operator: Arithmetic, readonly left: Expression, readonly right: Expression }
  | { readonly kind: 'aggregation', readonly operator: string, readonly grouping: Grouping, readonly operand: Expression }
  | { readonly kind: 'call', readonly name: string, readonly operands: readonly Expression[] }

export const aggregations = ['sum', 'max', 'min', 'avg', 'count'] as const
/** What each function takes: a range of one series, an instant vector, or a number. */
export const functions = {
  last_over_time: 'range',
  max_over_time: 'range',
  min_over_time: 'range',
  avg_over_time: 'range',
  abs: 'vector',
  ceil: 'vector',
  floor: 'vector',
  round: 'vector',
  vector: 'number',
  time: 'nothing'
} as const

const precedence: Readonly<Record<string, number>> = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 3 }
const deepest = 50

/**
 * Parses the part of PromQL that autoscalers and dashboards send: selectors, arithmetic, five aggregations and a few functions.
 *
 * @throws PrescaleError `invalid-request` that names what is not understood; nothing is guessed.
 */
export function parseQuery (query: string): Expression {
  const cursor = createCursor(tokenize(query))
  if (cursor.peek().kind === 'end') throw badQuery('no expression found in input')
  const expression = parseBinary(cursor, 1, 0)
  if (cursor.peek().kind !== 'end') throw unsupported(cursor.peek())
  if (expression.kind === 'selector' && expression.rangeMs !== null) throw badQuery('a range needs a function such as last_over_time around it')
  return expression
}

/** One selector, as the `match[]` of /series and /labels holds it. */
export function parseSelector (text: string): Selector {
  const expression = parseQuery(text)
  if (expression.kind !== 'selector') throw badQuery(`${JSON.stringify(text)} is no selector such as prescale_replicas{service="shop"}`)
  return expression
}

type Cursor = ReturnType<typeof createCursor>

function createCursor (tokens: readonly Token[]) {
  let next = 0
  const peek = () => tokens[next]
  const take = () => tokens[Math.min(next++, tokens.length - 1)]
  const accept = (text: string) => peek().kind !== 'text' && peek().kind !== 'end' && peek().text === text ? take() : null
  const expect = (text: string) => {
    const token = accept(text)
    if (!token) throw badQuery(`unexpected ${describe(peek())}, expected "${text}"`, peek().at)
    return token
  }
  return { peek, take, accept, expect }
}

function describe ({ kind, text }: Token): string {
  return kind === 'end' ? text : `"${text}"`
}

function unsupported (token: Token) {
  const known = `series, numbers, + - * / % ^, ${aggregations.join(', ')} with by or without, and ${Object.keys(functions).join(', ')}`
  return badQuery(`${describe(token)} is not supported here; supported are ${known}`, token.at)
}

function parseBinary (cursor: Cursor, least: number, depth: number): Expression {
  if (depth > deepest) throw badQuery('the query is nested too deeply')
  let left = parseUnary(cursor, depth)
  for (;;) {
    const { kind, text } = cursor.peek()
    const strength = kind === 'symbol' && Object.hasOwn(precedence, text) ? precedence[text] : 0
    if (strength < least || strength === 0) return left
    cursor.take()
    // The power is the one that groups from the right: 2 ^ 3 ^ 2 is 2 ^ 9.
    const right = parseBinary(cursor, text === '^' ? strength : strength + 1, depth + 1)
    refuseRange(left)
    refuseRange(right)
    left = { kind: 'arithmetic', operator: text as Arithmetic, left, right }
  }
}

function refuseRange (operand: Expression): void {
  if (operand.kind === 'selector' && operand.rangeMs !== null) throw badQuery('a range needs a function such as last_over_time around it')
}

function parseUnary (cursor: Cursor, depth: number): Expression {
  if (cursor.accept('-')) {
    // -2 ^ 2 is -4.
    const operand = parseBinary(cursor, 3, depth + 1)
    refuseRange(operand)
    return { kind: 'negative', operand }
  }
  if (cursor.accept('+')) return parseUnary(cursor, depth + 1)
  return parsePrimary(cursor, depth)
}

function parsePrimary (cursor: Cursor, depth: number): Expression {
  const token = cursor.peek()
  if (cursor.accept('(')) {
    const inner = parseBinary(cursor, 1, depth + 1)
    cursor.expect(')')
    return inner
  }
  if (token.kind === 'number') return { kind: 'number', value: Number(cursor.take().text) }
  if (token.text === '{' && token.kind === 'symbol') return parseSelection(cursor, null)
  if (token.kind !== 'name') throw token.kind === 'end' ? badQuery(`unexpected ${token.text}`, token.at) : unsupported(token)
  cursor.take()
  if (/^(?:inf|nan)$/i.test(token.text)) return { kind: 'number', value: token.text.toLowerCase() === 'nan' ? NaN : Infinity }
  if (aggregations.some((name) => name === token.text)) return parseAggregation(cursor, token, depth)
  if (cursor.peek().text === '(' && cursor.peek().kind === 'symbol') return parseCall(cursor, token, depth)
  return parseSelection(cursor, token)
}

function parseAggregation (cursor: Cursor, { text: operator }: Token, depth: number): Expression {
  const before = parseGrouping(cursor)
  cursor.expect('(')
  const operand = parseBinary(cursor, 1, depth + 1)
  refuseRange(operand)
  cursor.expect(')')
  return { kind: 'aggregation', operator, grouping: before ?? parseGrouping(cursor) ?? { keep: true, labels: [] }, operand }
}

function parseGrouping (cursor: Cursor): Grouping | null {
  const keep = cursor.accept('by') !== null
  if (!keep && !cursor.accept('without')) return null
  cursor.expect('(')
  const labels: string[] = []
  while (!cursor.accept(')')) {
    const { kind, text, at } = cursor.take()
    if (kind !== 'name') throw badQuery(`unexpected "${text}", expected the name of a label`, at)
    labels.push(text)
    if (!cursor.accept(',') && cursor.peek().text !== ')') cursor.expect(')')
  }
  return { keep, labels }
}

function parseCall (cursor: Cursor, token: Token, depth: number): Expression {
  if (!Object.hasOwn(functions, token.text)) throw unsupported(token)
  const wanted = functions[token.text as keyof typeof functions]
  cursor.expect('(')
  if (wanted === 'nothing') {
    cursor.expect(')')
    return { kind: 'call', name: token.text, operands: [] }
  }
  const operand = parseBinary(cursor, 1, depth + 1)
  cursor.expect(')')
  const isRange = operand.kind === 'selector' && operand.rangeMs !== null
  if ((wanted === 'range') !== isRange) throw badQuery(`${token.text} needs ${wanted === 'range' ? 'a range such as [5m]' : `a ${wanted}`}`, token.at)
  return { kind: 'call', name: token.text, operands: [operand] }
}

function parseSelection (cursor: Cursor, name: Token | null): Selector {
  const matchers: Matcher[] = name ? [createMatcher('__name__', '=', name.text)] : []
  if (cursor.accept('{')) {
    while (!cursor.accept('}')) {
      matchers.push(parseMatcher(cursor))
      if (!cursor.accept(',') && cursor.peek().text !== '}') cursor.expect('}')
    }
  }
  checkMatchers(matchers)
  return { kind: 'selector', matchers, rangeMs: parseRange(cursor) }
}

function parseMatcher (cursor: Cursor): Matcher {
  const label = cursor.take()
  if (label.kind !== 'name') throw badQuery(`unexpected ${describe(label)}, expected the name of a label`, label.at)
  const operator = cursor.take()
  if (!['=', '!=', '=~', '!~'].includes(operator.text)) throw badQuery(`unexpected ${describe(operator)}, expected =, !=, =~ or !~`, operator.at)
  const value = cursor.take()
  if (value.kind !== 'text') throw badQuery(`unexpected ${describe(value)}, expected text in quotes`, value.at)
  return createMatcher(label.text, operator.text as MatchOperator, value.text)
}

/** A name that is none of ours is a slip of the pen, which an autoscaler would take for "no load". */
function checkMatchers (matchers: readonly Matcher[]): void {
  if (matchers.every(({ matches }) => matches(''))) throw badQuery('a selector needs at least one matcher that does not match the empty text')
  const wrong = matchers.find(({ name, operator, value }) => name === '__name__' && operator === '=' && !seriesNames.some((known) => known === value))
  if (wrong) throw badQuery(`there is no series ${wrong.value}; there are ${seriesNames.join(', ')}`)
}

function parseRange (cursor: Cursor): number | null {
  if (!cursor.accept('[')) return null
  const { kind, text, at } = cursor.take()
  if (kind !== 'duration') throw badQuery(`unexpected "${text}", expected a duration such as 5m`, at)
  cursor.expect(']')
  return parseDuration(text)
}
