import type { Cause } from '../domain.ts'
import { expectedRange, field, fields } from '../features/signal-memory.ts'
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
  /** Shape [kinds, signals]: by which signals that say the same are told. */
  readonly deviations: Float64Array
}

/** Two signals say the same if their deviations of every kind differ by less than this share of the largest: network bytes and packets, one metric under two names. */
const alikeWithin = 0.05
/** A signal that moved first and has returned is still a cause twenty steps later. */
const contributionKept = 0.95

/** The signals that make up the score, largest share first; those that say the same as one cause. Shares of all signals add up to 1. */
export function causesOf (explained: Explained): Cause[] {
  const { memory, x, contributions, position } = explained
  const total = contributions.reduce((sum, value) => sum + value, 0)
  if (total === 0) return []
  const shares = contributions.map(value => value / total)
  const order = Array.from(shares.keys()).sort((a, b) => shares[b] - shares[a] || a - b).filter(i => shares[i] >= leastShare && !Number.isNaN(x[i]))
  return groupsOf(order, explained).slice(0, mostCauses).map(([i, ...alike]) => {
    const { low, high, isSeasonal } = expectedRange(memory, i, position)
    const signal = memory.signals[i]
    const share = [i, ...alike].reduce((sum, one) => sum + shares[one], 0)
    const text = causeText({ signal, value: x[i], low, high, isSeasonal, alike: alike.map(one => memory.signals[one]) })
    return { signal, value: x[i], expectedLow: low, expectedHigh: high, share, text }
  })
}

function groupsOf (order: readonly number[], { memory, deviations, x }: Explained): number[][] {
  const groups: number[][] = []
  for (const i of order) {
    const group = groups.find(([first]) => isAlike(deviations, x.length, [first, i]) && areAsFar(memory, x, [first, i]))
    if (group) group.push(i)
    else groups.push([i])
  }
  return groups
}

function isAlike (deviations: Float64Array, width: number, [a, b]: readonly [number, number]): boolean {
  let largest = 0
  let apart = 0
  for (let kind = 0; kind < deviations.length; kind += width) {
    largest = Math.max(largest, Math.abs(deviations[kind + a]))
    apart = Math.max(apart, Math.abs(deviations[kind + a] - deviations[kind + b]))
  }
  return largest > 0 && apart <= alikeWithin * largest
}

/** What is far is clipped, and then all of it looks the same: signals that say the same are also as far, unclipped. */
function areAsFar ({ values }: SignalMemory, x: Float64Array, pair: readonly [number, number]): boolean {
  const [a, b] = pair.map(i => (x[i] - values[i * fields + field.mean]) / Math.sqrt(values[i * fields + field.variance]))
  // A signal that never moved before has no unit to be compared in.
  return !Number.isFinite(a) || !Number.isFinite(b) || Math.abs(a - b) <= alikeWithin * Math.max(1, Math.abs(a), Math.abs(b))
}

/** The most of late: on labelled faults of 38-signal servers the largest of the whole fault names its cause more often than the mean (0.91 against 0.85). */
export function keptContributions (before: Float64Array | undefined, now: Float64Array): Float64Array {
  if (before?.length !== now.length) return now
  const kept = now.slice()
  for (let i = 0; i < now.length; i++) kept[i] = Math.max(now[i], contributionKept * before[i])
  return kept
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

interface CauseWords {
  readonly signal: string
  readonly value: number
  readonly low: number
  readonly high: number
  /** The range is that of this time of the season. */
  readonly isSeasonal?: boolean
  /** Further signals that say the same. */
  readonly alike?: readonly string[]
}

/** "errorRatio 0.21, normally 0.00–0.02 at this hour"; of a value inside its range: "cpuUsageRatio 0.41, normally 0.10–0.60, but moved unusually". */
export function causeText ({ signal, value, low, high, isSeasonal = false, alike = [] }: CauseWords): string {
  const write = numbersLike(high - low || Math.abs(value - low) / 100)
  const usual = write(low) === write(high) ? write(low) : `${write(low)}–${write(high)}`
  const inside = value >= low && value <= high
  const others = alike.length > 0 ? ` (and ${alike.join(', ')} alike)` : ''
  return `${signal} ${write(value)}, normally ${usual}${isSeasonal ? ' at this hour' : ''}${inside ? ', but moved unusually' : ''}${others}`
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
