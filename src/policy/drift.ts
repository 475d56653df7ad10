import type { Drift } from '../domain.ts'
import { countDrift, driftFrom, emptyDrift } from '../ml/drift.ts'
import type { DriftWindows } from '../ml/drift.ts'

const daySeconds = 86_400
/** Fewer values say nothing of a distribution. */
const leastWindowSteps = 200
const mostSignalsNamed = 5
/** The ratio to the threshold of a calm service is about 0.25, and mostly between half and twice that: standardised like this. */
const usualRatio = { logarithm: Math.log(0.25), deviation: 0.6 }

export interface DriftInput {
  /** Shape [kinds, signals]; the first kind is the distance from the mean in deviations. */
  readonly deviations: Float64Array
  readonly x: Float64Array
  /** Of the score to its threshold. */
  readonly ratio: number
  readonly stepSeconds: number
}

/** Counts one more sample: the level of each signal and, in the last row, the score. A window is a day, so that every hour of it is in each. */
export function nextDrift (before: DriftWindows | undefined, { deviations, x, ratio, stepSeconds }: DriftInput): DriftWindows {
  const values = new Float64Array(x.length + 1)
  for (let i = 0; i < x.length; i++) values[i] = Number.isNaN(x[i]) ? NaN : deviations[i]
  // Without an opinion the ratio is 0 and its logarithm not finite: that does not count.
  values[x.length] = (Math.log(ratio) - usualRatio.logarithm) / usualRatio.deviation
  return countDrift(before ?? emptyDrift(values.length), values, Math.max(leastWindowSteps, Math.round(daySeconds / stepSeconds)))
}

/** How far the last whole day lies from those before, and what that says of the model. */
export function driftOf ({ index }: DriftWindows, signals: readonly string[]): Drift {
  if (!index.some(value => value > driftFrom)) return { score: index[signals.length] ?? 0, signals: [], reason: null }
  const moved = signals.map((signal, i) => ({ signal, index: index[i] })).filter(({ index }) => index > driftFrom)
    .sort((a, b) => b.index - a.index)
  const score = index[signals.length] ?? 0
  const named = moved.slice(0, mostSignalsNamed)
  return { score, signals: named, reason: reasonOf(score, moved.length, named) }
}

function reasonOf (score: number, count: number, named: Drift['signals']): string | null {
  const write = (value: number) => value.toFixed(2)
  const others = count > named.length ? ` and ${count - named.length} more` : ''
  if (score > driftFrom) {
    const because = named.length > 0 ? `; ${named.map(({ signal }) => signal).join(', ')}${others} moved as well` : ''
    return `Scores of the last day lie elsewhere than before (stability index ${write(score)}, ${driftFrom} is much)${because}: train again.`
  }
  if (named.length === 0) return null
  return `${named.map(({ signal, index }) => `${signal} (${write(index)})`).join(', ')}${others} moved within the last day; scores did not.`
}
