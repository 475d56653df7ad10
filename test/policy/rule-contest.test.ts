import { describe, expect, it } from 'vitest'
import type { Decision, Policy } from '../../src/domain.ts'
import { forecastProbabilities, type LoadForecaster } from '../../src/ml/forecaster.ts'
import { emptyState, evaluate, type ServiceState } from '../../src/pipeline.ts'
import type { RuleContest } from '../../src/policy/rule-contest-state.ts'
import { noModels, policy, sampleAt } from '../support/scaling.ts'

/** Says that the largest load to come lies around `factor` times the present one, give or take five percent. */
function forecaster (factor: number, version = 'load/1'): LoadForecaster {
  const quantiles = Float64Array.from(forecastProbabilities, probability => Math.log(factor) + 0.1 * (probability - 0.5))
  return { version, features: [], importance: new Float64Array(0), mostImportant: [], quantiles: () => quantiles } as unknown as LoadForecaster
}

interface Run {
  readonly loads: (step: number) => number
  readonly steps: number
  readonly model: LoadForecaster
  readonly more?: Partial<Policy>
  readonly from?: ServiceState
}

function run ({ loads, steps, model, more = {}, from = emptyState() }: Run): { state: ServiceState, decisions: Decision[] } {
  let state = from
  const first = from.lastAt > 0 ? from.lastAt / 60_000 + 1 : 1
  const decisions: Decision[] = []
  for (let step = first; step < first + steps; step++) {
    const evaluation = evaluate(state, sampleAt(step, { requestsPerSecond: loads(step) }), { ...noModels, forecast: model }, { ...policy, ...more })
    state = evaluation.state
    if (evaluation.status === 'decided') decisions.push(evaluation.decision)
  }
  return { state, decisions }
}
const steady = () => 500
/** 300 requests/s, and 1,500 for five minutes of every hundred: the hour before a burst does not know of it. */
const bursty = (step: number) => step % 100 < 5 ? 1500 : 300

describe('the contest with rules that need no forecast', () => {
  it('puts the forecast aside that asks for three times too much, after half a day, and says so', () => {
    const { decisions } = run({ loads: steady, steps: 760, model: forecaster(3) })

    // 3 × 500 / 100 = 15 and more, until it is known that 1.05 × 500 / 100 carry all of it.
    expect(decisions[700]).toMatchObject({ source: 'forecast' })
    expect(decisions[700].replicas).toBeGreaterThanOrEqual(15)
    expect(decisions.at(-1)).toMatchObject({ source: 'reactive', replicas: 6 })
    expect(decisions.at(-1)?.reason).toMatch(/hard to foresee: lately what the largest load of the last hour needs took \d+ % fewer instances than the forecast/)
    expect(decisions.at(-1)?.rawRecommendations.map(({ source }) => source)).toContain('forecast')
  })

  it('leaves a forecast alone that is as good as it gets', () => {
    const { decisions } = run({ loads: steady, steps: 1500, model: forecaster(1) })

    expect(new Set(decisions.slice(1).map(({ source }) => source))).toEqual(new Set(['forecast']))
  })

  it('does not count violations that are allowed, nor prefers a rule that is cheaper and violates more', () => {
    // Fewer than with the forecast violate nobody needs; what is cheap counts, and three instances carry the load between bursts.
    const { state } = run({ loads: bursty, steps: 1500, model: forecaster(1), more: { violationTarget: 0.5 } })
    expect(state.scaling.contest).toMatchObject({ ruling: 'forecast' })

    // The forecast covers the bursts at fifteen instances all the time, HPA lets a part of them violate for less.
    const covered = run({ loads: bursty, steps: 1500, model: forecaster(5.5), more: { violationTarget: 0.001 } }).state.scaling.contest!
    expect(covered.hpa.paid).toBeLessThan(covered.forecast.paid)
    expect(covered.hpa.violating).toBeGreaterThan(covered.forecast.violating)
    expect(covered.ruling).not.toBe('hpa')
  })

  it('goes by the money where an operator has named it', () => {
    const prices = (costPerViolationMinute: number): Partial<Policy> => ({ objective: { costPerReplicaHour: 1, costPerViolationMinute } })
    const ruling = (more: Partial<Policy>) => run({ loads: bursty, steps: 1500, model: forecaster(5.5), more }).state.scaling.contest!.ruling

    // Twenty instances against a few, where nothing else costs anything; and where a minute of violations costs a hundred instance-hours.
    expect(ruling(prices(0))).not.toBe('forecast')
    expect(ruling(prices(100))).toBe('forecast')
  })

  it('begins anew for another kind of model, not for the next version of the same', () => {
    const bad = run({ loads: steady, steps: 760, model: forecaster(3) }).state
    const after = (model: LoadForecaster) => run({ loads: steady, steps: 1, model, from: bad }).state.scaling.contest

    expect(after(forecaster(1, 'load/2'))).toMatchObject({ steps: 761, ruling: 'peak' })
    expect(after(forecaster(1, 'local/1'))).toMatchObject({ steps: 1, ruling: 'forecast' })
  })

  it('lets the forecast back when it has become good', () => {
    const bad = run({ loads: steady, steps: 760, model: forecaster(3) }).state
    const { decisions } = run({ loads: steady, steps: 6000, model: forecaster(1), from: bad })

    // What it cost is forgotten by half every thousand steps: 15 instances against 5.
    expect(decisions[0].source).toBe('reactive')
    expect(decisions.at(-1)?.source).toBe('forecast')
  }, 30_000)

  describe('with sums that one more step does not move', () => {
    const { state } = run({ loads: steady, steps: 760, model: forecaster(3) })
    const contest = state.scaling.contest!
    const rulingAfter = (peak: { paid: number, violating?: number }, ruling: RuleContest['ruling']) => {
      const sums = {
        arrived: 1e9,
        forecast: { ...contest.forecast, paid: 1e9, violating: 1e8 },
        peak: { ...contest.peak, violating: 0, ...peak },
        hpa: { paid: 2e9, violating: 0 }
      }
      const from = { ...state, scaling: { ...state.scaling, contest: { ...contest, ...sums, ruling } } }
      return run({ loads: steady, steps: 1, model: forecaster(3), from }).state.scaling.contest!.ruling
    }

    it('asks for a lead of a tenth to begin, and of half of that to go on', () => {
      expect(rulingAfter({ paid: 0.89e9 }, 'forecast')).toBe('peak')
      expect(rulingAfter({ paid: 0.93e9 }, 'forecast')).toBe('forecast')
      expect(rulingAfter({ paid: 0.93e9 }, 'peak')).toBe('peak')
      expect(rulingAfter({ paid: 0.96e9 }, 'peak')).toBe('forecast')
    })

    it('prefers a rule, which nobody steers, only if it would violate no more even with 1.25 times what it did', () => {
      // 1.25 × 0.79 is less than 1, 1.25 × 0.81 is more.
      expect(rulingAfter({ paid: 0.5e9, violating: 0.79e8 }, 'forecast')).toBe('peak')
      expect(rulingAfter({ paid: 0.5e9, violating: 0.81e8 }, 'forecast')).toBe('forecast')
    })
  })

  it('goes on steering the price of violations by what the forecast would have come to', () => {
    const bad = run({ loads: bursty, steps: 1200, model: forecaster(3), more: { violationTarget: 0.2 } }).state
    expect(bad.scaling.contest?.ruling).not.toBe('forecast')
    const next = run({ loads: bursty, steps: 60, model: forecaster(3), more: { violationTarget: 0.2 }, from: bad }).state

    expect(next.scaling.steering.steps).toBe(bad.scaling.steering.steps + 60)
  })

  it('is without effect where no load is known, and in states of an earlier release', () => {
    const { state } = run({ loads: steady, steps: 760, model: forecaster(3) })
    const blind = evaluate(state, sampleAt(761, {}), { ...noModels, forecast: forecaster(3) }, policy)
    expect(blind).toMatchObject({ status: 'decided', decision: { source: 'hold' } })

    const { contest: _, ...older } = state.scaling
    const resumed = run({ loads: steady, steps: 1, model: forecaster(3), from: { ...state, scaling: older } })
    expect(resumed.state.scaling.contest).toMatchObject({ steps: 1, ruling: 'forecast' })
  })
})
