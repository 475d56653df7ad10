import type { Signals } from '../domain.ts'

/**
 * The context of a configuration: what the service is asked to do, as far as its signals tell.
 *
 * Signals of demand come first (the load, and what one request carries); signals that the configuration itself moves (latency, errors, CPU) count
 * little, or every change of the configuration would look like another world. All are logarithms of the ratio to the first value seen, so that no
 * scale has to be known, and 5 % of noise is 0.05 everywhere.
 */
export interface ContextCoordinate {
  readonly name: string
  /** How far it must move to be another world. */
  readonly scale: number
  readonly of: (signals: Signals) => number
}

const loadSignal = 'requestsPerSecond'
const perRequest = (signals: Signals, name: string) => signals[loadSignal] > 0 ? signals[name] / signals[loadSignal] : signals[name]
const served = (signals: Signals) => 1 - Math.min(0.9, signals.errorRatio ?? 0)

const ofService: readonly ContextCoordinate[] = [
  { name: loadSignal, scale: 2, of: signals => signals[loadSignal] },
  { name: 'networkInBytesPerRequest', scale: 0.6, of: signals => perRequest(signals, 'networkInBytesPerSecond') },
  { name: 'networkOutBytesPerRequest', scale: 0.6, of: signals => perRequest(signals, 'networkOutBytesPerSecond') / served(signals) },
  { name: 'cpuUsagePerRequest', scale: 6, of: signals => perRequest(signals, 'cpuUsageRatio') },
  { name: 'diskIoBytesPerRequest', scale: 6, of: signals => perRequest(signals, 'diskIoBytesPerSecond') },
  { name: 'errorRatio', scale: 6, of: signals => signals.errorRatio + 0.02 },
  { name: 'responseTimeSeconds', scale: 6, of: signals => signals.responseTimeSeconds },
  { name: 'threadsPerRequest', scale: 6, of: signals => perRequest(signals, 'threadCount') }
]
/** The coordinates that say which kind of work this is; two contexts are alike when these are. */
export const demandCoordinates = 3
/** Coordinates end here: 20 times more or less than at first. */
export const contextFurthest = 3

/** The coordinates in use: those of the catalogue, and one for each further signal that a service names. */
export function contextCoordinates (further: readonly string[] = []): readonly ContextCoordinate[] {
  return [...ofService, ...further.map(name => ({ name, scale: 2, of: (signals: Signals) => signals[name] }))]
}

/** Typical size of each coordinate: its first value; NaN until it was seen. */
export function updateMagnitudes (magnitudes: readonly number[], coordinates: readonly ContextCoordinate[], signals: Signals): number[] {
  return coordinates.map(({ of }, i) => {
    if (Number.isFinite(magnitudes[i])) return magnitudes[i]
    const value = Math.abs(of(signals))
    return Number.isFinite(value) && value > 0 ? value : NaN
  })
}

/** @returns one number for each coordinate, within ± contextFurthest; 0 where the signal is missing. */
export function contextOf (signals: Signals, coordinates: readonly ContextCoordinate[], magnitudes: readonly number[]): number[] {
  return coordinates.map(({ of }, i) => {
    const ratio = Math.max(0, of(signals)) / magnitudes[i]
    return Number.isFinite(ratio) ? Math.max(-contextFurthest, Math.min(contextFurthest, Math.log(ratio + 0.02))) : 0
  })
}

/** Whether two contexts are the same kind of work, whatever the load. */
export function sameWork (a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  for (let i = 1; i < demandCoordinates; i++) if (Math.abs(a[i] - b[i]) >= 0.4) return false
  return true
}
