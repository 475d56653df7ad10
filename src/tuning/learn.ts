import type { Configuration, Signals } from '../domain.ts'
import { fnv1a } from '../hash.ts'
import { createRandom } from '../ml/random.ts'
import { emptyMemory, type Surrogate, type SurrogateMemory } from '../ml/surrogate.ts'
import { anchor } from './anchor.ts'
import { contextCoordinates, contextOf, updateMagnitudes } from './context.ts'
import { watchDrift, noDrift } from './drift.ts'
import { addFailure, clearFailures, suspectsOf } from './failures.ts'
import { insert, isGood, nearestGood, sameUnit, windowSize, type Observation } from './observations.ts'
import { lookOut } from './outlook.ts'
import { decode, encode, type ParameterSpace } from './parameters.ts'
import { leastCompared, plausible, settle } from './plausible.ts'
import { noiseShare, surrogateOf, type TunerState } from './state.ts'
import type { TunerOptions } from './options.ts'

/** What a service reports: in this state, this configuration gave this utility (higher is better). */
export interface Feedback {
  readonly id: string
  /** Epoch ms. */
  readonly at: number
  readonly signals: Signals
  readonly config: Configuration
  readonly utility: number
}

const halfLife = 200
/** Shares of the utility's range. */
const surprise = 0.1
const breakdown = 0.12
const floorDepth = 0.2
/** What is left of the old knowledge after a drift alarm. */
const kept = 0.3
const warmUp = 5
const smallestWeight = 0.3

/** How much each member makes of an observation: 0.5 to 1.5, by its id alone, so that the order of feedbacks does not matter. */
function memberWeights ({ id }: Observation, members: number, weight: number): number[] {
  const random = createRandom(fnv1a(id))
  return Array.from({ length: members }, () => weight * (0.5 + random()))
}

/**
 * Below the defaults a utility is bad, and how bad matters little: flattened there, so that a cliff does not bend the surrogate everywhere.
 */
function flatten ({ utility, defaultUtility }: Observation, range: number): number {
  const depth = floorDepth * range
  return utility >= defaultUtility ? utility : defaultUtility - depth * (1 - Math.exp(-(defaultUtility - utility) / depth))
}

interface Lesson { readonly observation: Observation, readonly level: number, readonly weight: number, readonly decay: number }

function teach (memory: SurrogateMemory, surrogate: Surrogate, { observation, level, weight, decay }: Lesson, range: number): SurrogateMemory {
  const value = flatten(observation, range) - level
  const { context, unit } = observation
  return surrogate.learn(memory, { context, unit, value, weights: memberWeights(observation, surrogate.shape.members, weight), decay })
}

/** The memory that the window alone would give. */
export function relearn (state: TunerState, surrogate: Surrogate, { utilityRange }: TunerOptions): SurrogateMemory {
  const decay = 0.5 ** (1 / halfLife)
  const level = state.level!
  return state.observations.reduce(
    (memory, observation) => teach(memory, surrogate, { observation, level, weight: 1, decay }, utilityRange),
    emptyMemory(surrogate.shape))
}

function discounted (memory: SurrogateMemory, factor: number): SurrogateMemory {
  const scale = (values: Float32Array) => values.map(value => value * factor)
  return { information: memory.information.map(scale), target: memory.target.map(scale) }
}

interface Setting { readonly space: ParameterSpace, readonly options: TunerOptions }

/** What a feedback says, beside what was expected of it. */
interface Observed {
  readonly observation: Observation
  readonly magnitudes: readonly number[]
  /** Observed less expected utility, 0 where nothing was expected yet; and the standard deviation of what was expected. */
  readonly residual: number
  readonly deviation: number
}

function observe (state: TunerState, { id, at, signals, config, utility: reported }: Feedback, { space, options }: Setting): Observed {
  const coordinates = contextCoordinates(options.furtherSignals)
  const magnitudes = updateMagnitudes(state.magnitudes, coordinates, signals)
  const context = contextOf(signals, coordinates, magnitudes)
  const defaults = encode(space, space.defaults)
  const unit = encode(space, config)
  const utility = plausible(reported, state.observations, options.utilityRange)
  const outlook = lookOut(state, surrogateOf(state, space, options), { context, defaults })
  const isFirst = state.level === null
  return {
    observation: { id, at, context, unit, utility, defaultUtility: isFirst ? utility : outlook.utility(defaults) },
    magnitudes,
    residual: isFirst ? 0 : utility - outlook.utility(unit),
    deviation: outlook.utilityDeviation(unit)
  }
}

function takeIn (state: TunerState, { observation, magnitudes, residual, deviation }: Observed, { space, options }: Setting): TunerState {
  const { at, unit, utility } = observation
  const { utilityRange: range } = options
  const defaults = encode(space, space.defaults)
  const level = state.level ?? utility
  const sigma = Math.hypot(noiseShare * range, deviation)
  const weight = state.learned > warmUp ? Math.max(smallestWeight, Math.min(1, 3 * sigma / Math.abs(residual))) : 1
  const newer = state.observations.filter(one => one.at > at).length
  // One that comes late weighs what it would weigh by now, and does not age the others again.
  const lesson = { observation, level, weight: weight * 0.5 ** (newer / halfLife), decay: 0.5 ** (1 / halfLife) }
  const { state: drift, alarm } = watchDrift(state.drift, residual / sigma)
  const isSurprise = !sameUnit(unit, defaults) && state.learned > warmUp && residual < -surprise * range - 2 * deviation
  const isNewest = newer === 0
  return {
    ...state,
    magnitudes,
    level,
    memory: teach(alarm ? discounted(state.memory, kept) : state.memory, surrogateOf(state, space, options), lesson, range),
    observations: insert(state.observations, observation),
    failures: judge(state, observation, { defaults, range }),
    drift: alarm ? noDrift : drift,
    learned: state.learned + 1,
    alarms: state.alarms + Number(alarm),
    current: isNewest ? decode(space, unit) : state.current,
    surprised: isNewest ? isSurprise : state.surprised
  }
}

/** See learnFrom; `state` belongs to `space` already. */
export function learnObservation (state: TunerState, feedback: Feedback, space: ParameterSpace, options: TunerOptions): TunerState {
  const { observations } = state
  const tooOld = observations.length === windowSize && feedback.at < observations[0].at
  if (!Number.isFinite(feedback.utility) || tooOld || observations.some(({ id }) => id === feedback.id)) return state

  const learned = takeIn(state, observe(state, feedback, { space, options }), { space, options })
  const anchored = anchor(learned, contextCoordinates(options.furtherSignals), feedback.signals)
  const isFirst = anchored.observations.length === leastCompared
  if (anchored === learned && !isFirst) return learned
  const moved = isFirst ? { ...anchored, ...settle(anchored.observations, options.utilityRange) } : anchored
  return { ...moved, memory: relearn(moved, surrogateOf(moved, space, options), options) }
}

function judge ({ failures, observations }: TunerState, observation: Observation, { defaults, range }: { defaults: readonly number[], range: number }) {
  const { utility, defaultUtility, unit, context, at } = observation
  if (isGood(observation, range)) return clearFailures(failures, observation)
  if (utility >= defaultUtility - breakdown * range || sameUnit(unit, defaults)) return failures
  const good = nearestGood(observations, observation, { defaults, range })
  return addFailure(failures, { context, at, suspects: suspectsOf(unit, good) }, observations.filter(o => isGood(o, range)))
}
