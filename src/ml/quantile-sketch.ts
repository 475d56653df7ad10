/**
 * Quantiles of positive numbers between 0.01 and 100 from counts in 256 bins of equal ratio (3.7 % wide). Adding is O(1), asking O(bins).
 */
export const sketchBins = 256
const lowest = 0.01
const perUnit = sketchBins / Math.log(1e4)

/** Counts one value in `[from, from + sketchBins)`; in place. */
export function addToSketch (counts: Float32Array, from: number, value: number): void {
  const bin = value <= lowest ? 0 : Math.min(sketchBins - 1, Math.floor(Math.log(value / lowest) * perUnit))
  counts[from + bin]++
}

/** Values at ascending `quantiles`, interpolated within a bin; NaN without counts. */
export function sketchQuantiles (counts: Float32Array, from: number, quantiles: readonly number[]): number[] {
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
