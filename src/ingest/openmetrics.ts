import type { Point } from '../domain.ts'
import { code, fail, parseFloat64, peek, readHelp, readName, readQuoted, readToken, type Cursor } from './exposition-cursor.ts'
import { readBraces, type Labels, type OpenMetricsSample } from './exposition-labels.ts'
import { createFamilies, type Families } from './openmetrics-families.ts'

const maxExemplarLabelLength = 128

/** OpenMetrics 1.0 with the quoted UTF-8 names of Prometheus 3. @see https://github.com/prometheus/OpenMetrics, ABNF and rules of "Overall Structure" */
export function readOpenMetrics (cursor: Cursor, defaultAt: number, sink: (point: Point, cursor: Cursor) => void): void {
  const families = createFamilies((expected) => fail(cursor, expected))
  const { text } = cursor
  for (; cursor.at < text.length; cursor.at++, cursor.line++) {
    if (peek(cursor) === code.hash) {
      if (readMetadata(cursor, families) === 'end') return
    } else {
      const { metric, labels, value, seconds, hasExemplar } = readSample(cursor)
      families.sample({ metric, labels, value, seconds, hasExemplar })
      sink({ metric, labels, value, at: seconds === null ? defaultAt : Math.round(seconds * 1000) }, cursor)
    }
    if (peek(cursor) !== code.lineFeed) fail(cursor, 'the line should end here')
  }
  fail(cursor, 'the last line must be # EOF')
}

function readMetadata (cursor: Cursor, families: Families): 'end' | 'more' {
  const { text } = cursor
  if (text.startsWith('# EOF\n', cursor.at)) {
    if (cursor.at + '# EOF\n'.length !== text.length) fail(cursor, 'nothing may follow # EOF')
    families.end()
    return 'end'
  }
  const kind = /# (HELP|TYPE|UNIT) /y
  kind.lastIndex = cursor.at
  const keyword = kind.exec(text)?.[1] ?? fail(cursor, '# must be followed by a blank and HELP, TYPE, UNIT or EOF')
  cursor.at = kind.lastIndex
  const name = peek(cursor) === code.quote ? readQuoted(cursor, true) : readName(cursor, 'metric')
  if (name === '') fail(cursor, `a metric name must follow # ${keyword}`)
  if (peek(cursor) !== code.blank) fail(cursor, `one blank must follow the name in # ${keyword} ${name}`)
  cursor.at++
  families.metadata(keyword as 'HELP' | 'TYPE' | 'UNIT', name, readHelp(cursor, true))
  return 'more'
}

function readSample (cursor: Cursor): OpenMetricsSample {
  let metric = readName(cursor, 'metric')
  let labels: Labels = []
  if (peek(cursor) === code.open) {
    const braces = readBraces(cursor, { strict: true })
    if (braces.name !== null && metric !== '') fail(cursor, 'a second metric name in the braces')
    metric = braces.name ?? metric
    labels = braces.labels
  }
  if (metric === '') fail(cursor, 'a metric name must come first')
  const value = readNumber(cursor)
  const seconds = isFollowedByNumber(cursor) ? readSeconds(cursor) : null
  const hasExemplar = peek(cursor) === code.blank
  if (hasExemplar) readExemplar(cursor)
  return { metric, labels, value, seconds, hasExemplar }
}

function isFollowedByNumber (cursor: Cursor): boolean {
  return peek(cursor) === code.blank && cursor.text.charCodeAt(cursor.at + 1) !== code.hash
}

/** One blank and a number. */
function readNumber (cursor: Cursor): number {
  if (peek(cursor) !== code.blank) fail(cursor, 'one blank must come before a number')
  cursor.at++
  const token = readToken(cursor)
  return parseFloat64(token) ?? fail(cursor, `${JSON.stringify(token)} is no number`)
}

function readSeconds (cursor: Cursor): number {
  const seconds = readNumber(cursor)
  return Number.isFinite(seconds) ? seconds : fail(cursor, 'a timestamp must be finite')
}

/** ` # {labels} value [timestamp]`: checked and forgotten, because nothing of ours asks for traces. */
function readExemplar (cursor: Cursor): void {
  if (!cursor.text.startsWith(' # {', cursor.at)) fail(cursor, 'an exemplar must begin with " # {"')
  cursor.at += ' # '.length
  const { name, labels } = readBraces(cursor, { strict: true })
  if (name !== null) fail(cursor, 'an exemplar has no metric name')
  const length = labels.reduce((sum, [label, value]) => sum + [...label].length + [...value].length, 0)
  if (length > maxExemplarLabelLength) fail(cursor, `the labels of an exemplar have ${length} characters, ${maxExemplarLabelLength} are allowed`)
  readNumber(cursor)
  if (peek(cursor) === code.blank) readSeconds(cursor)
}
