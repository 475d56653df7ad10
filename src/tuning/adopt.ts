import { contextCoordinates } from './context.ts'
import { relearn } from './learn.ts'
import type { TunerOptions } from './options.ts'
import { createParameterSpace, decode, encode, type ParameterSpace } from './parameters.ts'
import { emptyTunerState, fingerprintOf, surrogateOf, type TunerState } from './state.ts'

/**
 * The state for another set of parameters: what ran is translated (removed parameters forgotten, added ones at their default, values beyond
 * new bounds at the bound) and learned again. The same state where nothing changed.
 */
export function adopt (state: TunerState, space: ParameterSpace, options: TunerOptions): TunerState {
  if (state.fingerprint === fingerprintOf(space, options)) return state
  const before = createParameterSpace(state.parameters)
  const width = contextCoordinates(options.furtherSignals).length
  const fit = (values: readonly number[], absent: number) => Array.from({ length: width }, (_, i) => values[i] ?? absent)
  const observations = state.observations.map(o => ({ ...o, unit: encode(space, decode(before, o.unit)), context: fit(o.context, 0) }))
  const empty = emptyTunerState(space, { seed: state.seed, options })
  const current = state.current && decode(space, encode(space, state.current))
  const { fingerprint, memory } = empty
  const moved = { ...state, current, parameters: space.parameters, fingerprint, magnitudes: fit(state.magnitudes, NaN), failures: [], memory, observations }
  return { ...moved, memory: relearn(moved, surrogateOf(moved, space, options), options) }
}
