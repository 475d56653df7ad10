import { deviationKinds } from './anomaly-features.ts'

/**
 * One row of fixed width however many signals there are and whatever they are called, so that a forest trained on some services can judge
 * another: for each kind of deviation its root mean square over the signals and its largest size.
 */
export const rowFeatureNames: readonly string[] = [
  ...deviationKinds.map(kind => `${kind}RootMeanSquare`),
  ...deviationKinds.map(kind => `${kind}Largest`)
]

/**
 * @param deviations shape [kinds, width].
 * @returns shape [2 × kinds]: the root mean squares, then the largest.
 */
export function rowFeatures (deviations: Float64Array, width: number): Float64Array {
  const kinds = deviationKinds.length
  const row = new Float64Array(2 * kinds)
  for (let kind = 0; kind < kinds; kind++) {
    let squares = 0
    let largest = 0
    for (let i = kind * width; i < (kind + 1) * width; i++) {
      const square = deviations[i] * deviations[i]
      squares += square
      if (square > largest) largest = square
    }
    row[kind] = width > 0 ? Math.sqrt(squares / width) : 0
    row[kinds + kind] = Math.sqrt(largest)
  }
  return row
}
