import { describe, expect, it } from 'vitest'
import { leastHeldBack, trainLocal, type LocalTask } from '../../src/learning/train-local.ts'
import { createRandom } from '../../src/ml/random.ts'
import { LoadForecaster } from '../../src/ml/forecaster.ts'
import { loadFeatureNames } from '../../src/features/load-features.ts'
import { generateWorkload } from '../../training/generate-workloads.ts'
import { smallWorkload, trainedOn } from '../support/scaling.ts'

const { loads, startAt, stepSeconds, seasonSeconds, capacity } = smallWorkload()
const ofAnother = trainedOn(generateWorkload('other', { seed: 11, steps: 1000 }), { steps: 300 }).toBytes()

const taskOf = (more: Partial<LocalTask> = {}): LocalTask => ({
  startAt: (startAt + stepSeconds) * 1000,
  stepSeconds,
  seasonSeconds,
  loads: loads.subarray(0, 2000),
  horizonSteps: 3,
  capacity,
  rows: 800,
  seed: 1,
  version: 'local/1',
  rival: { version: 'forecast 1', bytes: ofAnother, seenUntil: null },
  ...more
})
const learned = (task: LocalTask) => {
  const result = trainLocal(task)
  if (result.status !== 'learned') throw new Error(`Expected a model, got ${JSON.stringify(result)}.`)
  return result
}

describe('a model of one service', () => {
  it('is learned where it is better than the model in use on loads that neither has seen', () => {
    const { heldBack, bytes, rows } = learned(taskOf())

    // A fifth of 2,000, without the three whose horizon has not passed; some steps of the workload are gaps.
    expect(heldBack.forecasts).toBeGreaterThan(360)
    expect(heldBack.forecasts).toBeLessThanOrEqual(397)
    expect(heldBack.loss).toBeLessThan(0.97 * heldBack.rivalLoss)
    expect(rows).toBe(800)
    expect(LoadForecaster.fromBytes(bytes, 'local/1').features).toEqual(loadFeatureNames)
  })

  it('is learned in the season that shows in the loads, and the model in use is asked in its own', () => {
    const random = createRandom(3)
    const fifthOfADay = Float64Array.from({ length: 2000 }, (_, step) => 1000 + 500 * Math.sin(2 * Math.PI * step / 288) + 30 * random())
    const task = taskOf({ loads: fifthOfADay, seasonSeconds: 86_400 })
    const { bytes } = learned(task)

    const model = LoadForecaster.fromBytes(bytes, 'local/1')
    expect(model.seasonSeconds).toBe(86_400 / 5)
    // Its own past is no better than itself, in whichever season it would wrongly be asked.
    expect(trainLocal({ ...task, rival: { version: 'local/1', bytes, seenUntil: null } }).status).toBe('not-better')
  })

  it('is the same for the same task', () => {
    expect(Buffer.compare(learned(taskOf()).bytes, learned(taskOf()).bytes)).toBe(0)
  })

  it('is not learned where it would be no better', () => {
    // Told that it has seen nothing of what is held back, although it was learned from all of it.
    const rival = { version: 'local/1', bytes: learned(taskOf({ rows: 2000 })).bytes, seenUntil: null }
    const result = trainLocal(taskOf({ rival, rows: 500 }))
    expect(result.status).toBe('not-better')
  })

  it('is not learned from random numbers, in which there is nothing to learn', () => {
    const noise = Float64Array.from({ length: 2000 }, (_, i) => 500 + 100 * ((i * 7919) % 1009) / 1009)
    const first = learned(taskOf({ loads: noise }))
    const again = trainLocal(taskOf({ loads: noise, rival: { version: 'local/1', bytes: first.bytes, seenUntil: null } }))
    expect(again.status).toBe('not-better')
  })

  it('needs enough that neither has seen, gaps not counted', () => {
    expect(trainLocal(taskOf({ loads: loads.subarray(0, 500) }))).toEqual({ status: 'too-little', forecasts: expect.any(Number) })
    const gaps = loads.slice(0, 2000).map((load, i) => i % 4 === 0 ? load : NaN)
    expect(trainLocal(taskOf({ loads: gaps })).status).toBe('too-little')
    expect(trainLocal(taskOf({ loads: new Float64Array(0) }))).toEqual({ status: 'too-little', forecasts: 0 })
  })

  it('is compared only on what came after the model in use was learned', () => {
    const seenUntil = (startAt + 1900 * stepSeconds) * 1000
    const rival = { version: 'local/1', bytes: ofAnother, seenUntil }
    // 100 steps, less the horizon
    expect(trainLocal(taskOf({ rival }))).toMatchObject({ status: 'too-little', forecasts: expect.any(Number) })
    const later = trainLocal(taskOf({ rival: { ...rival, seenUntil: (startAt + 1700 * stepSeconds) * 1000 } }))
    expect(later).toMatchObject({ status: 'learned' })
    expect((later as { heldBack: { forecasts: number } }).heldBack.forecasts).toBeLessThanOrEqual(297)
    expect((later as { heldBack: { forecasts: number } }).heldBack.forecasts).toBeGreaterThanOrEqual(leastHeldBack)
  })
})
