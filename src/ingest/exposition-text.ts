import type { Point } from '../domain.ts'
import { code, fail, parseFloat64, peek, readHelp, readName, readQuoted, readToken, skipBlanks, skipLine, type Cursor } from './exposition-cursor.ts'
import { readBraces, type Labels } from './exposition-labels.ts'

const types = new Set(['counter', 'gauge', 'summary', 'untyped', 'histogram', 'gauge_histogram', 'gaugehistogram'])

interface Family { readonly name: string, type: string | null, help: string | null }
type Sink = (point: Point, cursor: Cursor) => void

/** Prometheus text format 0.0.4 with the quoted UTF-8 names of Prometheus 3. @see prometheus/common expfmt/text_parse.go */
export function readText (cursor: Cursor, defaultAt: number, sink: Sink): void {
  const families = new Map<string, Family>()
  const { text } = cursor
  let lastName = ''
  let family: Family | null = null
  for (; cursor.at < text.length; cursor.at++, cursor.line++) {
    skipBlanks(cursor)
    const first = peek(cursor)
    if (first === code.lineFeed) continue
    if (first === code.hash) {
      readComment(cursor, families)
      lastName = ''
    } else {
      const point = readSample(cursor, defaultAt)
      if (family === null || point.metric !== lastName) family = familyOf(point.metric, families)
      lastName = point.metric
      checkSample(cursor, point, family)
      sink(point, cursor)
    }
    if (peek(cursor) !== code.lineFeed) fail(cursor, 'the line should end here')
  }
}

function readComment (cursor: Cursor, families: Map<string, Family>): void {
  cursor.at++
  skipBlanks(cursor)
  const keyword = readToken(cursor)
  if (keyword !== 'HELP' && keyword !== 'TYPE') return skipLine(cursor)
  skipBlanks(cursor)
  if (peek(cursor) === code.lineFeed) return
  const name = peek(cursor) === code.quote ? readQuoted(cursor, false) : readName(cursor, 'metric')
  const next = peek(cursor)
  if (name === '' || (next !== code.blank && next !== code.tab && next !== code.lineFeed)) fail(cursor, `a metric name must follow # ${keyword}`)
  const family = families.get(name) ?? newFamily(name, families)
  skipBlanks(cursor)
  if (peek(cursor) === code.lineFeed) return
  if (keyword === 'HELP') {
    if (family.help !== null) fail(cursor, `a second HELP for ${name}`)
    family.help = readHelp(cursor, false)
    return
  }
  const type = readHelp(cursor, false).toLowerCase()
  if (family.type !== null) fail(cursor, `a second TYPE for ${name}, or one after its samples`)
  if (!types.has(type)) fail(cursor, `${JSON.stringify(type)} is no metric type`)
  family.type = type
}

function newFamily (name: string, families: Map<string, Family>): Family {
  const family = { name, type: null, help: null }
  families.set(name, family)
  return family
}

function readSample (cursor: Cursor, defaultAt: number): Point {
  let metric = readName(cursor, 'metric')
  let labels: Labels = []
  skipBlanks(cursor)
  if (peek(cursor) === code.open) {
    const braces = readBraces(cursor, { strict: false })
    if (braces.name !== null && metric !== '') fail(cursor, 'a second metric name in the braces')
    metric = braces.name ?? metric
    labels = braces.labels
    skipBlanks(cursor)
  }
  if (metric === '') fail(cursor, 'a metric name must come first')
  const token = readToken(cursor)
  const value = parseFloat64(token) ?? fail(cursor, `${JSON.stringify(token)} is no number`)
  skipBlanks(cursor)
  if (peek(cursor) === code.lineFeed) return { metric, labels, at: defaultAt, value }
  const at = readMilliseconds(cursor)
  skipBlanks(cursor)
  return { metric, labels, at, value }
}

/** A signed 64-bit number; beyond 2⁵³ the nearest that a double holds. */
function readMilliseconds (cursor: Cursor): number {
  const token = readToken(cursor)
  const at = /^[+-]?\d+$/.test(token) ? Number(token) : NaN
  return Math.abs(at) <= 2 ** 63 ? at : fail(cursor, `${JSON.stringify(token)} is no timestamp in whole milliseconds`)
}

/** The family whose TYPE counts for a sample: its own name, or that of its summary or histogram. A sample without one settles the type. */
function familyOf (metric: string, families: Map<string, Family>): Family {
  const own = families.get(metric)
  const base = own ?? families.get(metric.replace(/_(?:count|sum|bucket)$/, ''))
  const isPart = base?.type === 'summary' ? !metric.endsWith('_bucket') : base?.type?.endsWith('histogram')
  const family = own ?? (base && isPart ? base : newFamily(metric, families))
  family.type ??= 'untyped'
  return family
}

function checkSample (cursor: Cursor, { metric, labels, value }: Point, { name, type }: Family): void {
  if (type === 'summary') {
    checkNumber(cursor, labels, 'quantile')
    if (value < 0 && metric === `${name}_count`) fail(cursor, `the count of the summary ${name} is negative`)
  } else if (type?.endsWith('histogram')) {
    checkNumber(cursor, labels, 'le')
    if (value < 0 && (metric === `${name}_count` || metric === `${name}_bucket`)) fail(cursor, `a count of the histogram ${name} is negative`)
  }
}

function checkNumber (cursor: Cursor, labels: Point['labels'], label: string): void {
  for (const [name, value] of labels) {
    if (name === label && parseFloat64(value) === undefined) fail(cursor, `the label ${label} must be a number, not ${JSON.stringify(value)}`)
  }
}
