import type { ContextualSurrogate, FittedSurrogate, GainEstimate, Surrogate } from '../ml/surrogate.ts'
import { localCorrection, type Observation, type Residual } from './observations.ts'
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

const kept = new WeakMap<FittedSurrogate, { readonly observations: readonly Observation[], readonly residuals: readonly Residual[] }>()

/** What the surrogate gets wrong of what ran lately; computed once for a proposal and the learning that follows. */
function residualsOf ({ observations, level }: TunerState, fitted: FittedSurrogate): readonly Residual[] {
  const known = kept.get(fitted)
  if (known !== undefined && known.observations === observations) return known.residuals
  const residuals = observations.slice(-residualCount).map(observation => ({
    observation,
    residual: observation.utility - (level ?? 0) - fitted.value(observation.context, observation.unit)
  }))
  kept.set(fitted, { observations, residuals })
  return residuals
}

export function lookOut (state: TunerState, surrogate: Surrogate, { context, defaults }: { context: readonly number[], defaults: readonly number[] }): Outlook {
  const fitted = surrogate.fit(state.memory)
  const here = fitted.inContext(context, defaults)
  const level = state.level ?? 0
  const residuals = residualsOf(state, fitted)
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
