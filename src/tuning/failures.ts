import { sameWork } from './context.ts'
import { sameLoad, type Observation } from './observations.ts'

/** A place where the service broke down: which coordinates had gone where, compared with the nearest configuration that was good. */
export interface Failure {
  readonly context: readonly number[]
  readonly at: number
  readonly suspects: readonly Suspect[]
}
export interface Suspect { readonly coordinate: number, readonly value: number, readonly sign: number }

const most = 60
/** Loads are logarithms: from 40 % below the load of the failure on, the place is avoided. */
const loadMargin = 0.5
const step = 0.02

const beyond = ({ coordinate, value, sign }: Suspect, unit: readonly number[], margin: number) => sign * (unit[coordinate] - value) >= -margin

/** The coordinates in which a failed configuration differs from a good one. */
export function suspectsOf (failed: readonly number[], good: readonly number[]): Suspect[] {
  return failed.flatMap((value, coordinate) => Math.abs(value - good[coordinate]) > step ? [{ coordinate, value, sign: Math.sign(value - good[coordinate]) }] : [])
}

/** Suspects that went as far in this observation, at least at the same load, and did no harm, are innocent. */
function clear (suspects: readonly Suspect[], good: Observation): readonly Suspect[] {
  const left = suspects.filter(suspect => !beyond(suspect, good.unit, 1e-9))
  // Where every one of several is innocent alone, it is their combination.
  return left.length > 0 || suspects.length === 1 ? left : suspects
}

function clearFailure (failure: Failure, good: Observation): Failure {
  if (!sameWork(failure.context, good.context) || good.context[0] < failure.context[0] - sameLoad) return failure
  return { ...failure, suspects: clear(failure.suspects, good) }
}

export function addFailure (failures: readonly Failure[], failure: Failure, goodOnes: readonly Observation[]): readonly Failure[] {
  const cleared = goodOnes.reduce(clearFailure, failure)
  return cleared.suspects.length === 0 ? failures : [...failures, cleared].slice(-most)
}

export function clearFailures (failures: readonly Failure[], good: Observation): readonly Failure[] {
  return failures.map(failure => clearFailure(failure, good)).filter(failure => failure.suspects.length > 0)
}

/** Whether a configuration lies at or beyond a place that broke down, in the same kind of work under about that load or more. */
export function isBlocked (failures: readonly Failure[], context: readonly number[], unit: readonly number[]): boolean {
  return failures.some(failure => context[0] >= failure.context[0] - loadMargin && sameWork(failure.context, context) &&
    failure.suspects.every(suspect => beyond(suspect, unit, step)))
}
