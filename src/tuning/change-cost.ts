import type { Configuration, Signals } from '../domain.ts'
import { adopt } from './adopt.ts'
import { contextCoordinates, contextOf, updateMagnitudes } from './context.ts'
import type { TunerOptions } from './options.ts'
import { lookOut } from './outlook.ts'
import { encode, type ParameterSpace } from './parameters.ts'
import { surrogateOf, type TunerState } from './state.ts'

/** What the change from one configuration to another costs, in the unit of performance. */
export function changeCost ({ parameters }: ParameterSpace, from: Configuration, to: Configuration): number {
  return parameters.reduce((sum, { name, changeCost = 0 }) => from[name] === to[name] ? sum : sum + changeCost, 0)
}

interface Question { readonly from: Configuration, readonly to: Configuration, readonly signals: Signals, readonly space: ParameterSpace, readonly options: TunerOptions }

/** How much better one configuration is expected to do than another in a state, and the standard deviation of that. */
export function expectedDifference (state: TunerState, { from, to, signals, space, options }: Question): { mean: number, deviation: number } {
  const own = adopt(state, space, options)
  const coordinates = contextCoordinates(options.furtherSignals)
  const context = contextOf(signals, coordinates, updateMagnitudes(own.magnitudes, coordinates, signals))
  const outlook = lookOut(own, surrogateOf(own, space, options), { context, defaults: encode(space, from) })
  return outlook.gain(encode(space, to))
}
