import { fitGeneralisedPareto, levelQuantile, surpriseOf } from '../ml/peaks-over-threshold.ts'
import { addToSketch, binOf, sketchBins, sketchQuantiles } from '../ml/quantile-sketch.ts'
import { componentCount, seasonalKinds } from './row-score.ts'

/**
 * How rare each component's values are, learned on the way: a service that nobody trained is judged by the rarest of them.
 * Peaks over threshold, streaming: counts give the high level, a ring of the latest values over it the tail.
 */
export interface Surprise {
  readonly steps: number
  /** Shape [components that speak, bins]; those of one component are halved when they become too many for two bytes. */
  readonly counts: Uint16Array
  /** Shape [components that speak, ring]: latest values over the level; NaN where not filled. */
  readonly extremes: Float32Array
  /** Shape [components that speak]: where the next one goes. */
  readonly next: Uint8Array
  /** Shape [components that speak, 3]: level, shape and scale of the excess over it; level Infinity until enough is known. */
  readonly fits: Float64Array
}

/** Half as many follow the tail too nervously, twice as many cost state and gain nothing (Numenta benchmark: 61, 64, 64). */
const ring = 128
const leastSteps = 100
/** Level and fit move slowly: they are renewed every 16 steps. */
const refreshSteps = 16
const leastExtremes = 3
/** With fewer values over the level, its excess is taken to be a third of it. */
const unknownScale = 0.3
const outside = -Math.log10(1 - levelQuantile)

/**
 * Components that speak for an untrained service: level, step, season and the forest. Residual and drift rise with them, and with every slow change
 * of the load as well: they add more false alarms than they find (Numenta benchmark: 59 with them, 64 without).
 */
const spoken = [0, 2, 3, 5]

export function emptySurprise (): Surprise {
  return {
    steps: 0,
    counts: new Uint16Array(spoken.length * sketchBins),
    extremes: new Float32Array(spoken.length * ring).fill(NaN),
    next: new Uint8Array(spoken.length),
    fits: new Float64Array(spoken.length * 3).fill(Infinity)
  }
}

/** −log₁₀ of the probability of each component; 0 for what is not known. Shape [components]. */
export function surprises ({ fits }: Surprise, components: Float64Array): Float64Array {
  const found = new Float64Array(componentCount)
  for (const [row, c] of spoken.entries()) {
    const [level, shape, scale] = fits.subarray(3 * row, 3 * row + 3)
    if (!(components[c] > 0) || level === Infinity) continue
    found[c] = components[c] <= level ? components[c] / level * outside : outside + surpriseOf({ shape, scale }, components[c] - level)
  }
  return found
}

/** What an earlier release kept has other rows or larger counts; it is begun anew. */
export const presentSurprise = (kept: Surprise | null) => kept?.next.length === spoken.length && kept.counts instanceof Uint16Array ? kept : emptySurprise()

/** Counts one row. Pure. */
export function observe (surprise: Surprise, components: Float64Array): Surprise {
  const counts = surprise.counts.slice()
  const extremes = surprise.extremes.slice()
  const next = surprise.next.slice()
  for (const [row, c] of spoken.entries()) {
    // Exactly 0 is what a constant signal says, and what a kind says that knows nothing yet: it tells nothing of the tail.
    if (!(components[c] > 0)) continue
    countOrHalve(counts.subarray(row * sketchBins, (row + 1) * sketchBins), components[c])
    if (!(components[c] > surprise.fits[3 * row])) continue
    extremes[row * ring + next[row]] = components[c]
    next[row] = (next[row] + 1) % ring
  }
  const seen = { ...surprise, counts, extremes, next, steps: surprise.steps + 1 }
  return seen.steps >= leastSteps && seen.steps % refreshSteps === 0 ? { ...seen, fits: refit(seen) } : seen
}

const mostOfBin = 65_535

function countOrHalve (counts: Uint16Array, value: number): void {
  if (counts[binOf(value)] === mostOfBin) for (let bin = 0; bin < sketchBins; bin++) counts[bin] >>= 1
  addToSketch(counts, 0, value)
}

function refit ({ counts, extremes }: Surprise): Float64Array {
  const fits = new Float64Array(spoken.length * 3).fill(Infinity)
  for (const [row, c] of spoken.entries()) {
    const [quantile] = sketchQuantiles(counts, row * sketchBins, [levelQuantile])
    // What never moved has no tail: then a whole deviation is already over the level.
    const level = Number.isNaN(quantile) && !seasonalKinds.includes(c) ? 1 : quantile
    if (Number.isNaN(level)) continue
    const excesses = extremes.subarray(row * ring, (row + 1) * ring).filter(value => value > level).map(value => value - level)
    const { shape, scale } = excesses.length < leastExtremes ? { shape: 0, scale: unknownScale * level } : fitGeneralisedPareto(excesses)
    fits.set([level, shape, scale], 3 * row)
  }
  return fits
}
