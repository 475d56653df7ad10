import type { Sample, Signals, TuningObjective, TuningRules } from '../domain.ts'
import { tuningSignals } from '../features/tuning-features.ts'
import { performanceOf, signalsOf } from './objective.ts'

/** The newest samples of a service, so that a feedback need not say what they have said: a ring, 4 bytes a signal. */
export interface RecentSamples {
  readonly names: readonly string[]
  /** Epoch ms, of each row; NaN where none is yet. */
  readonly at: Float64Array
  /** Rows of names.length; NaN where a signal was not measured. */
  readonly values: Float32Array
  /** The row that is written next. */
  readonly next: number
}

export const rowsKept = 32

function namesOf ({ objective, furtherSignals }: Pick<TuningRules, 'objective' | 'furtherSignals'>): string[] {
  const needed = objective.kind === 'expression' ? signalsOf(objective) : []
  return [...new Set([...tuningSignals, ...furtherSignals, ...needed])]
}

interface RememberOptions extends Pick<TuningRules, 'objective' | 'furtherSignals'> { readonly rows: number }

/** With one more sample; begun anew where more of them or other signals are needed than before. */
export function remember (recent: RecentSamples | null, { at, signals }: Pick<Sample, 'at' | 'signals'>, { rows, ...rules }: RememberOptions): RecentSamples {
  const names = namesOf(rules)
  const before = recent !== null && recent.at.length === rows && recent.names.join() === names.join()
    ? recent
    : { names, at: new Float64Array(rows).fill(NaN), values: new Float32Array(rows * names.length), next: 0 }
  const times = before.at.slice()
  const values = before.values.slice()
  times[before.next] = at
  names.forEach((name, i) => { values[before.next * names.length + i] = signals[name] ?? NaN })
  return { names: before.names, at: times, values, next: (before.next + 1) % rows }
}

function rowSignals ({ names, values }: RecentSamples, row: number): Signals {
  const signals: Record<string, number> = {}
  names.forEach((name, i) => {
    const value = values[row * names.length + i]
    if (Number.isFinite(value)) signals[name] = value
  })
  return signals
}

/** What the newest sample up to a time said, and when; null where none so old is kept. */
export function sampleAt (recent: RecentSamples, at: number): Pick<Sample, 'at' | 'signals'> | null {
  let best = -1
  for (let row = 0; row < recent.at.length; row++) {
    if (recent.at[row] <= at && (best < 0 || recent.at[row] > recent.at[best])) best = row
  }
  return best < 0 ? null : { at: recent.at[best], signals: rowSignals(recent, best) }
}

/** Mean performance of the samples after `from` and up to `to`; NaN where there is none that says it. */
export function meanPerformance (recent: RecentSamples, objective: TuningObjective, { from, to }: { from: number, to: number }): number {
  let sum = 0
  let count = 0
  for (let row = 0; row < recent.at.length; row++) {
    if (!(recent.at[row] > from && recent.at[row] <= to)) continue
    const performance = performanceOf(objective, rowSignals(recent, row))
    if (!Number.isFinite(performance)) continue
    sum += performance
    count++
  }
  return count === 0 ? NaN : sum / count
}
