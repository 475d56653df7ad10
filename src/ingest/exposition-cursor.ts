import { PrescaleError } from '../errors.ts'

/** Where a reader stands. The text ends with a line feed, so that every loop over a line ends. */
export interface Cursor { readonly text: string, at: number, line: number }

export const code = {
  tab: 9, lineFeed: 10, blank: 32, quote: 34, hash: 35, comma: 44, equals: 61, backslash: 92, n: 110, open: 123, close: 125
} as const

const [start, inside, metricOnly] = [1, 2, 4]
/** What each ASCII character may be in a name without quotes: [a-zA-Z_:][a-zA-Z0-9_:]*, the colon only in metric names. */
const nameClass = new Uint8Array(128)
for (const letter of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_') nameClass[letter.charCodeAt(0)] = start | inside
for (const digit of '0123456789') nameClass[digit.charCodeAt(0)] = inside
nameClass[':'.charCodeAt(0)] = start | inside | metricOnly

/** What is quoted from the text may be as long as the text. */
const maxQuotedLength = 300

export function fail ({ line }: Cursor, what: string): never {
  const expected = what.length > maxQuotedLength ? `${what.slice(0, maxQuotedLength)}…` : what
  throw new PrescaleError('invalid-request', `Line ${line} is not valid: ${expected}.`, { details: [{ path: `line ${line}`, expected }] })
}

export function peek (cursor: Cursor): number {
  return cursor.text.charCodeAt(cursor.at)
}

export function skipBlanks (cursor: Cursor): void {
  const { text } = cursor
  let { at } = cursor
  for (let c = text.charCodeAt(at); c === code.blank || c === code.tab; c = text.charCodeAt(++at));
  cursor.at = at
}

/** A name without quotes, or '' when there is none. */
export function readName (cursor: Cursor, kind: 'metric' | 'label'): string {
  const { text, at: from } = cursor
  const forbidden = kind === 'label' ? metricOnly : 0
  let at = from
  for (let c = text.charCodeAt(at), wanted = start; c < 128 && (nameClass[c] & wanted) !== 0 && (nameClass[c] & forbidden) === 0; wanted = inside) {
    c = text.charCodeAt(++at)
  }
  cursor.at = at
  return text.slice(from, at)
}

/**
 * The text between two quotes; the cursor stands on the first and ends after the second.
 *
 * @param lenient other escapes than `\\`, `\"` and `\n` are the two characters that they are (OpenMetrics) and not an error.
 */
export function readQuoted (cursor: Cursor, lenient: boolean): string {
  const { text } = cursor
  const from = ++cursor.at
  let at = from
  for (let c = text.charCodeAt(at); c !== code.quote; c = text.charCodeAt(++at)) {
    if (c === code.backslash) return readEscaped(cursor, { lenient, quote: true })
    if (c === code.lineFeed) fail(cursor, 'a line feed within quotes must be written as \\n, or the closing quote is missing')
  }
  cursor.at = at + 1
  return text.slice(from, at)
}

/** The rest of the line with its escapes resolved; the cursor ends on the line feed. */
export function readHelp (cursor: Cursor, lenient: boolean): string {
  const end = cursor.text.indexOf('\n', cursor.at)
  const rest = cursor.text.slice(cursor.at, end)
  if (rest.includes('\\')) return readEscaped(cursor, { lenient, quote: false })
  cursor.at = end
  return rest
}

function readEscaped (cursor: Cursor, { lenient, quote }: { lenient: boolean, quote: boolean }): string {
  const { text } = cursor
  const end = quote ? code.quote : code.lineFeed
  let { at } = cursor
  let result = ''
  let from = at
  for (let c = text.charCodeAt(at); c !== end; c = text.charCodeAt(++at)) {
    if (c === code.lineFeed) fail(cursor, 'a line feed within quotes must be written as \\n, or the closing quote is missing')
    if (c !== code.backslash) continue
    const next = text.charCodeAt(at + 1)
    if (next === code.backslash || next === code.n || (next === code.quote && (quote || lenient))) {
      result += text.slice(from, at) + (next === code.n ? '\n' : text[at + 1])
      from = ++at + 1
    } else if (!lenient) {
      fail(cursor, quote ? 'after a backslash only \\, " and n are allowed' : 'after a backslash only \\ and n are allowed')
    }
  }
  cursor.at = quote ? at + 1 : at
  return result + text.slice(from, at)
}

/** Everything up to the next blank, tab or line feed. */
export function readToken (cursor: Cursor): string {
  const { text, at: from } = cursor
  let at = from
  for (let c = text.charCodeAt(at); c !== code.blank && c !== code.tab && c !== code.lineFeed; c = text.charCodeAt(++at));
  cursor.at = at
  return text.slice(from, at)
}

export function skipLine (cursor: Cursor): void {
  cursor.at = cursor.text.indexOf('\n', cursor.at)
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const infinite = /^[+-]?inf(?:inity)?$/i

/** Go's ParseFloat without hexadecimal, binary and octal forms and underscores; undefined when it is not a number, or too large for one. */
export function parseFloat64 (token: string): number | undefined {
  if (decimal.test(token)) {
    const value = Number(token)
    return Number.isFinite(value) ? value : undefined
  }
  if (infinite.test(token)) return token.startsWith('-') ? -Infinity : Infinity
  return /^nan$/i.test(token) ? NaN : undefined
}
