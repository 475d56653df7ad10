import { field, fields, placeIn, usualAt } from './signal-memory.ts'
import type { Place, SignalMemory } from './signal-memory.ts'

/**
 * How far each signal is from what is usual, in five ways, each divided by its own usual size and clipped:
 * `level` from its mean, `residual` from its recent mean, `step` from its previous value, `season` from the same time of
 * earlier seasons, `drift` of that seasonal deviation from its recent mean.
 */
export const deviationKinds = ['level', 'residual', 'step', 'season', 'drift'] as const
const [level, residual, step, season, drift] = [0, 1, 2, 3, 4]

/** Beyond a hundred deviations further distance says nothing more. Numenta benchmark: 55 with 20, 64 with 100, 65 with 1,000. */
const clip = 100
/** Steps of the two recent means: a short one for the value itself, an hour of minutes for the seasonal deviation. */
const recentSteps = 20
const recentSeasonalSteps = 60
/**
 * Deviations smaller than this share of the farthest value of late are never called unusual. Without it a signal that is constant but for one blip
 * would look strange for as long as its recent mean takes to forget the blip.
 */
const floorOfFarthest = 0.001
/** The farthest value is forgotten within weeks: a change of unit that was taken back must not blind for ever. Numenta benchmark: 61 with 240 steps, 64 with 5,000. */
const farthestSteps = 10_080
/** Of a single far value so many deviations count as the farthest: with the share above, one deviation more is needed to be unusual. */
const mostOfBlip = 1000
/** A level that was adopted has the precision of four bytes: what is below it is no deviation. */
const leastOfLevel = 1e-7
/** What is learned follows the last two weeks of minutes; an hour of hours would be noise, so it counts steps and not time. */
const horizonSteps = 20_160
const seasonHorizon = 10
/** Scales from so many values are worth keeping: they follow with the whole horizon and no faster, and the shape of a season in twice its own. */
const settledCount = 1000
const slowSeasonHorizon = 2 * seasonHorizon
/** With fewer values known nothing of a signal is unusual; with more, a value moves the statistics by no more than three deviations. */
const trustedCount = 30
/** A smaller bound makes everything unusual, a larger one lets faults pass for normal (Numenta benchmark with 2, 3 and 5: 61, 64, 61). */
const learnClip = 3
/** Where samples in alarm are left out anyway: the smaller bound makes scales shrink by a few per cent in weeks, and then everything is unusual. */
const slowLearnClip = 6

export interface Advance {
  readonly memory: SignalMemory
  /** Shape [kinds, signals]; 0 where nothing can be said. */
  readonly deviations: Float64Array
}

export interface AdvanceOptions {
  /** Place in the season, 0 to 1; NaN where no season is known. */
  readonly position: number
  /** Steps since the sample before; more than 1 after a gap. */
  readonly elapsedSteps: number
  /**
   * `all`: every value counts in full (training rows). `bounded`: far values count as near ones. `slow`: likewise, and what is known well follows
   * within weeks. `season`: the scales stay as they are. `joined`: only the recent values move, and the scales of signals of which little is known
   * yet, as with `bounded`. `none`: only the recent values.
   */
  readonly learning: 'all' | 'bounded' | 'slow' | 'season' | 'joined' | 'none'
}

/**
 * Measures one sample against the memory as it stands, then learns from it. Pure.
 *
 * @param x shape [signals], in the order of `memory.signals`; NaN for a signal that is missing.
 */
export function advance (memory: SignalMemory, x: Float64Array, options: AdvanceOptions): Advance {
  // The season is copied where a slot of it is learned, once in many steps.
  const next = { ...memory, values: memory.values.slice() }
  const width = x.length
  const deviations = new Float64Array(deviationKinds.length * width)
  const place = placeIn(next, options.position)
  // Nobody is alarmed by a service that is new, and what is measured then keeps its tails wide; a signal that joins later is waited for.
  const trustsAll = memory.steps < trustedCount
  let lasting = x
  for (let i = 0; i < width; i++) {
    if (Number.isNaN(x[i])) {
      next.values[i * fields + field.last] = NaN
      continue
    }
    const isBlip = isAloneFar(next.values, i, x[i])
    if (isBlip) lasting = lasting.with(i, NaN)
    advanceSignal(next.values, i, { x: x[i], isBlip, usual: place ? usualAt(next, i, place) : NaN, trustsAll, deviations, width, options })
  }
  return { memory: { ...rememberSeason(next, lasting, place, options), steps: memory.steps + 1 }, deviations }
}

interface OneSignal {
  readonly x: number
  readonly isBlip: boolean
  /** The value of this time of the season; NaN where unknown. */
  readonly usual: number
  readonly trustsAll: boolean
  readonly deviations: Float64Array
  readonly width: number
  readonly options: AdvanceOptions
}

function advanceSignal (values: Float64Array, i: number, { x, isBlip, usual, trustsAll, deviations, width, options }: OneSignal): void {
  const { learning, elapsedSteps } = options
  const at = i * fields
  const known = values[at + field.count]
  const trusted = trustsAll || known >= trustedCount
  if (known === 0) {
    for (const first of [field.mean, field.low, field.high, field.recent]) values[at + first] = x
  }
  const mean = values[at + field.mean]
  const fromMean = x - mean
  const fromRecent = x - values[at + field.recent]
  const fromLast = Number.isNaN(values[at + field.last]) ? 0 : x - values[at + field.last]
  const fromUsual = x - usual
  const seasonal = !Number.isNaN(fromUsual)
  const fromRecentSeasonal = seasonal && !Number.isNaN(values[at + field.recentSeasonal]) ? fromUsual - values[at + field.recentSeasonal] : 0
  const farAway = Math.min(Math.abs(fromMean), isBlip ? mostOfBlip * Math.sqrt(values[at + field.variance]) : Infinity)
  const farthest = Math.max(values[at + field.farthest] * (1 - share(elapsedSteps, farthestSteps)), farAway)
  values[at + field.farthest] = farthest
  const floor = floorOfFarthest * farthest + leastOfLevel * Math.abs(mean) + Number.MIN_VALUE

  if (trusted) {
    deviations[level * width + i] = clipped(fromMean / (Math.sqrt(values[at + field.variance]) + floor))
    deviations[residual * width + i] = clipped(fromRecent / (Math.sqrt(values[at + field.residualSquare]) + floor))
    deviations[step * width + i] = clipped(fromLast / (Math.sqrt(values[at + field.stepSquare]) + floor))
  }
  if (seasonal && trusted) {
    deviations[season * width + i] = clipped(fromUsual / (Math.sqrt(values[at + field.seasonSquare]) + floor))
    deviations[drift * width + i] = clipped(fromRecentSeasonal / (Math.sqrt(values[at + field.driftSquare]) + floor))
  }

  values[at + field.last] = x
  if (!isBlip) values[at + field.recent] += share(elapsedSteps, recentSteps) * fromRecent
  if (seasonal && !isBlip) {
    if (Number.isNaN(values[at + field.recentSeasonal])) values[at + field.recentSeasonal] = fromUsual
    else values[at + field.recentSeasonal] += share(elapsedSteps, recentSeasonalSteps) * fromRecentSeasonal
  }
  if (learning === 'season' || learning === 'none' || (learning === 'joined' && known >= settledCount)) return
  const rate = rateAfter(known, learning)
  const most = learning === 'all' ? Infinity : learning === 'slow' ? slowLearnClip : learnClip
  learnLevel(values, at, { x, most, rate })
  learnSquare(values, at + field.residualSquare, { deviation: fromRecent, rate, most: known >= trustedCount ? most : Infinity })
  learnSquare(values, at + field.stepSquare, { deviation: fromLast, rate, most: known >= trustedCount ? most : Infinity })
  if (!seasonal) return
  const seasons = values[at + field.seasonCount]
  const seasonRate = rateAfter(seasons, learning)
  learnSquare(values, at + field.seasonSquare, { deviation: fromUsual, rate: seasonRate, most: seasons >= trustedCount ? most : Infinity })
  learnSquare(values, at + field.driftSquare, { deviation: fromRecentSeasonal, rate: seasonRate, most: seasons >= trustedCount ? most : Infinity })
  values[at + field.seasonCount] = seasons + 1
}

/**
 * Whether a value is more than a hundred deviations away and the one before was not: a counter that was reset shows 10¹² for one step. It is as
 * unusual as it can be, but recent means would echo it for hours, and a thousandth of it would hide whatever comes later. A level that changed comes twice.
 */
function isAloneFar (values: Float64Array, i: number, x: number): boolean {
  const at = i * fields
  if (values[at + field.count] < trustedCount) return false
  const mean = values[at + field.mean]
  const reach = clip * (Math.sqrt(values[at + field.variance]) + leastOfLevel * Math.abs(mean))
  return Math.abs(x - mean) > reach && !(Math.abs(values[at + field.last] - mean) > reach)
}

/** Weight of one more value after `count` of them. */
function rateAfter (count: number, learning: AdvanceOptions['learning']): number {
  return learning === 'slow' && count >= settledCount ? 1 / horizonSteps : 1 / Math.min(count + 1, horizonSteps)
}

/** Mean and variance with a horizon (Welford's form), and the range. @param most deviations that a value may move them by. */
function learnLevel (values: Float64Array, at: number, { x, most, rate }: { x: number, most: number, rate: number }): void {
  const count = values[at + field.count]
  const mean = values[at + field.mean]
  const reach = most * Math.sqrt(values[at + field.variance])
  // A value that never moved has no deviation to bound by.
  const held = count >= trustedCount && reach > 0
  const delta = held ? Math.max(-reach, Math.min(reach, x - mean)) : x - mean
  values[at + field.count] = count + 1
  values[at + field.mean] = mean + rate * delta
  values[at + field.variance] = (1 - rate) * (values[at + field.variance] + rate * delta * delta)
  const value = mean + delta
  if (value < values[at + field.low]) values[at + field.low] = value
  if (value > values[at + field.high]) values[at + field.high] = value
}

function learnSquare (values: Float64Array, at: number, { deviation, rate, most }: { deviation: number, rate: number, most: number }): void {
  const square = deviation * deviation
  const bound = values[at] > 0 ? most * most * values[at] : Infinity
  values[at] += rate * (Math.min(square, bound) - values[at])
}

/** Gathers the slot at hand; when the season moves on to another slot, the one before is learned. */
function rememberSeason (memory: SignalMemory, x: Float64Array, place: Place | null, { learning }: AdvanceOptions): SignalMemory {
  if (!place || learning === 'none' || learning === 'joined') return { ...memory, slot: -1 }
  const { values } = memory
  const done = memory.slot
  const isOver = done >= 0 && done !== place.slot
  const season = isOver ? memory.season.slice() : memory.season
  const seasonCounts = isOver ? memory.seasonCounts.slice() : memory.seasonCounts
  const slots = seasonCounts.length
  if (isOver) {
    const rate = learning === 'slow' ? 1 / slowSeasonHorizon : 1 / Math.min(seasonCounts[done] + 1, seasonHorizon)
    for (let i = 0; i < x.length; i++) learnSlot({ values, season }, i, { done, slots, rate, bounded: learning !== 'all' && learning !== 'season' })
    seasonCounts[done] = Math.min(seasonCounts[done] + 1, 255)
  }
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i])) continue
    if (memory.slot < 0) values[i * fields + field.slotSum] = values[i * fields + field.slotCount] = 0
    values[i * fields + field.slotSum] += x[i]
    values[i * fields + field.slotCount]++
  }
  return { ...memory, season, seasonCounts, slot: place.slot }
}

interface FinishedSlot { readonly done: number, readonly slots: number, readonly rate: number, readonly bounded: boolean }

function learnSlot ({ values, season }: Pick<SignalMemory, 'values' | 'season'>, i: number, { done, slots, rate, bounded }: FinishedSlot): void {
  const at = i * fields
  const count = values[at + field.slotCount]
  if (count === 0) return
  const value = values[at + field.slotSum] / count
  const before = season[i * slots + done]
  const reach = bounded && values[at + field.seasonSquare] > 0 ? learnClip * Math.sqrt(values[at + field.seasonSquare]) : Infinity
  season[i * slots + done] = Number.isNaN(before) ? value : before + rate * Math.max(-reach, Math.min(reach, value - before))
  values[at + field.slotSum] = 0
  values[at + field.slotCount] = 0
}

const clipped = (value: number) => value > clip ? clip : value < -clip ? -clip : value

/** Weight of a new value in a recent mean over `window` steps, after `elapsed` of them. */
const share = (elapsed: number, window: number) => elapsed === 1 ? 1 / window : 1 - (1 - 1 / window) ** elapsed
