import { PrescaleError } from '../errors.ts'

export type Matches = (text: string) => boolean

/** Label values are short, but a pattern with many repetitions can still try for minutes: three are enough for names. */
const maxRepetitions = 3
const maxPatternLength = 256

/**
 * Compiles `value`, `/regular expression/`, `!value` or `!/regular expression/`. Expressions match the whole text, as in PromQL.
 *
 * @throws PrescaleError `invalid-config` when the expression is not valid or could take very long.
 */
export function compilePattern (pattern: string): Matches {
  if (pattern.startsWith('!')) {
    const matches = compilePattern(pattern.slice(1))
    return (text) => !matches(text)
  }
  if (!isExpression(pattern)) return (text) => text === pattern
  const expression = compileExpression(pattern.slice(1, -1))
  return (text) => expression.test(text)
}

function compileExpression (source: string): RegExp {
  const refusal = whyUnsafe(source)
  if (refusal !== null) throw unusable(source, refusal)
  try {
    return new RegExp(`^(?:${source})$`, 'su')
  } catch (error) {
    throw unusable(source, (error as Error).message)
  }
}

function unusable (source: string, why: string): PrescaleError {
  return new PrescaleError('invalid-config', `The regular expression /${source}/ cannot be used: ${why}.`)
}

/** What makes backtracking explode, and what PromQL does not know either (RE2 has no look-around and no back references). */
function whyUnsafe (source: string): string | null {
  if (source.length > maxPatternLength) return `it is longer than ${maxPatternLength} characters`
  const plain = source.replace(/\\[^1-9k]/g, 'x').replace(/\[[^\]]*\]/g, 'x')
  if (/\\[1-9k]/.test(plain)) return 'it has a back reference'
  if (/\(\?(?!:)/.test(plain)) return 'it has a look-around, a flag or a named group'
  if (/\)[*+{]/.test(plain)) return 'a group is repeated'
  const repetitions = plain.match(/[*+{]/g)?.length ?? 0
  return repetitions > maxRepetitions ? `it repeats ${repetitions} times, ${maxRepetitions} is the limit` : null
}

export interface LabelMatcher {
  readonly name: string
  readonly matches: Matches
  /** The only value that matches; null where there may be several. */
  readonly only: string | null
}

export function compileMatch (match: Readonly<Record<string, string>> | undefined): LabelMatcher[] {
  return Object.entries(match ?? {}).map(([name, pattern]) => ({
    name, matches: compilePattern(pattern), only: pattern.startsWith('!') || isExpression(pattern) ? null : pattern
  }))
}

function isExpression (pattern: string): boolean {
  return pattern.length > 1 && pattern.startsWith('/') && pattern.endsWith('/')
}

/** A label that is absent is an empty one, as in PromQL. */
export function matchesLabels (matchers: readonly LabelMatcher[], labels: readonly (readonly [string, string])[]): boolean {
  return matchers.every(({ name, matches }) => matches(labelValue(labels, name)))
}

export function labelValue (labels: readonly (readonly [string, string])[], name: string): string {
  for (const [known, value] of labels) {
    if (known === name) return value
  }
  return ''
}
