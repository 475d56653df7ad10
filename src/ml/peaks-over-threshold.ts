import { addToSketch, sketchBins, sketchQuantiles } from './quantile-sketch.ts'

/** A shape fitted to a hundred values is rough; beyond these bounds it is an artefact (−0.2: a tail that ends soon; 0.5: hardly a variance). */
const shapeBounds = { least: -0.2, most: 0.5 }
const leastForShape = 16
/** The tail law holds over a high level: this quantile leaves enough values to fit it. */
export const levelQuantile = 0.98

export interface ParetoFit { readonly shape: number, readonly scale: number }

/**
 * Generalised Pareto distribution by probability-weighted moments, which have a closed form and stay sane for few values.
 *
 * @param excesses values over a level, minus it; at least one.
 * @see Hosking and Wallis, "Parameter and Quantile Estimation for the Generalized Pareto Distribution", Technometrics 1987.
 */
export function fitGeneralisedPareto (excesses: ArrayLike<number>): ParetoFit {
  const sorted = Float64Array.from(excesses).sort()
  const n = sorted.length
  let mean = 0
  let weighted = 0
  for (let i = 0; i < n; i++) {
    mean += sorted[i] / n
    weighted += sorted[i] * (1 - (i + 0.65) / n) / n
  }
  const spread = mean - 2 * weighted
  const raw = n < leastForShape || spread <= 0 ? 0 : 2 - mean / spread
  const shape = Math.max(shapeBounds.least, Math.min(shapeBounds.most, raw))
  return { shape, scale: mean * (1 - shape) }
}

/** Excursions over the level that are closer than this are one: an alarm that lasts ten steps is one alarm. */
const separateSteps = 10

/**
 * The score that excursions of a stationary series exceed at a wanted rate, by the tail of their peaks.
 *
 * @param scores in the order of time.
 * @param ratePerStep alarms wanted in one step, for instance 7 a week in steps of a minute: 7 / 10,080.
 * @see Siffer, Fouque, Termier and Largouët, "Anomaly Detection in Streams with Extreme Value Theory", KDD 2017 (there of single values).
 */
export function peaksOverThreshold (scores: readonly number[], ratePerStep: number): number {
  const counts = new Float32Array(sketchBins)
  for (const score of scores) addToSketch(counts, 0, score)
  const [level] = sketchQuantiles(counts, 0, [levelQuantile])
  const excesses = peaksOver(scores, level).map(peak => peak - level)
  const ratio = excesses.length / scores.length / ratePerStep
  return ratio <= 1 ? level : level + excessAt(fitGeneralisedPareto(excesses), 1 / ratio)
}

function peaksOver (scores: readonly number[], level: number): number[] {
  const peaks: number[] = []
  let lastAbove = -Infinity
  for (const [i, score] of scores.entries()) {
    if (!(score > level)) continue
    if (i - lastAbove >= separateSteps) peaks.push(score)
    else peaks[peaks.length - 1] = Math.max(peaks[peaks.length - 1], score)
    lastAbove = i
  }
  return peaks
}

/** The excess that a value over the level exceeds with this probability. */
function excessAt ({ shape, scale }: ParetoFit, probability: number): number {
  return Math.abs(shape) < 1e-9 ? -scale * Math.log(probability) : scale / shape * (probability ** -shape - 1)
}

/** −log₁₀ of the probability that a value over the level exceeds this excess; at most 15. */
export function surpriseOf ({ shape, scale }: ParetoFit, excess: number): number {
  if (Math.abs(shape) < 1e-9) return Math.min(15, excess / scale / Math.LN10)
  const ratio = 1 + shape * excess / scale
  return ratio > 0 ? Math.min(15, Math.log10(ratio) / shape) : 15
}
