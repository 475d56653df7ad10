import { createRandom, normal } from '../ml/random.ts'
import { clip } from './parameters.ts'

/**
 * The two-point method of SelfTune: try a step in a random direction, then the opposite one, and go where it was better.
 *
 * @see Karthikeyan et al., "SelfTune: Tuning Cluster Managers", NSDI 2023, algorithm 1 (Bluefin), two-point feedback.
 */
export interface BluefinState {
  /** In [0, 1]^d. */
  readonly center: readonly number[]
  /** Unit length; the same for both halves of a round. */
  readonly direction: readonly number[]
  /** Utility of the first half, or null before it is known. */
  readonly first: number | null
  readonly round: number
  readonly seed: number
}

export interface BluefinOptions {
  /** Length of the trial step in [0, 1]^d. */
  readonly radius: number
  /** Length of the move per unit of utility slope (utility is 0 to 100). */
  readonly rate: number
  /** A single move is not longer than this. */
  readonly longestMove: number
}

export const bluefinDefaults: BluefinOptions = { radius: 0.1, rate: 0.0007, longestMove: 0.1 }

function drawDirection (seed: number, round: number, width: number): number[] {
  const random = createRandom(seed + 0x9e37 * round)
  const direction = Array.from({ length: width }, () => normal(random))
  const length = Math.hypot(...direction)
  return direction.map(value => value / length)
}

export function startBluefin (center: readonly number[], seed: number): BluefinState {
  return { center, direction: drawDirection(seed, 0, center.length), first: null, round: 0, seed }
}

/** The point of [0, 1]^d to try next. */
export function proposeBluefin (state: BluefinState, { radius }: BluefinOptions): number[] {
  const sign = state.first === null ? 1 : -1
  return state.center.map((value, i) => clip(value + sign * radius * state.direction[i]))
}

/** Takes in the utility of the point last proposed; after the second half of a round the centre moves. */
export function learnBluefin (state: BluefinState, utility: number, { radius, rate, longestMove }: BluefinOptions): BluefinState {
  if (!Number.isFinite(utility)) return state
  if (state.first === null) return { ...state, first: utility }
  const slope = (state.first - utility) / (2 * radius)
  const move = Math.min(longestMove, Math.max(-longestMove, rate * slope))
  const round = state.round + 1
  return {
    ...state,
    center: state.center.map((value, i) => clip(value + move * state.direction[i])),
    direction: drawDirection(state.seed, round, state.center.length),
    first: null,
    round
  }
}
