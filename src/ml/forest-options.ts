export interface ForestOptions {
  readonly trees: number
  /** Fewest rows of a leaf; as in scikit-learn a row that the bootstrap drew twice is one row. */
  readonly minLeaf: number
  /** Features tried per split; those that are constant in the node do not count. */
  readonly maxFeatures: number
  readonly maxDepth?: number
  /** Draws with replacement for each tree; as many as there are rows by default. */
  readonly sampleRows?: number
  /** False: every tree learns from every row once, and only the features tried differ. */
  readonly bootstrap?: boolean
}

/** @throws RangeError naming the option. */
export function checkForestOptions (options: ForestOptions, width: number): void {
  const atLeastOne = (name: keyof ForestOptions, value: number) => {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`Expected ${name} to be a whole number from 1, got ${value}.`)
  }
  atLeastOne('trees', options.trees)
  atLeastOne('minLeaf', options.minLeaf)
  atLeastOne('maxFeatures', options.maxFeatures)
  if (options.maxFeatures > width) throw new RangeError(`Expected maxFeatures of at most ${width}, got ${options.maxFeatures}.`)
  if (options.maxDepth !== undefined) atLeastOne('maxDepth', options.maxDepth)
  if (options.sampleRows !== undefined) atLeastOne('sampleRows', options.sampleRows)
}
