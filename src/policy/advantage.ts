import type { Lesson } from './tuning-record.ts'

/** Two states this far apart in each of the ten inputs count for each other as exp(−1/2). */
const bandwidth = 0.08
/** Other results in similar states, counted by their similarity, below which nothing can be compared. */
const leastEvidence = 3

/**
 * How much each lesson should pull the network towards its configuration. A known best configuration counts 1. A result counts by how far it
 * lies above what the same service reached in similar states (0 at the average or below, 1 from two standard deviations on), and not at all
 * without enough similar results: a good result in an easy hour teaches nothing.
 *
 * @returns shape [lessons], each 0 to 1.
 * @see Peng et al., "Advantage-weighted regression", arXiv 1910.00177; the baseline is Nadaraya and Watson's kernel mean, the lesson itself left out.
 */
export function lessonWeights (lessons: readonly Lesson[]): Float64Array {
  const results = lessons.filter(({ performance }) => !Number.isNaN(performance))
  return Float64Array.from(lessons, lesson => {
    if (Number.isNaN(lesson.performance)) return 1
    const { evidence, mean, deviation } = baseline(lesson, results)
    if (evidence < leastEvidence || deviation === 0) return 0
    return Math.min(1, Math.max(0, (lesson.performance - mean) / (2 * deviation)))
  })
}

function baseline (lesson: Lesson, results: readonly Lesson[]): { evidence: number, mean: number, deviation: number } {
  let evidence = 0
  let mean = 0
  let squares = 0 // West's weighted form of Welford's update
  for (const other of results) {
    if (other === lesson) continue
    const similarity = Math.exp(-distance(lesson.x, other.x) / (2 * bandwidth ** 2))
    if (similarity < 1e-6) continue
    evidence += similarity
    const difference = other.performance - mean
    mean += difference * similarity / evidence
    squares += similarity * difference * (other.performance - mean)
  }
  return { evidence, mean, deviation: evidence > 0 ? Math.sqrt(Math.max(0, squares) / evidence) : 0 }
}

/** Mean squared difference of the inputs. */
function distance (x: ArrayLike<number>, other: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += (x[i] - other[i]) ** 2
  return sum / x.length
}
