/** A straight line through values in order. */
export interface Trend {
  /** Change from one value to the next. */
  readonly slope: number
  /** The line at the last value, present or not. */
  readonly level: number
}

/** Chance rises like this once in a thousand times. */
const significant = 3
const leastValues = 12

/**
 * The trend of values at equal distances, robust against every fourth of them being wrong: Theil and Sen's median of all slopes, where
 * Mann and Kendall's test says that it is more than chance. O(n²).
 *
 * @param values oldest first; NaN where one is missing.
 * @returns null where there are fewer than 12 values or no trend.
 * @see Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 1968.
 */
export function robustTrend (values: ArrayLike<number>): Trend | null {
  const places = Array.from({ length: values.length }, (_, i) => i).filter(i => !Number.isNaN(values[i]))
  const n = places.length
  if (n < leastValues) return null
  const slopes = new Float64Array(n * (n - 1) / 2)
  let count = 0
  let rises = 0
  for (let j = 1; j < n; j++) {
    for (let i = 0; i < j; i++) {
      const difference = values[places[j]] - values[places[i]]
      rises += Math.sign(difference)
      slopes[count++] = difference / (places[j] - places[i])
    }
  }
  if ((Math.abs(rises) - 1) / Math.sqrt(n * (n - 1) * (2 * n + 5) / 18) < significant) return null
  const slope = medianOf(slopes)
  const intercept = medianOf(Float64Array.from(places, i => values[i] - slope * i))
  return { slope, level: intercept + slope * (values.length - 1) }
}

function medianOf (values: Float64Array): number {
  const sorted = values.toSorted()
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
