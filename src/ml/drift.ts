/**
 * Whether a distribution has moved: shares of values in fixed bins, window by window, against a slow mean of the windows before.
 * O(1) per value; the state is two counts per bin.
 */
export interface DriftWindows {
  /** Values in the window at hand. */
  readonly count: number
  /** Shape [rows, bins]: counts of the window at hand. */
  readonly current: Uint16Array
  /** Shape [rows, bins]: shares in the windows before, recent ones more, of 65,535; all 0 before the first is whole. */
  readonly reference: Uint16Array
  /** Shape [rows]: population stability index of the last whole window; 0 before the second. */
  readonly index: Float32Array
}

/** Between these and beyond them lie the bins: a standardised value is about uniform over them if it is normal. */
const edges = [-1.5, -0.75, 0, 0.75, 1.5]
const bins = edges.length + 1
/** Of the last window in the reference: what has moved is the new normal after about four windows. */
const renewal = 0.25
/** A share of nothing would make the index infinite. */
const leastShare = 0.005
/** Counts and shares in two bytes each: the state of a service is bounded. */
const whole = 65_535
/** The usual reading: below 0.1 nothing has moved, above 0.25 something has. */
export const driftFrom = 0.25

export function emptyDrift (rows: number): DriftWindows {
  return { count: 0, current: new Uint16Array(rows * bins), reference: new Uint16Array(rows * bins), index: new Float32Array(rows) }
}

/**
 * Counts one value per row. Pure; a value that is not finite is not counted.
 *
 * @param values shape [rows], standardised: about 0 on average with a deviation about 1.
 * @param windowSteps after so many values, at most 65,535, the window is compared and the next one begins.
 */
export function countDrift (before: DriftWindows, values: Float64Array, windowSteps: number): DriftWindows {
  const fits = before.index.length === values.length && before.current instanceof Uint16Array
  const { count, current, reference, index } = fits ? before : emptyDrift(values.length)
  const counted = current.slice()
  for (let row = 0; row < values.length; row++) if (Number.isFinite(values[row])) counted[row * bins + binOf(values[row])]++
  if (count + 1 < Math.min(windowSteps, whole)) return { count: count + 1, current: counted, reference, index }
  const next = emptyDrift(values.length)
  for (let row = 0; row < values.length; row++) {
    const [from, to] = [row * bins, (row + 1) * bins]
    const shares = sharesOf(counted.subarray(from, to))
    const known = Float64Array.from(reference.subarray(from, to), share => share / whole)
    const isFirst = known.every(share => share === 0)
    if (!isFirst && shares) next.index[row] = populationStabilityIndex(known, shares)
    const renewed = shares ? known.map((share, bin) => isFirst ? shares[bin] : share + renewal * (shares[bin] - share)) : known
    next.reference.set(renewed.map(share => Math.round(share * whole)), from)
  }
  return next
}

/**
 * Σ (actual − expected) · ln(actual / expected) over the bins.
 *
 * @param expected shares that add up to 1. @param actual likewise.
 * @returns 0 for equal shares, more the farther they are apart; symmetric.
 */
export function populationStabilityIndex (expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  let sum = 0
  for (let bin = 0; bin < expected.length; bin++) {
    const [e, a] = [Math.max(expected[bin], leastShare), Math.max(actual[bin], leastShare)]
    sum += (a - e) * Math.log(a / e)
  }
  return sum
}

function binOf (value: number): number {
  let bin = 0
  while (bin < edges.length && value > edges[bin]) bin++
  return bin
}

/** Null for a window without values. */
function sharesOf (counts: Uint16Array): Float64Array | null {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return total > 0 ? Float64Array.from(counts, count => count / total) : null
}
