import { PrescaleError } from '../../errors.ts'

export interface Token {
  readonly kind: 'name' | 'number' | 'duration' | 'text' | 'symbol' | 'end'
  /** Of a text what stands between the quotes, its escapes resolved. */
  readonly text: string
  readonly at: number
}

const longestQuery = 8192
const patterns: readonly (readonly [Token['kind'] | 'blank', RegExp])[] = [
  ['blank', /(?:\s+|#[^\n]*)/y],
  ['duration', /(?:\d+(?:ms|[smhdwy]))+(?![\w.])/y],
  ['number', /(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(?![\w.])/y],
  ['name', /[A-Za-z_:][\w:]*/y],
  ['text', /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`/y],
  ['symbol', /=~|!~|!=|==|>=|<=|[-+*/%^(){}[\],=<>@]/y]
]

/**
 * Splits a query of PromQL.
 *
 * @throws PrescaleError `invalid-request` with the place for what is no part of the language.
 */
export function tokenize (query: string): Token[] {
  if (query.length > longestQuery) throw badQuery(`the query is longer than ${longestQuery} characters`)
  const tokens: Token[] = []
  let at = 0
  while (at < query.length) {
    const found = patterns.map(([kind, pattern]) => ({ kind, length: lengthAt(query, pattern, at) })).find(({ length }) => length > 0)
    if (!found) throw badQuery(`unexpected ${JSON.stringify(query[at])}`, at)
    const text = query.slice(at, at + found.length)
    if (found.kind !== 'blank') tokens.push({ kind: found.kind, text: found.kind === 'text' ? unquote(text, at) : text, at })
    at += found.length
  }
  return [...tokens, { kind: 'end', text: 'the end of the query', at }]
}

function lengthAt (query: string, pattern: RegExp, at: number): number {
  pattern.lastIndex = at
  return pattern.exec(query)?.[0].length ?? 0
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\', '"': '"', "'": "'" }

function unquote (quoted: string, at: number): string {
  const inner = quoted.slice(1, -1)
  if (quoted.startsWith('`')) return inner
  return inner.replace(/\\(.)/g, (_, letter: string) => {
    const character = escapes[letter]
    if (character === undefined) throw badQuery(`unknown escape sequence \\${letter}`, at)
    return character
  })
}

export function badQuery (what: string, at?: number): PrescaleError {
  return new PrescaleError('invalid-request', `${at === undefined ? '' : `1:${at + 1}: `}parse error: ${what}`)
}
