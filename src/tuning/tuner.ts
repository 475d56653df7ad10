import type { Configuration, Signals } from '../domain.ts'
import { choose } from './choose.ts'
import { contextCoordinates, contextOf, updateMagnitudes } from './context.ts'
import { explain, type Explanation, type ProposalKind } from './explain.ts'
import { createGuard } from './guard.ts'
import { learnObservation, type Feedback } from './learn.ts'
import { lookOut } from './outlook.ts'
import { decode, encode, type ParameterSpace } from './parameters.ts'
import { adopt } from './adopt.ts'
import { tunerDefaults, type TunerOptions } from './options.ts'
import { surrogateOf, type TunerState } from './state.ts'

export interface Moment {
  readonly signals: Signals
  /** True while the service is unhealthy, in an incident, or scaling out: then nothing is tried. */
  readonly mustNotExplore?: boolean
}

export interface Proposal {
  readonly config: Configuration
  readonly kind: ProposalKind
  readonly expected: Explanation['expected']
  readonly changed: Explanation['changed']
  readonly reason: string
  readonly undo: Configuration
  readonly observationsNearby: number
}

/**
 * What to run next in the present moment.
 *
 * Pure: the same state and moment give the same proposal; the state that comes back only counts the draw.
 * @param space may differ from the one that the state was learned with: bounds, parameters added or removed.
 */
export function proposeConfig (state: TunerState, moment: Moment, space: ParameterSpace, options: TunerOptions = tunerDefaults): { state: TunerState, proposal: Proposal } {
  const own = adopt(state, space, options)
  const coordinates = contextCoordinates(options.furtherSignals)
  const magnitudes = updateMagnitudes(own.magnitudes, coordinates, moment.signals)
  const context = contextOf(moment.signals, coordinates, magnitudes)
  const defaults = encode(space, space.defaults)
  const next = { ...own, magnitudes, draws: own.draws + 1 }
  const outlook = lookOut(own, surrogateOf(own, space, options), { context, defaults })
  const guard = createGuard(space, moment.signals, own.current ?? space.defaults)
  const choice = choose(next, outlook, { defaults, space, guard, options, mayExplore: moment.mustNotExplore !== true })
  const explanation = explain({ choice, outlook, state: own, space })
  return { state: next, proposal: { config: decode(space, choice.unit), kind: choice.kind, ...explanation } }
}

/**
 * The state after a result. A feedback that was seen before (by id), or is older than the window, changes nothing; so does one without a finite utility.
 * Results of configurations that were never proposed count like all others.
 */
export function learnFrom (state: TunerState, feedback: Feedback, space: ParameterSpace, options: TunerOptions = tunerDefaults): TunerState {
  return learnObservation(adopt(state, space, options), feedback, space, options)
}
