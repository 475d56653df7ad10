/**
 * What is remembered of each signal of one service, in fixed space: 17 numbers and a coarse picture of one season.
 * Every function here is O(signals) per sample; arrays are in the order of `signals`, which is sorted by name.
 */
export interface SignalMemory {
  readonly signals: readonly string[]
  /** Samples seen. */
  readonly steps: number
  /** Shape [signals, fields]. */
  readonly values: Float64Array
  /** Shape [signals, slots]: the usual value in each part of the season, NaN where nothing is known. */
  readonly season: Float32Array
  /** Per slot: the seasons that it was learned from, at most 255. */
  readonly seasonCounts: Uint8Array
  /** The slot that is being gathered, −1 before the first. */
  readonly slot: number
}

/** Columns of `values`. Squares are means of squares of what the deviation of the same name is before it is divided. */
export const field = {
  count: 0,
  mean: 1,
  variance: 2,
  low: 3,
  high: 4,
  last: 5,
  recent: 6,
  // 7 held a slow mean in states of the first release.
  recentSeasonal: 8,
  residualSquare: 9,
  stepSquare: 10,
  seasonSquare: 11,
  driftSquare: 12,
  seasonCount: 13,
  slotSum: 14,
  slotCount: 15,
  farthest: 16
} as const
export const fields = 17

/** 1 to 10 signals: 288 slots (5 minutes of a day); 38: 72; 64: 48; more, whose scales need the space: 12. Together at most 12 KiB for 256 of them. */
const seasonBytes = 12 * 1024
const slotChoices = [288, 144, 96, 72, 48, 12]

export function slotsFor (signals: number): number {
  return slotChoices.find(slots => slots * signals * Float32Array.BYTES_PER_ELEMENT <= seasonBytes) ?? slotChoices[slotChoices.length - 1]
}

export function emptyMemory (): SignalMemory {
  return { signals: [], steps: 0, values: new Float64Array(0), season: new Float32Array(0), seasonCounts: new Uint8Array(0), slot: -1 }
}

/** The memory with room for `added` signals; what was known stays. A new number of slots starts the season anew. */
export function widenMemory (memory: SignalMemory, added: readonly string[]): SignalMemory {
  const signals = [...memory.signals, ...added].sort()
  const slots = slotsFor(signals.length)
  const keepSeason = memory.seasonCounts.length === slots
  const values = new Float64Array(signals.length * fields)
  const season = new Float32Array(signals.length * slots).fill(NaN)
  for (const [i, signal] of signals.entries()) {
    const before = memory.signals.indexOf(signal)
    if (before < 0) {
      values.set([NaN, NaN, NaN, NaN], i * fields + field.last)
      continue
    }
    values.set(memory.values.subarray(before * fields, (before + 1) * fields), i * fields)
    if (keepSeason) season.set(memory.season.subarray(before * slots, (before + 1) * slots), i * slots)
  }
  const seasonCounts = keepSeason ? memory.seasonCounts.slice() : new Uint8Array(slots)
  return { signals, steps: memory.steps, values, season, seasonCounts, slot: keepSeason ? memory.slot : -1 }
}

/** Squares of what lies beyond have no room in four bytes, and one square that is not finite would be kept for ever. */
const farthestValue = 1e18

/** A measured value as it is remembered; NaN stays NaN. */
export const bounded = (value: number) => Math.max(-farthestValue, Math.min(farthestValue, value))

/** How many deviations around the usual value still count as normal. */
const normalReach = 3

/** Where a signal normally lies: around what is usual at this time of the season if that is known, else around its mean; within what was seen. */
export function expectedRange (memory: SignalMemory, i: number, position: number): { low: number, high: number, isSeasonal: boolean } {
  const at = i * fields
  const { values } = memory
  const place = placeIn(memory, position)
  const usual = place ? usualAt(memory, i, place) : NaN
  const isSeasonal = !Number.isNaN(usual) && values[at + field.seasonCount] > 0
  const middle = isSeasonal ? usual : values[at + field.mean]
  const reach = normalReach * Math.sqrt(values[at + (isSeasonal ? field.seasonSquare : field.variance)])
  const low = Math.max(values[at + field.low], middle - reach)
  const high = Math.min(values[at + field.high], middle + reach)
  // A level that has shifted lies outside of all that was learned; the nearest known value is then the whole range.
  if (low <= high) return { low, high, isSeasonal }
  const nearest = Math.min(values[at + field.high], low)
  return { low: nearest, high: nearest, isSeasonal: false }
}

export interface Place { readonly slot: number, readonly left: number, readonly right: number, readonly fraction: number }

/** The slot of a place in the season, and the two middles of slots around it. */
export function placeIn (memory: SignalMemory, position: number): Place | null {
  if (Number.isNaN(position)) return null
  const slots = memory.seasonCounts.length
  const exact = position * slots
  const slot = Math.min(Math.floor(exact), slots - 1)
  const fromCentre = exact - 0.5
  const left = Math.floor(fromCentre)
  return { slot, left: (left + slots) % slots, right: (left + 1) % slots, fraction: fromCentre - left }
}

/**
 * The usual value at a place of the season: straight between the middles of two slots, or that of its own slot where a neighbour is never met
 * because a step is longer than a slot.
 */
export function usualAt ({ season, seasonCounts }: SignalMemory, i: number, { slot, left, right, fraction }: Place): number {
  const first = i * seasonCounts.length
  const between = season[first + left] * (1 - fraction) + season[first + right] * fraction
  return Number.isNaN(between) ? season[first + slot] : between
}
