import type { Signals } from '../domain.ts'
import { readSeries, type Series } from './series.ts'
import type { CompiledMappings, Formula, Operand } from './selectors.ts'

/** What the living series of one selector add up to. */
interface Total { count: number, nonZero: number, sum: number, least: number, largest: number, readonly buckets: Map<number, number> }

/** The signals at the end of a closed step. A signal without a value has no key. */
export function readSignals (series: Iterable<Series>, { selectors, formulas }: CompiledMappings, end: number, stepMs: number): Signals {
  const totals = selectors.map((): Total => ({ count: 0, nonZero: 0, sum: 0, least: Infinity, largest: -Infinity, buckets: new Map() }))
  for (const one of series) {
    const { value, perSecond } = readSeries(one, end, stepMs)
    for (const i of one.selectors) {
      const reading = selectors[i].kind === 'counter' ? perSecond : value
      if (reading !== null) addReading(totals[i], reading, selectors[i].buckets ? one.bound : null)
    }
  }
  const signals: Record<string, number> = {}
  for (const formula of formulas) {
    if (formula.signal in signals) continue
    const value = compute(formula, totals)
    if (value !== null && Number.isFinite(value)) signals[formula.signal] = value
  }
  return signals
}

function addReading (total: Total, reading: number, bound: number | null): void {
  total.count++
  if (reading !== 0) total.nonZero++
  total.sum += reading
  total.least = Math.min(total.least, reading)
  total.largest = Math.max(total.largest, reading)
  if (bound !== null) total.buckets.set(bound, (total.buckets.get(bound) ?? 0) + reading)
}

function compute ({ value, per, zeroWhenAbsent, scale, complement }: Formula, totals: readonly Total[]): number | null {
  const divisor = per ? read(per, totals) : 1
  if (divisor === null || divisor === 0) return null
  const dividend = read(value, totals) ?? (zeroWhenAbsent ? 0 : null)
  if (dividend === null) return null
  const ratio = dividend / divisor * scale
  // Clocks of counters jitter: an idle share of 1.0002 is 1.
  return complement ? Math.max(0, 1 - ratio) : ratio
}

function read (operand: Operand, totals: readonly Total[]): number | null {
  if (operand.kind === 'mean') {
    const { sum } = totals[operand.sum]
    const { sum: count } = totals[operand.count]
    return count > 0 ? sum / count : null
  }
  if (operand.kind === 'quantile') return bucketQuantile(totals[operand.selector].buckets, operand.quantile)
  const total = totals[operand.selector]
  if (total.count === 0) return null
  switch (operand.aggregate) {
    case 'sum': return total.sum
    case 'mean': return total.sum / total.count
    case 'max': return total.largest
    case 'min': return total.least
    // As in count(up == 1): where nothing is left to be counted there is no value, and not 0.
    case 'count': return total.nonZero > 0 ? total.nonZero : null
  }
}

/**
 * The quantile of classic buckets, linear within a bucket.
 *
 * @param buckets upper bound → observations (or their rate) not above it.
 * @returns null without observations or without a bucket `+Inf`; the highest finite bound when the quantile lies above it.
 * @see histogram_quantile of Prometheus, promql/quantile.go, bucketQuantile.
 */
export function bucketQuantile (buckets: ReadonlyMap<number, number>, quantile: number): number | null {
  const bounds = [...buckets.keys()].sort((a, b) => a - b)
  if (bounds.length < 2 || bounds.at(-1) !== Infinity) return null
  // Rates of a scrape that fell between two observations can make a higher bucket smaller.
  let highest = 0
  const cumulative = bounds.map((bound) => (highest = Math.max(highest, buckets.get(bound) ?? 0)))
  if (highest === 0) return null
  const rank = quantile * highest
  const i = cumulative.findIndex((count) => count >= rank)
  if (i === bounds.length - 1) return bounds[i - 1]
  if (i === 0 && bounds[0] <= 0) return bounds[0]
  const start = i === 0 ? 0 : bounds[i - 1]
  const before = i === 0 ? 0 : cumulative[i - 1]
  return start + (bounds[i] - start) * (rank - before) / (cumulative[i] - before)
}
