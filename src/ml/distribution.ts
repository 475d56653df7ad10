/**
 * What a model expects, as weighted samples. `values[0..size)` ascend and `weights[0..size)` add up to 1; the arrays are
 * scratch space that may be longer, so that one object serves a hot loop.
 */
export interface Distribution {
  size: number
  values: Float64Array
  weights: Float64Array
}

export function createDistribution (capacity: number): Distribution {
  return { size: 0, values: new Float64Array(capacity), weights: new Float64Array(capacity) }
}

/** Makes room for at least `capacity` samples; what was in it may be gone. */
export function reserve (distribution: Distribution, capacity: number): void {
  if (distribution.values.length >= capacity) return
  distribution.values = new Float64Array(capacity)
  distribution.weights = new Float64Array(capacity)
}

/**
 * The smallest value below or at which at least the share q of the weight lies, for each q.
 *
 * @param quantiles each in [0, 1]; ascending is fastest, any order works.
 * @throws RangeError if the distribution is empty or a quantile lies outside of 0 to 1.
 */
export function quantilesOf (distribution: Distribution, quantiles: readonly number[],
  out: Float64Array = new Float64Array(quantiles.length)): Float64Array {
  const { size, values, weights } = distribution
  if (size === 0) throw new RangeError('An empty distribution has no quantiles.')
  let at = 0
  let below = 0
  for (let k = 0; k < quantiles.length; k++) {
    const q = quantiles[k]
    if (!(q >= 0 && q <= 1)) throw new RangeError(`A quantile lies between 0 and 1, got ${q}.`)
    if (k > 0 && q < quantiles[k - 1]) at = below = 0
    // The sum of 640 weights of 1/640 is not exactly 1: what rounding lost must not cost the last value.
    while (at < size - 1 && below + weights[at] < q - 1e-9) below += weights[at++]
    out[k] = values[at]
  }
  return out
}

export function meanOf ({ size, values, weights }: Distribution): number {
  let sum = 0
  for (let i = 0; i < size; i++) sum += values[i] * weights[i]
  return sum
}

/**
 * The mixture of two distributions, for example of a forest and of a regression with a forest on its residuals
 * (then `shiftB` is what the regression predicts).
 *
 * @param shiftA added to every value of a. @param weightA the share of a, 0 to 1; b has the rest.
 * @param out must be neither a nor b.
 */
export function mixDistributions (a: Distribution, b: Distribution,
  { shiftA = 0, shiftB = 0, weightA = 0.5, out = createDistribution(a.size + b.size) } = {}): Distribution {
  reserve(out, a.size + b.size)
  const { values, weights } = out
  const weightB = 1 - weightA
  let i = 0
  let j = 0
  let size = 0
  while (i < a.size || j < b.size) {
    const valueA = i < a.size ? a.values[i] + shiftA : Infinity
    const valueB = j < b.size ? b.values[j] + shiftB : Infinity
    if (valueA <= valueB) {
      values[size] = valueA
      weights[size++] = a.weights[i++] * weightA
    } else {
      values[size] = valueB
      weights[size++] = b.weights[j++] * weightB
    }
  }
  out.size = size
  return out
}
