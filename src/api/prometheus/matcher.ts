import { compilePattern } from '../../ingest/label-match.ts'
import type { Labels } from '../series.ts'
import { badQuery } from './lexer.ts'

export type MatchOperator = '=' | '!=' | '=~' | '!~'

export interface Matcher {
  readonly name: string
  readonly operator: MatchOperator
  readonly value: string
  readonly matches: (text: string) => boolean
}

/** Regular expressions match the whole value, as in PromQL. */
export function createMatcher (name: string, operator: MatchOperator, value: string): Matcher {
  const equals = operator.endsWith('~') ? compile(value) : (text: string) => text === value
  return { name, operator, value, matches: operator.startsWith('!') ? (text) => !equals(text) : equals }
}

function compile (expression: string): (text: string) => boolean {
  try {
    return compilePattern(`/${expression}/`)
  } catch (error) {
    throw badQuery((error as Error).message)
  }
}

/** A label that a series does not have is empty. */
export function matchesAll (matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every(({ name, matches }) => matches(Object.hasOwn(labels, name) ? labels[name] : ''))
}

/** The one value that a label must have; null where several are possible. */
export function pinned (matchers: readonly Matcher[], name: string): string | null {
  return matchers.find((matcher) => matcher.name === name && matcher.operator === '=' && matcher.value !== '')?.value ?? null
}
