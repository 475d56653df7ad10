import { describe, expect, it } from 'vitest'
import { score, type ClusterSetting } from '../../src/simulation/score.ts'

const setting: ClusterSetting = { startUpSeconds: 120, stepSeconds: 60, minReplicas: 1, maxReplicas: 100, target: 0.5 }
const startAt = Date.UTC(2026, 0, 1, 0, 1)
const series = (...loads: number[]) => ({ startAt, loads: Float64Array.from(loads) })
const wishes = (...replicas: number[]) => Float64Array.from(replicas)

describe('a score', () => {
  it('counts what is paid for against the cheapest cover', () => {
    // 2 / 0.5 = 4 instances at the beginning, kept for three minutes: 12 instance-minutes; the cover is 2 + 2 + 3 = 7.
    const { instanceHours, costRatio, violationRatio, changesPerHour } = score(series(2, 2, 2.5), wishes(4, 4, 4), setting)

    expect(instanceHours).toBeCloseTo(12 / 60)
    expect(costRatio).toBeCloseTo(12 / 7)
    expect({ violationRatio, changesPerHour }).toEqual({ violationRatio: 0, changesPerHour: 0 })
  })

  it('charges for what is starting, and lets it serve only after the start-up time', () => {
    // Two instances; from the second minute on the load needs four. Ordered at the end of the first, they serve from the fourth on.
    const { violationMinutes, violationRatio, instanceHours } = score(series(1, 4, 4, 4, 4), wishes(4, 4, 4, 4, 4), setting)

    expect(instanceHours).toBeCloseTo((2 + 4 + 4 + 4 + 4) / 60)
    // Minutes two and three violate; in the fourth the queue of 20 instance-seconds stays, for there is no capacity to spare: all of it, and of the fifth.
    expect(violationMinutes).toBeCloseTo(4)
    expect(violationRatio).toBeCloseTo(16 / 17)
  })

  it('keeps wishes within the range, keeps the one before where there is none, and rounds up', () => {
    const { instanceHours, changesPerHour } = score(series(1, 1, 1, 1), wishes(0, NaN, 1.2, 1.2), { ...setting, startUpSeconds: 0 })

    // Two at first, then one by the range, one again, and two.
    expect(instanceHours).toBeCloseTo((2 + 1 + 1 + 2) / 60)
    expect(changesPerHour).toBeCloseTo(2 / (4 / 60))
  })

  it('counts only from where it is told to', () => {
    expect(score(series(9, 1, 1), wishes(1, 1, 1), { ...setting, scoreFrom: 2 })).toMatchObject({ violationRatio: 0, costRatio: 1, hours: 1 / 60 })
  })

  it('names the hour with most violating requests', () => {
    const loads = Array.from({ length: 180 }, (_, minute) => minute >= 70 && minute < 75 ? 3 : 1)
    const { worstHour } = score({ startAt, loads: Float64Array.from(loads) }, wishes(...loads.map(() => 2)), setting)

    // Five minutes of 3, and what is left in the queue (20 instance-seconds) is worked off within 20 s of the sixth: 20 / (2 − 1) = 20 s of load 1.
    const arrived = 55 * 60 + 5 * 180
    expect(worstHour).toEqual({ at: Date.UTC(2026, 0, 1, 1), violationRatio: expect.closeTo((5 * 180 + 20) / arrived) })
  })

  it('takes a step without a measurement for one without load', () => {
    expect(score(series(1, NaN, 1), wishes(2, 2, 2), setting)).toMatchObject({ violationRatio: 0, costRatio: 2 })
  })
})
