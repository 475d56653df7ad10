import type { LiveEvent } from './live.ts'

/** One of the views; it lives until `close`. */
export interface Page {
  readonly title: string
  readonly element: HTMLElement
  readonly event: (event: LiveEvent) => void
  /** Reads everything anew. */
  readonly refresh: () => void
  /** The colours have changed. */
  readonly recolour?: () => void
  readonly close: () => void
}
