import { describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { nextForecastErrors, noForecastErrors, riseOf, withForecastError } from '../../src/policy/forecast-error.ts'

const minute = 60_000
const day = 1440 * minute
const drift = { score: 0.01, signals: [], reason: null }

/** Loads of 100 with noise of 10 %, forecast by a factor too high. */
function after (...parts: readonly { readonly minutes: number, readonly wrong: number | null }[]) {
  let state = noForecastErrors
  let at = 0
  const random = createRandom(1)
  for (const { minutes, wrong } of parts) {
    for (let i = 0; i < minutes; i++) {
      const forecast = wrong === null ? null : { horizonSeconds: 60, modelVersion: '1', quantiles: [{ quantile: 0.5, load: 100 * wrong }] }
      at += minute
      state = nextForecastErrors(state, at, { load: 100 * (1 + 0.1 * normal(random)), forecast })
    }
  }
  return { state, rise: riseOf(state, { at, seasonSeconds: 86_400 }) }
}

describe('the errors of the forecast', () => {
  it('that stay as they are are no drift, whatever they are', () => {
    expect(after({ minutes: 3000, wrong: 1.5 }).rise).toBeNull()
    expect(withForecastError(drift, null)).toBe(drift)
  })

  it('are a reason to train again when they rise', () => {
    const { rise } = after({ minutes: 1000, wrong: 1 }, { minutes: 200, wrong: 1.5 })
    // ln 1.5 is 0.41; the noise alone makes 0.08.
    expect(rise!.before).toBeLessThan(0.12)
    expect(rise!.after).toBeGreaterThan(0.3)
    expect(rise!.at / minute).toBeGreaterThan(1000)
    expect(rise!.at / minute).toBeLessThan(1060)
    expect(withForecastError(drift, rise)!.reason).toMatch(/^Forecasts became worse: their error was 0\.0\d+ and is 0\.\d+: train again\.$/)
    expect(withForecastError({ ...drift, reason: 'Scores moved.' }, rise)!.reason).toMatch(/^Scores moved\. Forecasts became worse/)
  })

  it('are none when they fall, also after a rise', () => {
    expect(after({ minutes: 1000, wrong: 1.5 }, { minutes: 500, wrong: 1 }).rise).toBeNull()
    expect(after({ minutes: 1000, wrong: 1 }, { minutes: 500, wrong: 1.5 }, { minutes: 1000, wrong: 1 }).rise).toBeNull()
  })

  it('are told for three seasons after a rise', () => {
    const { state, rise } = after({ minutes: 1000, wrong: 1 }, { minutes: 200, wrong: 1.5 })
    expect(riseOf(state, { at: rise!.at + 3 * day - 1, seasonSeconds: 86_400 })).not.toBeNull()
    expect(riseOf(state, { at: rise!.at + 3 * day, seasonSeconds: 86_400 })).toBeNull()
  })

  it('are not counted where there was no forecast or no load', () => {
    expect(after({ minutes: 1000, wrong: null }).state.errors.buckets).toEqual([])
    expect(nextForecastErrors({ ...noForecastErrors, expected: 100 }, minute, { load: null, forecast: null })).toEqual(noForecastErrors)
    expect(nextForecastErrors({ ...noForecastErrors, expected: 100 }, minute, null)).toEqual(noForecastErrors)
  })
})
