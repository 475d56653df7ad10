import { code, fail, peek, readName, readQuoted, skipBlanks, type Cursor } from './exposition-cursor.ts'

export type Labels = [name: string, value: string][]

export interface OpenMetricsSample {
  readonly metric: string
  readonly labels: Labels
  readonly value: number
  /** Epoch seconds; null when there is no timestamp. */
  readonly seconds: number | null
  readonly hasExemplar: boolean
}

export interface Dialect {
  /** OpenMetrics: no blanks between tokens, no comma at the end, unknown escapes are kept. */
  readonly strict: boolean
}

export interface Braces {
  /** The metric's name when it stood in the braces, as UTF-8 names do: `{"a.metric",label="x"}`. */
  readonly name: string | null
  readonly labels: Labels
}

/** Everything between braces; the cursor stands on the opening one and ends after the closing one. */
export function readBraces (cursor: Cursor, { strict }: Dialect): Braces {
  const labels: Labels = []
  let name: string | null = null
  cursor.at++
  for (let first = true; ; first = false) {
    if (!strict) skipBlanks(cursor)
    if (peek(cursor) === code.close && (first || !strict)) break
    const quoted = peek(cursor) === code.quote
    const word = quoted ? readQuoted(cursor, strict) : readName(cursor, 'label')
    if (word === '') fail(cursor, 'a label name must follow')
    if (!strict) skipBlanks(cursor)
    if (quoted && peek(cursor) !== code.equals) {
      if (name !== null) fail(cursor, 'a second metric name in the braces')
      name = word
    } else {
      labels.push([word, readLabelValue(cursor, word, { labels, strict })])
      if (!strict) skipBlanks(cursor)
    }
    if (peek(cursor) === code.close) break
    if (peek(cursor) !== code.comma) fail(cursor, 'a comma or a closing brace must follow a label')
    cursor.at++
  }
  cursor.at++
  return { name, labels }
}

function readLabelValue (cursor: Cursor, name: string, { labels, strict }: { labels: Labels, strict: boolean }): string {
  if (name === '__name__') fail(cursor, '__name__ cannot be a label')
  for (const [known] of labels) {
    if (known === name) fail(cursor, `the label ${name} is there twice`)
  }
  if (peek(cursor) !== code.equals) fail(cursor, `= must follow the label name ${name}`)
  cursor.at++
  if (!strict) skipBlanks(cursor)
  if (peek(cursor) !== code.quote) fail(cursor, `a quoted value must follow ${name}=`)
  return readQuoted(cursor, strict)
}
