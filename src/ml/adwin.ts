/** Values in a row as sums; the sizes are powers of two, and the oldest bucket comes first. */
interface Bucket { readonly size: number, readonly sum: number, readonly squares: number }

/** A window over a stream that is as long as its mean stays the same. */
export interface Adwin { readonly buckets: readonly Bucket[] }

/** Right when a change is seen, `after` still holds some of the values before it; `adwinMean` is what it comes to. */
export interface MeanChange { readonly before: number, readonly after: number }

export const emptyAdwin: Adwin = { buckets: [] }
const mostOfOneSize = 3
/** 3 × 2¹³ values and the smaller ones: four weeks of minutes. What is older is forgotten. */
const largestSize = 2 ** 13
const leastEachSide = 10
/** How often a change may be seen where there is none. */
const confidence = 0.002

/**
 * Takes one more value in, in any unit; where two parts of the window have different means, the older one is dropped. Pure; O(log n) memory.
 *
 * @returns the means before and after the change; null where there was none.
 * @see Bifet and Gavaldà, "Learning from Time-Changing Data with Adaptive Windowing", SDM 2007, algorithm ADWIN2 and its bound for ε.
 */
export function addToAdwin ({ buckets }: Adwin, value: number): { adwin: Adwin, change: MeanChange | null } {
  const merged = compress([...buckets, { size: 1, sum: value, squares: value * value }])
  const cut = findCut(merged)
  if (cut === null) return { adwin: { buckets: merged }, change: null }
  const [before, after] = [merged.slice(0, cut), merged.slice(cut)]
  return { adwin: { buckets: after }, change: { before: meanOf(before), after: meanOf(after) } }
}

export function adwinMean ({ buckets }: Adwin): number {
  return meanOf(buckets)
}

function compress (buckets: Bucket[]): Bucket[] {
  for (let size = 1; size <= largestSize; size *= 2) {
    const first = buckets.findIndex(bucket => bucket.size === size)
    if (first < 0 || buckets.filter(bucket => bucket.size === size).length <= mostOfOneSize) break
    const [a, b] = buckets.slice(first, first + 2)
    const pair = { size: 2 * size, sum: a.sum + b.sum, squares: a.squares + b.squares }
    buckets.splice(first, 2, ...(size === largestSize ? [b] : [pair]))
  }
  return buckets
}

/** Index of the first bucket of the newer part, at the cut that shows the clearest change; null where none shows one. */
function findCut (buckets: readonly Bucket[]): number | null {
  const all = sumOf(buckets)
  if (all.size < 2 * leastEachSide) return null
  const variance = Math.max(0, all.squares / all.size - (all.sum / all.size) ** 2)
  const rounding = 1e-9 * Math.sqrt(all.squares / all.size)
  const logarithm = Math.log(2 * Math.log(all.size) / confidence)
  let newer = { size: 0, sum: 0 }
  let clearest = 1
  let cut = null
  for (let i = buckets.length - 1; i > 0; i--) {
    newer = { size: newer.size + buckets[i].size, sum: newer.sum + buckets[i].sum }
    const older = { size: all.size - newer.size, sum: all.sum - newer.sum }
    if (newer.size < leastEachSide || older.size < leastEachSide) continue
    const harmonic = 1 / (1 / newer.size + 1 / older.size)
    const bound = Math.sqrt(2 / harmonic * variance * logarithm) + 2 / (3 * harmonic) * Math.sqrt(variance) * logarithm
    const clarity = Math.abs(newer.sum / newer.size - older.sum / older.size) / (bound + rounding)
    if (clarity <= clearest) continue
    clearest = clarity
    cut = i
  }
  return cut
}

function sumOf (buckets: readonly Bucket[]): Bucket {
  return buckets.reduce((all, { size, sum, squares }) => ({ size: all.size + size, sum: all.sum + sum, squares: all.squares + squares }), { size: 0, sum: 0, squares: 0 })
}

function meanOf (buckets: readonly Bucket[]): number {
  const { size, sum } = sumOf(buckets)
  return sum / size
}
