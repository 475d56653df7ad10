import { describe, expect, it } from 'vitest'
import { forecastProbabilities, type LoadForecaster } from '../../src/ml/forecaster.ts'
import { chooseReplicas, exceedance } from '../../src/policy/choice.ts'
import type { Outlook } from '../../src/policy/scaling-state.ts'

/** Log ratios evenly spread from `low` to `high`, at a present level of so many instances of 100. */
function outlook ({ low, high, level }: { low: number, high: number, level: number }): Outlook {
  const quantiles = Float64Array.from(forecastProbabilities, probability => low + probability * (high - low))
  return { horizonSteps: 3, x: new Float64Array(0), level: 100 * level, quiet: 0, quantiles, forecaster: null as unknown as LoadForecaster }
}
const choose = (given: Parameters<typeof outlook>[0], price: number) => chooseReplicas(outlook(given), { instance: 100, price })

describe('the choice of replicas', () => {
  it('covers everything when violations are very dear, and no more', () => {
    // exp(0.5) × 10 = 16.5
    expect(choose({ low: -0.5, high: 0.5, level: 10 }, 1e4).replicas).toBe(17)
  })

  it('never falls below what one forecast in five stays below, however cheap violations are', () => {
    // exp(−0.5 + 0.2) × 10 = 7.4
    expect(choose({ low: -0.5, high: 0.5, level: 10 }, 0).replicas).toBe(7)
  })

  it('grows with the price', () => {
    const replicas = [0.1, 1, 2, 5, 20, 1000].map(price => choose({ low: -0.5, high: 0.5, level: 100 }, price).replicas)

    expect(replicas).toEqual(replicas.toSorted((a, b) => a - b))
    expect(new Set(replicas).size).toBeGreaterThan(2)
  })

  it('accepts more risk where certainty would take many instances', () => {
    const sure = choose({ low: -0.02, high: 0.02, level: 100 }, 1.5)
    const vague = choose({ low: -1, high: 1, level: 100 }, 1.5)

    expect(vague.probability).toBeLessThan(sure.probability)
  })

  it('keeps what runs where a change would save too little, and says what would be cheapest', () => {
    const keep = (current: number) => chooseReplicas(outlook({ low: -0.02, high: 0.02, level: 100 }), { instance: 100, price: 1, current })
    const { replicas: cheapest } = keep(500)

    // One more costs one instance, and saves what one hundredth more of the load violates.
    expect(keep(cheapest + 1)).toMatchObject({ replicas: cheapest + 1, cheapest })
    expect(keep(cheapest + 4)).toMatchObject({ replicas: cheapest, cheapest })
    expect(keep(cheapest - 4)).toMatchObject({ replicas: cheapest, cheapest })
  })

  it('keeps more of many instances than of a few', () => {
    const keptBeyond = (level: number) => {
      const choice = (current?: number) => chooseReplicas(outlook({ low: -0.02, high: 0.02, level }), { instance: 100, price: 1, current: current ?? null }).replicas
      return choice(choice() + 2) - choice()
    }

    // Two too many cost nearly two instances: less than 0.35 + 0.025 × 100, more than 0.35 + 0.025 × 10.
    expect(keptBeyond(100)).toBe(2)
    expect(keptBeyond(8)).toBe(0)
  })

  it('wants nothing for silence', () => {
    const silent: Outlook = { ...outlook({ low: 0, high: 0, level: 0.1 }), quiet: 10 }

    expect(chooseReplicas(silent, { instance: 100, price: 3 }).replicas).toBe(0)
    // exp(1) × 10 − 10 = 17 requests/s may come
    expect(chooseReplicas({ ...silent, quantiles: silent.quantiles.with(-1, 1) }, { instance: 100, price: 3 }).replicas).toBe(1)
  })

  it('stays quick and near the best for thousands of replicas', () => {
    // exp(0.5) × 10,000 = 16,487; candidates are one in a hundred apart
    const { replicas } = choose({ low: -0.5, high: 0.5, level: 10_000 }, 1e4)

    expect(replicas).toBeGreaterThanOrEqual(16_400)
    expect(replicas).toBeLessThan(16_700)
  })
})

describe('the probability to exceed', () => {
  const { quantiles } = outlook({ low: 0, high: 1, level: 1 })

  it.each([
    { logRatio: -1, expected: 1 },
    { logRatio: 0.5, expected: 0.5 },
    { logRatio: 0.99, expected: 0.01 },
    { logRatio: 9, expected: 0 }
  ])('is $expected at $logRatio', ({ logRatio, expected }) => {
    expect(exceedance(quantiles, logRatio)).toBeCloseTo(expected, 9)
  })

  it('falls, also above the highest quantile', () => {
    const exceeded = Array.from({ length: 40 }, (_, i) => exceedance(quantiles, 0.9 + i * 0.004))

    expect(exceeded).toEqual(exceeded.toSorted((a, b) => b - a))
    expect(exceeded.at(-1)).toBeGreaterThan(0)
  })
})
