import { emptyIncrementalForest, isGrown, learnRow, scoreIncrementally } from '../ml/incremental-forest.ts'
import type { IncrementalForest, IncrementalShape } from '../ml/incremental-forest.ts'
import { addToSketch, binOf, middleOf, sketchBins, sketchQuantiles } from '../ml/quantile-sketch.ts'
import { calibrationOf, componentCount, forestComponent, isSaid, mapped, rowScore } from './row-score.ts'
import type { Calibration } from './row-score.ts'
import { smoothingSteps, standardFrom } from './standard.ts'
import type { Standard } from './standard.ts'

/**
 * What a service that nobody trained gathers until it can be judged by a standard of its own. Three parts, each of calm samples alone:
 * a season passes, so that its deviations are known; a forest grows and the components are counted; their scores are kept, for the tail.
 */
export interface Study {
  /** Epoch ms of the first sample. */
  readonly since: number
  readonly forest: IncrementalForest
  /** Shape [components, bins]; empty before the second part and after it. */
  readonly counts: Uint16Array
  readonly counted: number
  /** Null until the second part is over. */
  readonly calibration: Calibration | null
  /** Of the latest row scores, before they are smoothed. */
  readonly recentScores: Float64Array
  /** Smoothed scores of the third part, each as its bin of equal ratio, 3.7 % wide. */
  readonly scores: Uint8Array
}

export interface StudyOptions {
  readonly at: number
  readonly stepSeconds: number
  readonly seasonSeconds: number | null
  /** False alarms wanted in one step. */
  readonly rate: number
}

/** In 3 to 5 KiB. On labelled telemetry one of 100 trees of 256 rows is no better (README, "Measured"). */
const liveForest: IncrementalShape = { trees: 24, sampleRows: 32, heldRows: 64, horizon: 20_160 }
/** Fewer rows know nothing of their tail. */
const leastRows = 1000
const mostScores = 2880
const scoreSeconds = 2 * 86_400
/** Of `leastRows`: what the forest says before is young. */
const youngShare = 0.5
/** Counts of two bytes hold no more. */
const mostCounted = 60_000

export function startStudy (at: number): Study {
  return {
    since: at,
    forest: emptyIncrementalForest(liveForest),
    counts: new Uint16Array(0),
    counted: 0,
    calibration: null,
    recentScores: new Float64Array(smoothingSteps),
    scores: new Uint8Array(0)
  }
}

/**
 * The study with one more calm sample. Pure.
 *
 * @param row of `rowFeatures`. @param components with anything in the place of the forest's.
 */
export function nextStudy (study: Study, { row, components, steps }: { row: Float64Array, components: Float64Array, steps: number }, options: StudyOptions): Study {
  const seasons = (options.at - study.since) / (1000 * (options.seasonSeconds ?? Number.MIN_VALUE))
  if (seasons < 1 || steps < leastRows) return study
  const forest = learnRow(study.forest, row)
  if (!isGrown(study.forest) || forest.turn < youngShare * leastRows) return { ...study, forest }
  const own = components.with(forestComponent, scoreIncrementally(study.forest, row))
  if (study.calibration !== null) return withScore({ ...study, forest }, own)
  const counts = study.counted < mostCounted ? counted(study.counts, own) : study.counts
  const next = { ...study, forest, counts, counted: Math.min(study.counted + 1, mostCounted) }
  if (next.counted < leastRows || seasons < 2) return next
  return { ...next, counts: new Uint16Array(0), calibration: calibrationFrom(counts) }
}

/** The standard at the end of a study; null before. @param signals their number. */
export function standardOf ({ calibration, scores }: Study, signals: number, { stepSeconds, rate }: StudyOptions): Standard | null {
  const wanted = Math.min(mostScores, Math.max(leastRows, Math.round(scoreSeconds / stepSeconds)))
  if (calibration === null || scores.length < wanted) return null
  return standardFrom(Array.from(scores, middleOf), { calibration, rate, signals, follows: true })
}

function counted (before: Uint16Array, components: Float64Array): Uint16Array {
  const counts = before.length > 0 ? before.slice() : new Uint16Array(componentCount * sketchBins)
  for (let c = 0; c < componentCount; c++) {
    if (isSaid(components[c], c)) addToSketch(counts, c * sketchBins, components[c])
  }
  return counts
}

function calibrationFrom (counts: Uint16Array): Calibration {
  return calibrationOf(c => {
    const [median, high] = sketchQuantiles(counts, c * sketchBins, [0.5, 0.99])
    return { median, high, seen: counts.subarray(c * sketchBins, (c + 1) * sketchBins).reduce((sum, count) => sum + count, 0) }
  })
}

function withScore (study: Study, components: Float64Array): Study {
  const { calibration, recentScores, scores } = study
  const recent = recentScores.with(scores.length % smoothingSteps, rowScore(mapped(components, calibration!)))
  const next = new Uint8Array(scores.length + 1)
  next.set(scores)
  next[scores.length] = binOf(recent.reduce((sum, score) => sum + score, 0) / smoothingSteps)
  return { ...study, recentScores: recent, scores: next }
}
