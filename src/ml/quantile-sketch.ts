/**
 * Quantiles of positive numbers between 0.01 and 100 from counts in 256 bins of equal ratio (3.7 % wide). Adding is O(1), asking O(bins).
 */
export const sketchBins = 256
const lowest = 0.01
const perUnit = sketchBins / Math.log(1e4)

/** Two bytes where there are at most 65,535 values. */
type Counts = Float32Array | Uint16Array

/** Counts one value in `[from, from + sketchBins)`; in place. */
export function addToSketch (counts: Counts, from: number, value: number): void {
  counts[from + binOf(value)]++
}

/** The bin of a value: one byte for a number that need not be exact. */
export function binOf (value: number): number {
  return value <= lowest ? 0 : Math.min(sketchBins - 1, Math.floor(Math.log(value / lowest) * perUnit))
}

export function middleOf (bin: number): number {
  return lowest * Math.exp((bin + 0.5) / perUnit)
}

/** Values at ascending `quantiles`, interpolated within a bin; NaN without counts. */
export function sketchQuantiles (counts: Counts, from: number, quantiles: readonly number[]): number[] {
  let total = 0
  for (let i = 0; i < sketchBins; i++) total += counts[from + i]
  const found: number[] = []
  let below = 0
  let bin = 0
  for (const quantile of quantiles) {
    const wanted = quantile * total
    while (bin < sketchBins - 1 && below + counts[from + bin] < wanted) below += counts[from + bin++]
    const inside = counts[from + bin] > 0 ? (wanted - below) / counts[from + bin] : 0
    found.push(total > 0 ? lowest * Math.exp((bin + inside) / perUnit) : NaN)
  }
  return found
}
