import type { Configuration, Parameter } from '../domain.ts'
import { emptyMemory, Surrogate, type SurrogateMemory, type SurrogatePrior, type SurrogateShape } from '../ml/surrogate.ts'
import { contextCoordinates } from './context.ts'
import { noDrift, type DriftState } from './drift.ts'
import type { Failure } from './failures.ts'
import type { Observation } from './observations.ts'
import type { ParameterSpace } from './parameters.ts'
import type { TunerOptions } from './options.ts'

/** Everything that the tuner remembers about one service: plain values and typed arrays, bounded by the window of 400 observations. */
export interface TunerState {
  readonly version: 1
  readonly seed: number
  /** Proposals made; the chance of each comes from seed and count. */
  readonly draws: number
  /** What the points of the observations mean. */
  readonly parameters: readonly Parameter[]
  readonly fingerprint: string
  readonly magnitudes: readonly number[]
  /** Utilities are learned relative to the first one; null before it. */
  readonly level: number | null
  readonly memory: SurrogateMemory
  readonly observations: readonly Observation[]
  readonly failures: readonly Failure[]
  readonly drift: DriftState
  /** Results that were learned from, and drift alarms, ever. */
  readonly learned: number
  readonly alarms: number
  /** The configuration that ran last, as far as results tell. */
  readonly current: Configuration | null
  /** The last result was much worse than expected: nothing is tried for a step. */
  readonly surprised: boolean
}

export function emptyTunerState (space: ParameterSpace, { seed, options }: { seed: number, options: TunerOptions }): TunerState {
  const coordinates = contextCoordinates(options.furtherSignals)
  return {
    version: 1,
    seed,
    draws: 0,
    parameters: space.parameters,
    fingerprint: fingerprintOf(space, options),
    magnitudes: coordinates.map(() => NaN),
    level: null,
    memory: emptyMemory(shapeOf(space, seed, options)),
    observations: [],
    failures: [],
    drift: noDrift,
    learned: 0,
    alarms: 0,
    current: null,
    surprised: false
  }
}

export const fingerprintOf = (space: ParameterSpace, { furtherSignals }: TunerOptions) => `${space.fingerprint} ${furtherSignals.join()}`

function shapeOf (space: ParameterSpace, seed: number, { furtherSignals }: TunerOptions): SurrogateShape {
  const contextScales = contextCoordinates(furtherSignals).map(({ scale }) => scale)
  return { members: 5, hidden: 40, width: space.width, contextScales, seed }
}

/** In shares of the utility's range. */
const prior: SurrogatePrior = { noise: 0.035, shared: 0.15, specific: 0.12, slope: 0.2, contextSlope: 0.08, level: 0.4 }
export const noiseShare = prior.noise

const surrogates = new Map<string, Surrogate>()
const mostKept = 64

/** The networks belong to seed and shape alone, so they are drawn once and shared. */
export function surrogateOf (state: TunerState, space: ParameterSpace, options: TunerOptions): Surrogate {
  const shape = shapeOf(space, state.seed, options)
  const key = `${JSON.stringify(shape)} ${options.utilityRange}`
  const kept = surrogates.get(key)
  if (kept !== undefined) return kept
  const scaled = Object.fromEntries(Object.entries(prior).map(([name, share]) => [name, share * options.utilityRange])) as unknown as SurrogatePrior
  const surrogate = new Surrogate(shape, scaled)
  if (surrogates.size >= mostKept) surrogates.delete(surrogates.keys().next().value!)
  surrogates.set(key, surrogate)
  return surrogate
}
