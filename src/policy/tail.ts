import { fitGeneralisedPareto, levelQuantile, surpriseOf } from '../ml/peaks-over-threshold.ts'
import type { ParetoFit } from '../ml/peaks-over-threshold.ts'
import { addToSketch, binOf, middleOf, sketchBins, sketchQuantiles } from '../ml/quantile-sketch.ts'

/**
 * How high the scores of calm samples reach, so that each score can be said as a probability: counts up to a high level, the law of the tail beyond it.
 * Fixed space, half a KiB; O(bins) per sample at worst.
 */
export interface Tail {
  /** Shape [bins]: eighths of calm scores, as odds s / (1 − s), the older ones with less weight. */
  readonly counts: Uint16Array
  /** Sum of the counts. */
  readonly total: number
  readonly steps: number
  /** Of the excess over the level; null until enough is known. */
  readonly beyond: ParetoFit & { readonly level: number } | null
}

/** A score counts so much: a single one can then be forgotten bit by bit in whole numbers. */
const unit = 8
/** Fewer scores say nothing in hundredths. */
const leastTotal = 200 * unit
/** Three days of minutes: longer, and what has moved a little is called rare for weeks. */
const horizonTotal = 4320 * unit
/** With so much more the counts are scaled back; a bin of two bytes still holds all of them. */
const surplus = 1.5
/** Scores of training rows weigh like one day: what was learned from the same rows flatters them. */
const trainingTotal = 1440 * unit
/** Level and tail move slowly. */
const refreshSteps = 64
const outside = 1 - levelQuantile

export const emptyTail: Tail = { counts: new Uint16Array(sketchBins), total: 0, steps: 0, beyond: null }

const oddsOf = (score: number) => score / (1 - score)

/** @param odds of the scores of calm rows. */
export function tailFrom (odds: readonly number[]): Tail {
  const counts = new Float32Array(sketchBins)
  for (const value of odds) addToSketch(counts, 0, value)
  const weighed = scaled(counts, Math.min(unit, trainingTotal / odds.length))
  return { ...weighed, steps: 0, beyond: beyondOf(weighed) }
}

/** The tail with one more calm score. Pure. @param score 0 to 1. */
export function nextTail (before: Tail, score: number): Tail {
  const counts = before.counts.slice()
  counts[binOf(oddsOf(score))] += unit
  const seen = { counts, total: before.total + unit, steps: before.steps + 1, beyond: before.beyond }
  if (seen.steps % refreshSteps !== 0) return seen
  const weighed = seen.total > surplus * horizonTotal ? scaled(counts, horizonTotal / seen.total) : seen
  return { ...seen, ...weighed, beyond: beyondOf(weighed) }
}

/** How probable a score at least as high is while the service is calm; null while too little is known. */
export function tailProbability ({ counts, total, beyond }: Tail, score: number): number | null {
  if (total < leastTotal) return null
  const odds = oddsOf(score)
  if (beyond !== null && odds > beyond.level) return outside * 10 ** -surpriseOf(beyond, odds - beyond.level)
  const bin = binOf(odds)
  let above = counts[bin] / 2
  for (let higher = bin + 1; higher < sketchBins; higher++) above += counts[higher]
  return Math.max(outside, above / total)
}

function scaled (counts: Float32Array | Uint16Array, factor: number): Pick<Tail, 'counts' | 'total'> {
  const fewer = Uint16Array.from(counts, count => Math.round(count * factor))
  return { counts: fewer, total: fewer.reduce((sum, count) => sum + count, 0) }
}

function beyondOf ({ counts, total }: Pick<Tail, 'counts' | 'total'>): Tail['beyond'] {
  if (total < leastTotal) return null
  const [level] = sketchQuantiles(counts, 0, [levelQuantile])
  const excesses: number[] = []
  for (let bin = 0; bin < sketchBins; bin++) {
    const excess = middleOf(bin) - level
    if (excess > 0) excesses.push(...Array<number>(Math.round(counts[bin] / unit)).fill(excess))
  }
  return excesses.length > 0 ? { level, ...fitGeneralisedPareto(excesses) } : null
}
