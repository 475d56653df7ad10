/** What the three models have in common: they know their features, refuse other rows, and are one buffer on disk. */
export interface Model {
  /** Which model it is; also written into its file, so that one is never loaded as another. */
  readonly kind: string
  /** Names of the columns of a row, in order. */
  readonly features: readonly string[]
  /** The whole model as one file; equal models give equal bytes. */
  toBytes (): Uint8Array
}

/**
 * The check at the door of every model.
 *
 * @throws RangeError if x has another width or holds a value that is not finite.
 */
export function checkRow (x: ArrayLike<number>, features: readonly string[]): void {
  if (x.length !== features.length) throw new RangeError(`Expected ${features.length} features, got ${x.length}.`)
  for (let i = 0; i < x.length; i++) {
    // `v - v` is 0 for a finite number and NaN for NaN and the infinities: one comparison in the hot loop.
    if (x[i] - x[i] !== 0) throw new RangeError(`Expected a finite number for feature ${i} (${features[i]}), got ${x[i]}.`)
  }
}
