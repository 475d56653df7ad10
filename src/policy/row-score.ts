import { deviationKinds } from '../features/anomaly-features.ts'

/** The components of a row's score: root mean square of each kind of deviation, and the forest's opinion of them together. */
export const componentCount = deviationKinds.length + 1
export const forestComponent = deviationKinds.length
export const seasonalKinds: readonly number[] = [deviationKinds.indexOf('season'), deviationKinds.indexOf('drift')]

/** What is usual for each component, shape [components, 2]: median and 99th percentile; NaN where not enough is known. */
export type Calibration = Float64Array

/** Fewer values give no 99th percentile. */
const leastSeen = 100

/** @param row of `rowFeatures`. @param forestScore NaN where there is no forest. @returns shape [components]; NaN for what is not known. */
export function componentsOf (row: Float64Array, forestScore: number): Float64Array {
  const components = new Float64Array(componentCount)
  for (let kind = 0; kind < deviationKinds.length; kind++) components[kind] = row[kind]
  components[forestComponent] = forestScore
  return components
}

/** A component that never moved must not turn the first breath into a storm. */
const leastSpread = 0.02

/** What is usual, from training rows. A seasonal kind is exactly 0 while no season is known: such rows do not count for it. */
export function calibrate (rows: readonly Float64Array[]): Calibration {
  return calibrationOf(c => {
    const values = Float64Array.from(rows, row => row[c]).filter(value => isSaid(value, c)).sort()
    return { median: values[values.length >> 1], high: values[Math.floor(0.99 * values.length)], seen: values.length }
  })
}

/** Whether a component says something: a seasonal kind that is exactly 0 does not, nor does NaN. */
export const isSaid = (value: number, c: number) => value > 0 || (value === 0 && !seasonalKinds.includes(c))

/** @param usual median and 99th percentile of a component, and of how many values. */
export function calibrationOf (usual: (component: number) => { readonly median: number, readonly high: number, readonly seen: number }): Calibration {
  const calibration = new Float64Array(2 * componentCount).fill(NaN)
  for (let c = 0; c < componentCount; c++) {
    const { median, high, seen } = usual(c)
    if (seen >= leastSeen) calibration.set([median, Math.max(high, median + leastSpread)], 2 * c)
  }
  return calibration
}

/**
 * Components on one scale: 0 at their median, 1 at their 99th percentile, what lies below the median is 0.
 *
 * @returns shape [components]; NaN where not enough is known.
 */
export function mapped (components: Float64Array, calibration: Calibration): Float64Array {
  const onOneScale = new Float64Array(components.length)
  for (let c = 0; c < components.length; c++) {
    const median = calibration[2 * c]
    onOneScale[c] = Math.max(0, (components[c] - median) / (calibration[2 * c + 1] - median))
  }
  return onOneScale
}

/** Mean of the components that are known; 0 where none is. */
export function rowScore (onOneScale: Float64Array): number {
  let sum = 0
  let known = 0
  for (let c = 0; c < onOneScale.length; c++) {
    if (Number.isNaN(onOneScale[c])) continue
    sum += onOneScale[c]
    known++
  }
  return known > 0 ? sum / known : 0
}
