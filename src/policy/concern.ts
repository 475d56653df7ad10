import type { AnomalyRules, Direction, Expectation, SignalRule } from '../domain.ts'
import { expectedRange, type SignalMemory } from '../features/signal-memory.ts'

export interface Concerns {
  readonly anomalies?: Pick<AnomalyRules, 'signals'> | undefined
  readonly expected?: readonly Expectation[] | undefined
}

interface Measured {
  /** As it was when the sample was measured. */
  readonly memory: SignalMemory
  readonly x: Float64Array
  readonly position: number
}

/** What was called normal may come back a little larger. */
const expectedMargin = 1.25
/** A third of the way from the middle to the end of the usual range is about one deviation: less is no direction. */
const leastWayOut = 1 / 3

/**
 * Deviations without those that nobody cares about: of signals that moved the other way or too little, or as somebody has called normal.
 * They count neither for the score nor as causes. A signal that has come back from there has done nothing unusual either.
 *
 * @param deviations shape [kinds, signals]; left as it was.
 */
export function concerning (deviations: Float64Array, { memory, x, position }: Measured, { anomalies, expected = [] }: Concerns): Float64Array {
  if (expected.length === 0 && Object.keys(anomalies?.signals ?? {}).length === 0) return deviations
  const left = deviations.slice()
  const width = x.length
  for (const [i, signal] of memory.signals.entries()) {
    const rule = anomalies?.signals[signal]
    const allowed = expected.filter(one => one.signal === signal)
    if ((!rule && allowed.length === 0) || Number.isNaN(x[i])) continue
    const { low, high } = expectedRange(memory, i, position)
    const place = { x: x[i], low, high, middle: (low + high) / 2 }
    const silent = allowed.some(one => isExpected(place, one)) || (rule !== undefined && !concerns(place, rule))
    const direction = rule?.direction ?? 'both'
    for (let at = i; at < left.length; at += width) if (silent || !pointsTo(direction, left[at])) left[at] = 0
  }
  return left
}

interface PlaceInRange { readonly x: number, readonly low: number, readonly high: number, readonly middle: number }

function concerns ({ x, low, high, middle }: PlaceInRange, { direction, minimumDeviation }: SignalRule): boolean {
  const least = 'absolute' in minimumDeviation ? minimumDeviation.absolute : minimumDeviation.relative * Math.abs(middle)
  if (Math.abs(x - middle) < least) return false
  if (direction === 'up') return x > middle + leastWayOut * (high - middle)
  return direction === 'both' || x < middle - leastWayOut * (middle - low)
}

/** What was called normal widens the usual range to that side. */
function isExpected ({ x, low, high, middle }: PlaceInRange, { direction, size }: Expectation): boolean {
  const reach = size * expectedMargin
  const from = direction === 'up' ? low : Math.min(low, middle - reach)
  const to = direction === 'down' ? high : Math.max(high, middle + reach)
  return x >= from && x <= to
}

function pointsTo (direction: Direction, deviation: number): boolean {
  return direction === 'both' || (direction === 'up' ? deviation > 0 : deviation < 0)
}
