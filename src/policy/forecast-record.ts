import type { ForecastCalibration } from '../domain.ts'
import { forecastProbabilities } from '../ml/forecaster.ts'
import type { Outlook } from './scaling-state.ts'

/** What one model said; shape [forecastProbabilities], of ln((largest load within the horizon + quiet) / level). */
export interface Said { readonly version: string, readonly quantiles: Float32Array }

/** A forecast whose time has not come. */
export interface OpenForecast {
  /** Epoch ms of the end of its horizon. */
  readonly until: number
  readonly level: number
  readonly quiet: number
  /** Largest load since it was made. */
  readonly largest: number
  /** What was decided by. */
  readonly decided: Float32Array
  /** Where several models compete: what each of them said. */
  readonly said: readonly Said[]
}

/** A forecast beside what came. */
export interface Outcome extends Pick<OpenForecast, 'decided' | 'said'> {
  /** ln((largest load within the horizon + quiet) / level). */
  readonly came: number
}

/** More would say little more, for their horizons overlap; a horizon of 31 steps has one at every eighth. */
const mostOpen = 4
export const stepsPerForecast = (horizonSteps: number) => Math.ceil(horizonSteps / mostOpen)

/** Takes one load in. A gap, or a load that is not believed, may hide the largest: what is open then is never compared. */
export function comeDue (open: readonly OpenForecast[], { at, load }: { at: number, load: number | null }): { open: readonly OpenForecast[], outcomes: Outcome[] } {
  if (load === null) return { open: [], outcomes: [] }
  const passed = open.map(forecast => load > forecast.largest ? { ...forecast, largest: load } : forecast)
  const outcomes = passed.filter(({ until }) => until <= at)
    .map(({ decided, said, largest, quiet, level }) => ({ decided, said, came: Math.log((largest + quiet) / level) }))
  return { open: passed.filter(({ until }) => until > at), outcomes }
}

/** Opens another one, unless there are enough. */
export function openForecast (open: readonly OpenForecast[], { at, stepMs, outlook, said }:
{ at: number, stepMs: number, outlook: Outlook, said: readonly Said[] }): readonly OpenForecast[] {
  const { horizonSteps, level, quiet, quantiles } = outlook
  const until = at + horizonSteps * stepMs
  const strideMs = stepsPerForecast(horizonSteps) * stepMs
  const newest = open.at(-1)
  // Half a step, because samples come a little early or late.
  if (newest !== undefined && until - newest.until < strideMs - stepMs / 2) return open
  return [...open, { until, level, quiet, largest: -Infinity, decided: new Float32Array(quantiles), said }].slice(-mostOpen)
}

/** How often what came was at or below each quantile that was decided by. */
export interface Calibration {
  readonly forecasts: number
  /** Shape [forecastProbabilities], decayed. */
  readonly covered: Float32Array
}

export const noCalibration: Calibration = { forecasts: 0, covered: new Float32Array(forecastProbabilities.length) }

const memory = 1000
const shown = [0.5, 0.9, 0.95, 0.99].map(quantile => ({ quantile, index: forecastProbabilities.indexOf(quantile) }))

export function nextCalibration (before: Calibration, outcomes: readonly Outcome[]): Calibration {
  if (outcomes.length === 0) return before
  let { forecasts } = before
  const covered = before.covered.slice()
  for (const { came, decided } of outcomes) {
    const rate = 1 / Math.min(++forecasts, memory)
    for (let i = 0; i < covered.length; i++) covered[i] += rate * ((came <= decided[i] ? 1 : 0) - covered[i])
  }
  return { forecasts, covered }
}

/** For those who ask; null before the first forecast has come due. */
export function calibrationOf ({ forecasts, covered }: Calibration): ForecastCalibration | null {
  if (forecasts === 0) return null
  return { forecasts, coverage: shown.map(({ quantile, index }) => ({ quantile, share: Math.round(1e4 * covered[index]) / 1e4 })) }
}

/**
 * Mean pinball loss over forecastProbabilities, which lie dense where scaling happens; lower is better.
 *
 * @see Koenker and Bassett, "Regression quantiles", Econometrica 1978.
 */
export function pinballLoss (quantiles: ArrayLike<number>, came: number): number {
  let sum = 0
  for (let i = 0; i < forecastProbabilities.length; i++) {
    const error = came - quantiles[i]
    sum += error >= 0 ? forecastProbabilities[i] * error : (forecastProbabilities[i] - 1) * error
  }
  return sum / forecastProbabilities.length
}
