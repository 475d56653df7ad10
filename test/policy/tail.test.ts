import { describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { emptyTail, nextTail, tailFrom, tailProbability } from '../../src/policy/tail.ts'
import type { Tail } from '../../src/policy/tail.ts'

/** Scores whose odds are e^(0.5 n − 1) with n from the normal distribution, so that their tail is known; `shift` moves them. */
function scores (count: number, { seed = 1, shift = 0 } = {}): number[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => Math.exp(0.5 * normal(random) - 1 + shift)).map(odds => odds / (1 + odds))
}
const learn = (given: readonly number[], tail = emptyTail) => given.reduce<Tail>((before, score) => nextTail(before, score), tail)
const shareBelow = (tail: Tail, given: readonly number[], most: number) => given.filter(score => tailProbability(tail, score)! <= most).length / given.length

describe('The probability of a score while all is calm', () => {
  const tail = learn(scores(4000))

  it.each([0.5, 0.1, 0.02, 0.002])('is at most %d for so many of other calm scores', (most) => {
    // 50,000 scores are exact enough, 4,000 to learn from leave a fifth of what is in the tail.
    const share = shareBelow(tail, scores(50_000, { seed: 2 }), most)
    expect(share).toBeGreaterThan(0.7 * most)
    expect(share).toBeLessThan(1.4 * most)
  })

  it('falls with every higher score, and is never 0', () => {
    const probabilities = [0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.999].map(score => tailProbability(tail, score)!)
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a))
    expect(probabilities[0]).toBeGreaterThan(0.9)
    expect(probabilities.at(-1)).toBeGreaterThan(0)
    expect(probabilities.at(-1)).toBeLessThan(1e-5)
  })

  it('is not known before 200 scores', () => {
    expect(tailProbability(learn(scores(199)), 0.5)).toBeNull()
    expect(tailProbability(learn(scores(200)), 0.5)).not.toBeNull()
  })

  it('is known at once from training scores, which count for a day and are outweighed by what comes', () => {
    const trained = tailFrom(scores(20_000).map(score => score / (1 - score)))
    expect(shareBelow(trained, scores(5000, { seed: 3 }), 0.1)).toBeCloseTo(0.1, 1)
    // One and a half deviations higher: nearly half of them lie above what a tenth did.
    const moved = (seed: number) => scores(6000, { seed, shift: 0.75 })
    expect(shareBelow(trained, moved(4), 0.1)).toBeGreaterThan(0.4)
    expect(shareBelow(learn(moved(4), learn(moved(5), trained)), moved(6), 0.1)).toBeLessThan(0.15)
  })

  it('needs half a KiB however long it runs, and leaves what it was given as it was', () => {
    const long = learn(scores(30_000))
    expect(long.counts.byteLength).toBe(512)
    expect(long.total).toBe(long.counts.reduce((sum, count) => sum + count, 0))
    const before = structuredClone(long)
    nextTail(long, 0.9)
    expect(long).toEqual(before)
  })
})
