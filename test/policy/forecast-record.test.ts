import { describe, expect, it } from 'vitest'
import { forecastProbabilities } from '../../src/ml/forecaster.ts'
import { calibrationOf, comeDue, nextCalibration, noCalibration, openForecast, pinballLoss, type OpenForecast } from '../../src/policy/forecast-record.ts'
import type { Outlook } from '../../src/policy/scaling-state.ts'

const minute = 60_000
/** The quantile p is the number p: the load is e^p times the level. */
const outlook = (horizonSteps: number) => ({ horizonSteps, level: 100, quiet: 0, quantiles: Float64Array.from(forecastProbabilities) }) as unknown as Outlook
const openedAt = (minutes: readonly number[], horizonSteps: number) => minutes.reduce<readonly OpenForecast[]>((open, at) =>
  openForecast(open, { at: at * minute, stepMs: minute, outlook: outlook(horizonSteps), said: [] }), [])

describe('an open forecast', () => {
  it('is compared with the largest load of its horizon once that has passed', () => {
    let open = openedAt([1], 3)
    const came: number[] = []
    for (const [at, load] of [[2, 150], [3, 200], [4, 120]]) {
      const step = comeDue(open, { at: at * minute, load })
      open = step.open
      came.push(...step.outcomes.map((outcome) => outcome.came))
    }
    // ln (200 / 100), at minute 1 + 3
    expect(came).toEqual([Math.log(2)])
    expect(open).toEqual([])
  })

  it('is not compared where a gap may hide the largest', () => {
    const { open, outcomes } = comeDue(openedAt([1, 2, 3], 3), { at: 4 * minute, load: null })
    expect({ open, outcomes }).toEqual({ open: [], outcomes: [] })
  })

  it('is one of four at most, and of a long horizon every eighth is opened', () => {
    expect(openedAt([1, 2, 3], 3).map(({ until }) => until / minute)).toEqual([4, 5, 6])
    // ceil(31 / 4) = 8
    expect(openedAt(Array.from({ length: 31 }, (_, i) => i + 1), 31).map(({ until }) => until / minute)).toEqual([32, 40, 48, 56])
    expect(openedAt([1, 1.01, 2.02], 1).map(({ until }) => until / minute)).toEqual([2, 3.02])
  })
})

describe('the calibration', () => {
  const outcome = (came: number) => ({ came, decided: Float32Array.from(forecastProbabilities), said: [] })

  it('says how often what came lay at or below each quantile', () => {
    const outcomes = Array.from({ length: 200 }, (_, i) => outcome(i / 200 - 1e-6))
    const { forecasts, coverage } = calibrationOf(nextCalibration(noCalibration, outcomes))!
    expect(forecasts).toBe(200)
    // Came is uniform from 0 to 1, so that the quantile p covers the share p.
    for (const { quantile, share } of coverage) expect(share).toBeCloseTo(quantile, 1)
    expect(coverage.map(({ quantile }) => quantile)).toEqual([0.5, 0.9, 0.95, 0.99])
  })

  it('forgets slowly what was long ago', () => {
    const good = nextCalibration(noCalibration, Array(5000).fill(outcome(0)))
    const worse = nextCalibration(good, Array(1000).fill(outcome(2)))
    // (1 − 1/1000)^1000
    expect(calibrationOf(worse)!.coverage[0].share).toBeCloseTo(0.368, 2)
  })

  it('is none before the first forecast has come due', () => {
    expect(calibrationOf(noCalibration)).toBeNull()
    expect(nextCalibration(noCalibration, [])).toBe(noCalibration)
  })
})

describe('the pinball loss', () => {
  it('is the mean over the quantiles of what each is wrong by, weighed by its probability', () => {
    const probabilities = forecastProbabilities
    const above = probabilities.reduce((sum, p) => sum + p, 0) / probabilities.length
    expect(pinballLoss(Array(24).fill(0), 1)).toBeCloseTo(above, 12)
    expect(pinballLoss(Array(24).fill(0), -1)).toBeCloseTo(1 - above, 12)
    expect(pinballLoss(Array(24).fill(0.3), 0.3)).toBe(0)
  })
})
