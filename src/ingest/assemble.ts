import type { Point, Sample } from '../domain.ts'
import { addPoint, beginFold } from './fold.ts'
import { compileMappings } from './selectors.ts'
import type { AssembleOptions, SeriesState } from './series-state.ts'
import type { SignalMapping } from './signal-mapping.ts'

export type { AssembleLimits, AssembleOptions, SeriesState } from './series-state.ts'

export interface Assembled {
  readonly series: SeriesState
  /** One for each closed step in which something was heard or known, ascending. Signals that nobody reported are missing. */
  readonly samples: Sample[]
  /** Points that were not used: duplicates and older than the series' newest, or over the limit of series. */
  readonly rejected: number
  readonly rejectedBy: { readonly outOfOrder: number, readonly overLimit: number }
}

/**
 * Turns raw points into samples, one for each step (of a grid that begins at the epoch). It is a fold over the points in their order:
 * cutting a batch anywhere gives the same samples. A counter gives its increase per second between its last point before the step
 * and its last point in it, resets handled as Prometheus does; a series without a point in a step repeats what it said,
 * for three of its own intervals; a series that ended, or whose target's `up` is 0, says nothing.
 *
 * @param series null for a service never seen before; never changed.
 */
export function assemble (
  series: SeriesState | null,
  points: readonly Point[],
  mappings: readonly SignalMapping[],
  options: AssembleOptions
): Assembled {
  const fold = beginFold(series, compileMappings(mappings), options)
  for (const point of points) addPoint(fold, point)
  const { readFor, closedAt, newestAt, heard, known, samples, rejectedBy } = fold
  return {
    series: { version: 1, readFor, closedAt, newestAt, heard, series: [...known.values()] },
    samples,
    rejected: rejectedBy.outOfOrder + rejectedBy.overLimit,
    rejectedBy
  }
}
