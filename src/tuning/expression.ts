import { PrescaleError } from '../errors.ts'

/** An arithmetic expression over named numbers, read once and evaluated often; it can reach nothing but those numbers. */
export interface Expression {
  readonly text: string
  /** In order of first appearance. */
  readonly names: readonly string[]
  /** @returns NaN where a name has no value. */
  readonly evaluate: (values: Readonly<Record<string, number>>) => number
}

type Node = (values: Readonly<Record<string, number>>) => number

const functions: Readonly<Record<string, { readonly arity: number, readonly call: (...values: number[]) => number }>> = {
  min: { arity: 2, call: Math.min },
  max: { arity: 2, call: Math.max },
  log: { arity: 1, call: Math.log },
  exp: { arity: 1, call: Math.exp },
  sqrt: { arity: 1, call: Math.sqrt },
  abs: { arity: 1, call: Math.abs }
}
const comparisons: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '<=': (left, right) => left <= right,
  '>=': (left, right) => left >= right,
  '<': (left, right) => left < right,
  '>': (left, right) => left > right,
  '==': (left, right) => left === right
}
const tokenPattern = /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(<=|>=|==|[-+*/()<>,^]))/y
const longestText = 500
const deepestNesting = 50

function tokenize (text: string): string[] {
  if (text.length > longestText) throw new PrescaleError('invalid-config', `An expression has at most ${longestText} characters; this one has ${text.length}.`)
  const tokens: string[] = []
  const pattern = new RegExp(tokenPattern)
  const end = text.trimEnd().length
  while (pattern.lastIndex < end) {
    const from = pattern.lastIndex
    const match = pattern.exec(text)
    if (match === null) throw new PrescaleError('invalid-config', `Expected a number, a name or an operator at character ${from + 1} of "${text}".`)
    tokens.push(match[1] ?? match[2] ?? match[3])
  }
  return tokens
}

/**
 * Reads numbers, names, `+ - * / ^`, parentheses, min, max, log, exp, sqrt, abs, and at most one comparison (1 when it holds, else 0).
 *
 * @throws PrescaleError 'invalid-config' that says where the text stops making sense.
 */
export function parseExpression (text: string): Expression {
  const tokens = tokenize(text)
  const names = new Set<string>()
  let next = 0
  let depth = 0

  const fail = (expected: string): never => {
    throw new PrescaleError('invalid-config', `Expected ${expected} ${next < tokens.length ? `before "${tokens[next]}"` : 'at the end'} of "${text}".`)
  }
  const expect = (token: string) => { if (tokens[next++] !== token) { next--; fail(`"${token}"`) } }

  function call (name: string): Node {
    if (!Object.hasOwn(functions, name)) return fail(`one of ${Object.keys(functions).join(', ')}, not "${name}",`)
    expect('(')
    const { arity, call } = functions[name]
    const parts = [sum()]
    while (parts.length < arity) { expect(','); parts.push(sum()) }
    expect(')')
    return values => call(...parts.map(part => part(values)))
  }
  function factor (): Node {
    if (++depth > deepestNesting) fail(`at most ${deepestNesting} nested parts`)
    const node = power()
    depth--
    return node
  }
  function power (): Node {
    if (tokens[next] === '-') { next++; const inner = factor(); return values => -inner(values) }
    const base = atom()
    if (tokens[next] !== '^') return base
    next++
    const exponent = factor()
    return values => base(values) ** exponent(values)
  }
  function atom (): Node {
    const token = tokens[next]
    if (token === '(') { next++; const inner = sum(); expect(')'); return inner }
    if (token !== undefined && /^\d/.test(token)) { next++; const value = Number(token); return () => value }
    if (token === undefined || !/^[A-Za-z_]/.test(token)) return fail('a number or a name')
    next++
    if (tokens[next] === '(') return call(token)
    names.add(token)
    return values => Object.hasOwn(values, token) ? values[token] : NaN
  }
  function product (): Node {
    let left = factor()
    while (tokens[next] === '*' || tokens[next] === '/') {
      const [before, divide] = [left, tokens[next++] === '/']
      const right = factor()
      left = divide ? values => before(values) / right(values) : values => before(values) * right(values)
    }
    return left
  }
  function sum (): Node {
    let left = product()
    while (tokens[next] === '+' || tokens[next] === '-') {
      const [before, sign] = [left, tokens[next++] === '-' ? -1 : 1]
      const right = product()
      left = values => before(values) + sign * right(values)
    }
    return left
  }
  function comparison (): Node {
    const left = sum()
    if (!Object.hasOwn(comparisons, tokens[next] ?? '')) return left
    const holds = comparisons[tokens[next++]]
    const right = sum()
    return values => holds(left(values), right(values)) ? 1 : 0
  }

  const evaluate = comparison()
  if (next < tokens.length) fail('an operator')
  return { text, names: [...names], evaluate }
}
