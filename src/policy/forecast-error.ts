import type { Decision, ForecastErrorRise, Verdict } from '../domain.ts'
import { addToAdwin, adwinMean, emptyAdwin, type Adwin, type MeanChange } from '../ml/adwin.ts'

/** How wrong forecasts were, as |ln (load / what the step before expected)|: 0.1 is about 10 %. */
export interface ForecastErrors {
  /** The middle of the newest forecast; null where there was none. */
  readonly expected: number | null
  readonly errors: Adwin
  readonly rise: (MeanChange & { readonly at: number }) | null
}

export const noForecastErrors: ForecastErrors = { expected: null, errors: emptyAdwin, rise: null }

/** A rise is told for so many seasons. */
const toldSeasons = 3

/** The errors after one more decision. Pure. */
export function nextForecastErrors (before: ForecastErrors, at: number, decision: Pick<Decision, 'load' | 'forecast'> | null): ForecastErrors {
  const expected = decision?.forecast?.quantiles.find(({ quantile }) => quantile === 0.5)?.load ?? null
  const load = decision?.load ?? null
  if (before.expected === null || load === null || !(before.expected > 0) || !(load > 0)) return { ...before, expected }
  const { adwin, change } = addToAdwin(before.errors, Math.abs(Math.log(load / before.expected)))
  const rise = change === null ? before.rise : change.after > change.before ? { ...change, at } : null
  return { expected, errors: adwin, rise }
}

/** A rise of late; null where there was none. */
export function riseOf ({ rise, errors }: ForecastErrors, { at, seasonSeconds }: { at: number, seasonSeconds: number }): ForecastErrorRise | null {
  if (rise === null || at - rise.at >= toldSeasons * seasonSeconds * 1000) return null
  return { at: rise.at, before: rise.before, after: adwinMean(errors) }
}

/** The drift of a verdict with that of the forecast beside it. */
export function withForecastError (drift: Verdict['drift'], forecastError: ForecastErrorRise | null): Verdict['drift'] {
  if (drift === undefined || forecastError === null) return drift
  const reason = `Forecasts became worse: their error was ${forecastError.before.toPrecision(2)} and is ${forecastError.after.toPrecision(2)}: train again.`
  return { ...drift, forecastError, reason: drift.reason === null ? reason : `${drift.reason} ${reason}` }
}
