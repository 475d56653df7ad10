import type { TuningRules } from '../domain.ts'
import { fnv1a } from '../hash.ts'
import { startBluefin, type BluefinState } from './bluefin.ts'
import type { TunerOptions } from './options.ts'
import { encode, type ParameterSpace } from './parameters.ts'
import { noProof, type ProofState } from './proof.ts'
import { emptyTunerState, fingerprintOf, type TunerState } from './state.ts'

/** What results have taught about one service: kept beside its state, because only feedback and suggestions need it. */
export interface TuningRecord {
  readonly version: 1
  readonly tuner: TunerState
  /** Of the fallback method; null before it is used. */
  readonly bluefin: (BluefinState & { readonly fingerprint: string }) | null
  /** The first performances other than 0 (nothing ran), of which the range is guessed. */
  readonly first: readonly number[]
  /** Epoch ms of the newest result. */
  readonly newestAt: number
  readonly proof: ProofState
}

export const firstKept = 5

/** @param service whose name is the seed: the same service and results always give the same suggestions. */
export function emptyRecord (service: string, space: ParameterSpace, rules: TuningRules): TuningRecord {
  const tuner = emptyTunerState(space, { seed: fnv1a(service) & 0x7fffffff, options: optionsOf([], rules) })
  return { version: 1, tuner, bluefin: null, first: [], newestAt: -Infinity, proof: noProof }
}

/** What the algorithm is told; the range is guessed where nobody said it. */
export function optionsOf (first: readonly number[], rules: TuningRules): TunerOptions {
  const { explorationShare, safetyMargin, furtherSignals, performanceRange } = rules
  return { utilityRange: performanceRange ?? guessRange(first), explorationShare, safetyMargin, furtherSignals }
}

const levelToRange = 1.6

/**
 * Best imaginable performance minus the worst, from the first ones. Shares of 1 and of 100 are recognised; else the range is about 1.6 times the
 * middle one, as 1, 2 or 5 times a power of ten. [0.7, 0.8] gives 1; [58, 61, 60] gives 100; [1400, 1500] gives 2000.
 */
export function guessRange (first: readonly number[]): number {
  const sizes = first.map(Math.abs).sort((a, b) => a - b)
  const middle = sizes[sizes.length >> 1] ?? 0
  const isWithin = (most: number) => middle >= most / 10 && first.every(value => value >= 0 && value <= most)
  if (middle === 0) return sizes.at(-1) ? niceNumber(levelToRange * sizes.at(-1)!) : 100
  if (isWithin(1)) return 1
  if (isWithin(100)) return 100
  return niceNumber(levelToRange * middle)
}

/** The nearest of 1, 2 and 5 times a power of ten, as ratios go. */
function niceNumber (value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const steps = [1, 2, 5, 10].map(step => step * power)
  return steps.reduce((best, step) => Math.abs(Math.log(step / value)) < Math.abs(Math.log(best / value)) ? step : best)
}

/** The state of the two-point method for these parameters; it begins at the defaults where they are others than before. */
export function bluefinOf ({ bluefin, tuner }: TuningRecord, space: ParameterSpace, rules: TuningRules): NonNullable<TuningRecord['bluefin']> {
  const fingerprint = fingerprintOf(space, optionsOf([], rules))
  if (bluefin?.fingerprint === fingerprint) return bluefin
  return { ...startBluefin(encode(space, space.defaults), tuner.seed), fingerprint }
}
