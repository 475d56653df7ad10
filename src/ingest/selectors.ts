import type { Point } from '../domain.ts'
import { compileMatch, compilePattern, labelValue, matchesLabels, type LabelMatcher, type Matches } from './label-match.ts'
import type { Aggregate, Divisor, SignalMapping } from './signal-mapping.ts'

type Labelled = Pick<Point, 'metric' | 'labels'>

/** One set of series that a mapping reads: as they are (gauge) or as their increase per second (counter). */
export interface Selector {
  readonly metric: Matches
  readonly labels: readonly LabelMatcher[]
  readonly kind: 'gauge' | 'counter'
  /** The series are the buckets of a histogram, kept apart by their upper bound. */
  readonly buckets: boolean
}

/** What one mapping computes, from selectors by their index. */
export interface Formula {
  readonly signal: string
  readonly value: Operand
  readonly per: Operand | null
  /** Without a matching series the value is 0 and not unknown. */
  readonly zeroWhenAbsent: boolean
  readonly scale: number
  readonly complement: boolean
}
export type Operand =
  | { readonly kind: 'aggregate', readonly selector: number, readonly aggregate: Aggregate }
  | { readonly kind: 'mean', readonly sum: number, readonly count: number }
  | { readonly kind: 'quantile', readonly selector: number, readonly quantile: number }

export interface CompiledMappings {
  readonly selectors: readonly Selector[]
  readonly formulas: readonly Formula[]
  /** Two sets of mappings with the same text read the same series. */
  readonly text: string
}

const compiled = new WeakMap<readonly SignalMapping[], CompiledMappings>()

/** Compiles once for each array; `mappings` must not be changed afterwards. */
export function compileMappings (mappings: readonly SignalMapping[]): CompiledMappings {
  const known = compiled.get(mappings)
  if (known) return known
  const selectors: Selector[] = []
  const formulas = mappings.map((mapping) => toFormula(mapping, selectors))
  const result = { selectors, formulas, text: JSON.stringify(mappings) }
  compiled.set(mappings, result)
  return result
}

function toFormula (mapping: SignalMapping, selectors: Selector[]): Formula {
  const { signal, per, scale = 1, complement = false } = mapping
  return {
    signal,
    value: mapping.kind === 'histogram' ? histogramOperand(mapping, selectors) : aggregateOperand({ ...mapping, kind: mapping.kind }, selectors),
    per: per ? aggregateOperand(per, selectors) : null,
    // Part of the same metric: the series of a status code come into being with the first such answer.
    zeroWhenAbsent: per?.metric === mapping.metric,
    scale,
    complement
  }
}

function aggregateOperand ({ metric, match, kind, aggregate = 'sum' }: Divisor, selectors: Selector[]): Operand {
  return { kind: 'aggregate', selector: add(selectors, { metric: compilePattern(metric), labels: compileMatch(match), kind, buckets: false }), aggregate }
}

function histogramOperand ({ metric, match, quantile }: SignalMapping, selectors: Selector[]): Operand {
  const labels = compileMatch(match)
  const select = (suffix: string, buckets = false) => add(selectors, { metric: withSuffix(compilePattern(metric), suffix), labels, kind: 'counter', buckets })
  if (quantile !== undefined) return { kind: 'quantile', selector: select('_bucket', true), quantile }
  return { kind: 'mean', sum: select('_sum'), count: select('_count') }
}

function withSuffix (matches: Matches, suffix: string): Matches {
  return (name) => name.endsWith(suffix) && matches(name.slice(0, -suffix.length))
}

function add (selectors: Selector[], selector: Selector): number {
  return selectors.push(selector) - 1
}

/** The indices of the selectors that read this series. */
export function selectorsOf ({ selectors }: CompiledMappings, { metric, labels }: Labelled): number[] {
  const indices: number[] = []
  for (const [i, selector] of selectors.entries()) {
    if (selector.metric(metric) && matchesLabels(selector.labels, labels)) indices.push(i)
  }
  return indices
}

/** The upper bound of a histogram's bucket; null for any other series. */
export function upperBound (labels: Labelled['labels']): number | null {
  const text = labelValue(labels, 'le')
  if (text === '') return null
  const bound = /^\+?Inf$/i.test(text) ? Infinity : Number(text)
  return Number.isNaN(bound) ? null : bound
}
