import type { Series } from './series.ts'

/** What is remembered of a service's raw series between two batches: plain, and bounded by `maxSeries`. */
export interface SeriesState {
  readonly version: 1
  /** Hash of the mappings and the step that `series` were read for; with others they start afresh. */
  readonly readFor: number
  /** Epoch ms of the end of the last closed step; null before the first point. */
  readonly closedAt: number | null
  /** Epoch ms of the newest point. */
  readonly newestAt: number | null
  /** Ends of the open steps in which anything was heard, ascending. */
  readonly heard: readonly number[]
  readonly series: readonly Series[]
}

export interface AssembleLimits {
  /** Of one service; 10 000 where not given. */
  readonly maxSeries?: number
  /** A series without a point for this long is forgotten; 900 where not given. */
  readonly idleSeconds?: number
}

export interface AssembleOptions {
  readonly service: string
  readonly stepSeconds: number
  /** A step is closed once a point is newer than its end by more than this. */
  readonly lateSeconds: number
  readonly limits?: AssembleLimits
}
