import { field, fields } from './signal-memory.ts'
import type { SignalMemory } from './signal-memory.ts'

/**
 * Signals of a trained service that have left their level and stay away: `left` steps until the new level is adopted, and what is known of it; the
 * `former` level of a signal whose level was adopted at the start, NaN otherwise.
 * Shape [signals, columns] in the order of the memory's signals.
 */
export type Shifts = Float32Array
const column = { left: 0, count: 1, mean: 2, square: 3, former: 4 } as const
const columns = 5

/** A recent mean this many deviations from the mean is another level. */
const awayDeviations = 3
/** A thousandth of the farthest value ever seen is noise in a constant signal. */
const floorOfFarthest = 0.001
/**
 * What is away from the first judged sample on has no beginning that anybody could have seen: the training rows were of another time, and
 * the level is adopted after this many steps. So is the level of training when a signal returns to it from there: then it was a fault after all.
 */
const soonSteps = 30

/** At the end of training: no signal has been inside its level yet. */
export function startShifts (signals: number): Shifts {
  const shifts = new Float32Array(signals * columns)
  for (let i = 0; i < signals; i++) {
    shifts[i * columns + column.left] = soonSteps
    shifts[i * columns + column.former] = NaN
  }
  return shifts
}

export interface Followed {
  readonly memory: SignalMemory
  readonly shifts: Shifts
  /** Indexes of the signals whose level was adopted at this step. */
  readonly adopted: readonly number[]
}

/**
 * Counts how long each signal has been away from its level; one that has been for `adoptAfterSteps` without a break gets the new level as its own.
 * Its spread never shrinks by it, and the shape of its season moves along. Pure; O(signals).
 *
 * @param memory after it was advanced by `x`.
 * @param x shape [signals], NaN for a signal that is missing.
 */
export function followShifts (memory: SignalMemory, before: Shifts, { x, adoptAfterSteps }: { x: Float64Array, adoptAfterSteps: number }): Followed {
  const shifts = before.length === x.length * columns ? before.slice() : startShifts(x.length)
  const adopted: number[] = []
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i])) continue
    const at = i * columns
    const level = memory.values[i * fields + field.mean]
    if (!isAway(memory, i, level)) {
      // A value that is away while its recent mean is not is a blip, or the beginning of a shift: it says neither.
      if (deviationsFrom(memory, i, { value: x[i], level }) > awayDeviations) continue
      shifts[at + column.left] = adoptAfterSteps
      shifts[at + column.count] = 0
      continue
    }
    learnLevel(shifts, at, x[i])
    if (!isAway(memory, i, shifts[at + column.former])) shifts[at + column.left] = Math.min(shifts[at + column.left], soonSteps)
    if (--shifts[at + column.left] > 0) continue
    adopted.push(i)
    const isStart = shifts[at + column.count] <= soonSteps && Number.isNaN(shifts[at + column.former])
    shifts[at + column.former] = isStart ? level : NaN
    shifts[at + column.left] = adoptAfterSteps
    shifts[at + column.count] = 0
  }
  return { memory: adopted.length > 0 ? withLevels(memory, shifts, adopted) : memory, shifts, adopted }
}

/** Whether the recent mean of a signal is far from a level; every level that is not known is far. */
function isAway (memory: SignalMemory, i: number, level: number): boolean {
  return !(deviationsFrom(memory, i, { value: memory.values[i * fields + field.recent], level }) <= awayDeviations)
}

function deviationsFrom ({ values }: SignalMemory, i: number, { value, level }: { value: number, level: number }): number {
  const at = i * fields
  return Math.abs(value - level) / (Math.sqrt(values[at + field.variance]) + floorOfFarthest * values[at + field.farthest] + Number.MIN_VALUE)
}

/** Mean and variance of the values since the signal left (Welford's form). */
function learnLevel (shifts: Shifts, at: number, x: number): void {
  const count = shifts[at + column.count] + 1
  if (count === 1) shifts[at + column.mean] = shifts[at + column.square] = 0
  const delta = x - shifts[at + column.mean]
  shifts[at + column.count] = count
  shifts[at + column.mean] += delta / count
  shifts[at + column.square] += (delta * (x - shifts[at + column.mean]) - shifts[at + column.square]) / count
}

function withLevels (memory: SignalMemory, shifts: Shifts, adopted: readonly number[]): SignalMemory {
  const values = memory.values.slice()
  const season = memory.season.slice()
  const slots = memory.seasonCounts.length
  for (const i of adopted) {
    const at = i * fields
    const mean = shifts[i * columns + column.mean]
    const moved = mean - values[at + field.mean]
    const reach = awayDeviations * Math.sqrt(shifts[i * columns + column.square])
    values[at + field.mean] = mean
    values[at + field.variance] = Math.max(values[at + field.variance], shifts[i * columns + column.square])
    values[at + field.low] = Math.min(mean - reach, values[at + field.recent])
    values[at + field.high] = Math.max(mean + reach, values[at + field.recent])
    values[at + field.recentSeasonal] = NaN
    for (let slot = 0; slot < slots; slot++) season[i * slots + slot] += moved
  }
  return { ...memory, values, season }
}
