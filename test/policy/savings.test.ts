import { describe, expect, it } from 'vitest'
import type { Policy } from '../../src/domain.ts'
import { emptyState, evaluate, type ServiceState } from '../../src/pipeline.ts'
import { savingsOf } from '../../src/policy/savings.ts'
import { contestants } from '../../src/simulation/contestants.ts'
import { score } from '../../src/simulation/score.ts'
import { minute, noModels, policy, sampleAt } from '../support/scaling.ts'

function run (loads: readonly (number | null)[], more: Partial<Policy> = {}, from: ServiceState = emptyState(), first = 1): ServiceState {
  let state = from
  loads.forEach((load, i) => {
    const signals: Record<string, number> = load === null ? {} : { requestsPerSecond: load }
    state = evaluate(state, sampleAt(first + i, signals), noModels, { ...policy, ...more }).state
  })
  return state
}
const savings = (state: ServiceState) => savingsOf('shop', state.savings ?? null)
/** 300 requests/s, and 1,400 for ten minutes of each hour: 3 and 14 instances. */
const peaks = Array.from({ length: 600 }, (_, i) => i % 60 >= 20 && i % 60 < 30 ? 1400 : 300)

describe('what was saved against HPA', () => {
  it('counts for HPA exactly what a backtest counts', () => {
    const setting = { startUpSeconds: 120, stepSeconds: 60, minReplicas: 1, maxReplicas: 50, target: 0.7, seasonSeconds: 86_400, violationTarget: 0.01, scoreFrom: 0 }
    const series = { startAt: minute, loads: Float64Array.from(peaks, (load) => load / 100) }
    const expected = score(series, contestants.hpa(series, setting), setting)

    expect(savings(run(peaks))?.hpa).toEqual({
      violationRatio: expect.closeTo(expected.violationRatio, 10),
      violationMinutes: expect.closeTo(expected.violationMinutes, 8),
      instanceHours: expect.closeTo(expected.instanceHours, 8),
      changesPerHour: expect.closeTo(expected.changesPerHour, 10)
    })
  })

  it('begins equal, and counts for both the hours with a known load', () => {
    const state = run([210, 210, null, null, 210])

    // 210 / 70 = 3 instances, each minute, for three minutes.
    expect(savings(state)).toEqual({
      service: 'shop',
      since: 0,
      until: 5 * minute,
      hours: 3 / 60,
      prescale: { violationRatio: 0, violationMinutes: 0, instanceHours: expect.closeTo(9 / 60), changesPerHour: 0 },
      hpa: { violationRatio: 0, violationMinutes: 0, instanceHours: expect.closeTo(9 / 60), changesPerHour: 0 }
    })
  })

  it('is less where an operator keeps more than HPA would', () => {
    const { prescale, hpa } = savings(run(Array.from({ length: 60 }, () => 210), { override: { kind: 'force', replicas: 10, reason: 'sale' } }))!

    expect(hpa.instanceHours).toBeCloseTo(3)
    // Three in the first minute, then ten.
    expect(prescale.instanceHours).toBeCloseTo((3 + 59 * 10) / 60)
  })

  it('goes by the behavior that an operator has given, and else by that of Kubernetes', () => {
    const drop = [...Array.from({ length: 10 }, () => 700), ...Array.from({ length: 20 }, () => 70)]
    const hpaHours = (more: Partial<Policy>) => savings(run(drop, more))!.hpa.instanceHours
    const eager = { ...policy.behavior, scaleDown: { ...policy.behavior.scaleDown, stabilizationWindowSeconds: 0 } }

    expect(hpaHours({})).toBeGreaterThan(hpaHours({ hpaBehavior: eager }))
  })

  it('is the same for ever in what it takes to remember', () => {
    const size = (state: ServiceState) => JSON.stringify(state.savings).length
    const early = run(peaks.slice(0, 200))

    expect(size(run(peaks.slice(200), {}, early, 201))).toBeLessThan(size(early) * 1.2)
  })

  it('begins anew with a state that an earlier release has written, and is null before anything is known', () => {
    const { savings: _, ...older } = run([210, 210])

    expect(savings(run([210], {}, older, 3))).toMatchObject({ since: 2 * minute, hours: 1 / 60 })
    expect(savings(run([null]))).toBeNull()
  })
})

describe('a service whose decisions nobody obeys', () => {
  it('is not steered by what others\' replicas make of the load', () => {
    const forecastOf = (mode: Policy['mode']) => {
      const state = run([500], { mode })
      const before = { ...state, scaling: { ...state.scaling, last: { ...state.scaling.last!, source: 'forecast' as const } } }
      // Two replicas are reported for a load that takes five; ours would have been eight.
      return evaluate(before, sampleAt(2, { requestsPerSecond: 500, readyReplicas: 2 }), noModels, { ...policy, mode }).state.scaling.steering.logPrice
    }

    expect(forecastOf('act')).toBeGreaterThan(0)
    expect(forecastOf('shadow')).toBeLessThan(0)
  })

  it('learns no start-up time from replicas that somebody else ordered', () => {
    const state = run([100, 900], { mode: 'shadow' })

    expect(state.scaling.leadTime.pending).toBeNull()
    expect(run([100, 900]).scaling.leadTime.pending).not.toBeNull()
  })
})
