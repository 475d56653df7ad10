import type { ContextualSurrogate, GainEstimate, Surrogate } from '../ml/surrogate.ts'
import { localCorrection, type Residual } from './observations.ts'
import type { TunerState } from './state.ts'

const residualCount = 150

/** The surrogate as it answers in one context: the smooth function, and what it gets wrong nearby. Gains are over the defaults. */
export interface Outlook {
  readonly context: readonly number[]
  readonly meanGain: (unit: readonly number[]) => number
  readonly gain: (unit: readonly number[]) => GainEstimate
  /** Expected utility. */
  readonly utility: (unit: readonly number[]) => number
  readonly utilityDeviation: (unit: readonly number[]) => number
  /** What is to be added to a gain by the surrogate alone. */
  readonly correction: (unit: readonly number[]) => number
  readonly surrogate: ContextualSurrogate
}

export function lookOut (state: TunerState, surrogate: Surrogate, { context, defaults }: { context: readonly number[], defaults: readonly number[] }): Outlook {
  const fitted = surrogate.fit(state.memory)
  const here = fitted.inContext(context, defaults)
  const level = state.level ?? 0
  const residuals: Residual[] = state.observations.slice(-residualCount).map(observation => ({
    observation,
    residual: observation.utility - level - fitted.value(observation.context, observation.unit)
  }))
  const nearby = (unit: readonly number[]) => localCorrection(residuals, context, unit)
  const atDefaults = nearby(defaults)
  const correction = (unit: readonly number[]) => nearby(unit) - atDefaults
  return {
    context,
    correction,
    surrogate: here,
    utility: unit => level + here.value(unit) + nearby(unit),
    utilityDeviation: unit => here.valueDeviation(unit),
    meanGain: unit => here.meanGain(unit) + correction(unit),
    gain: unit => {
      const { mean, deviation } = here.gain(unit)
      return { mean: mean + correction(unit), deviation }
    }
  }
}
