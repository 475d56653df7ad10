import { describe, expect, it } from 'vitest'
import { lessonWeights } from '../../src/policy/advantage.ts'
import type { Lesson } from '../../src/policy/tuning-record.ts'

const state = (value: number) => new Array(10).fill(value)
const places = [0.5, 0.5, 0.5, 0.5, 0.5]
const result = (performance: number, x = state(0.5)): Lesson => ({ x, places, performance })

describe('what a result teaches', () => {
  it('is nothing at the average or below, and more the further it lies above', () => {
    const weights = lessonWeights([50, 50, 50, 50, 40, 60, 55].map(value => result(value)))
    // The others around 60: mean 49.2, deviation 4.5; 60 is 2.4 deviations above → 1. Around 55: mean 50, deviation 5.8; (55 − 50) / 11.5 = 0.43.
    expect(weights[4]).toBe(0)
    expect(weights[5]).toBe(1)
    expect(weights[6]).toBeCloseTo(0.43, 2)
  })

  it('is nothing before three similar results exist', () => {
    expect(Array.from(lessonWeights([50, 45, 99].map(value => result(value))))).toEqual([0, 0, 0])
    expect(lessonWeights([50, 45, 48, 99].map(value => result(value)))[3]).toBe(1)
  })

  it('compares with similar states only: a usual result of an easy hour is not better than one of a hard hour', () => {
    const hard = [30, 31, 29, 30].map(value => result(value, state(0.9)))
    const easy = [90, 91, 89, 90].map(value => result(value, state(0.1)))
    const weights = lessonWeights([...hard, ...easy])
    // 31 among 30, 29, 30 and 91 among 90, 89, 90 are the good ones; 90 is merely usual.
    expect(weights[1]).toBe(1)
    expect(weights[5]).toBe(1)
    expect(weights[4]).toBe(0)
  })

  it('is nothing when all results are equal', () => {
    expect(Array.from(lessonWeights(new Array(6).fill(0).map(() => result(70))))).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('is everything for a known best configuration', () => {
    expect(Array.from(lessonWeights([{ x: state(0.5), places, performance: NaN }]))).toEqual([1])
  })
})
