import { largestBetween, loadBefore, type LoadWindow } from './window.ts'

const lags = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 24, 29, 34, 39, 44, 49, 54, 59]
const spans = [5, 10, 15, 30, 60, 120, 240]
const slopeSpans = [3, 10, 30]
const seasonsAgo = [1, 2, 3, 7]
const longestSpan = spans[spans.length - 1]
/** Steps whose mean is the present level: fewer follow noise, more lag behind a rise. */
const levelSteps = 5
/** Loads below this share of one instance are all alike to a scaler; it keeps the logarithms of a silent service finite. */
const quietShare = 0.1

/**
 * What the forecaster sees of a service: natural logarithms of ratios of past loads to the present level, and where in the season
 * we are. Nothing carries a unit, so one model serves services of any size, and a load that doubles is extrapolated.
 * What is not known is 0: "as it is now".
 */
export const loadFeatureNames: readonly string[] = [
  ...lags.map(lag => `lag${lag}`),
  ...spans.flatMap(span => [`mean${span}`, `largest${span}`, `smallest${span}`, `deviation${span}`]),
  ...slopeSpans.map(span => `slope${span}`),
  ...seasonsAgo.flatMap(n => [`ahead${n}SeasonsAgo`, `level${n}SeasonsAgo`, `growth${n}SeasonsAgo`]),
  'largestOfSeason', 'instances',
  'seasonSine', 'seasonCosine', 'seasonSine2', 'seasonCosine2', 'seasonPhase', 'seasonOfSeven', 'hourPhase',
  'knownSteps', 'horizonSteps'
]

export interface LoadFeatures {
  /** [loadFeatureNames.length], all finite */
  readonly x: Float64Array
  /** The load that the ratios refer to: the mean of the last five known steps plus `quiet`. */
  readonly level: number
  /** Added to every load before its ratio is taken. */
  readonly quiet: number
}

/** @param unit load that one instance carries; only sets what counts as quiet. Null where nobody knows yet. */
export function loadFeatures (window: LoadWindow, { horizonSteps, unit }: { horizonSteps: number, unit: number | null }): LoadFeatures {
  const { loads, known } = knownLoads(window)
  const largest = largestBetween(window, window.lastAt - window.seasonSeconds * 1000, window.lastAt)
  const quiet = Math.max(quietShare * (unit ?? largest / 20), 1e-9)
  const level = mean(loads, Math.min(levelSteps, known)) + quiet
  const x = new Float64Array(loadFeatureNames.length)
  const ratios = loads.subarray(0, known).map(load => Math.log((load + quiet) / level))

  let i = 0
  for (const lag of lags) x[i++] = lag < known ? ratios[lag] : 0
  i = writeSpans(x, i, ratios)
  for (const span of slopeSpans) x[i++] = slope(ratios, Math.min(span, known))
  for (const n of seasonsAgo) {
    const then = window.lastAt - n * window.seasonSeconds * 1000
    const ahead = largestBetween(window, then, then + horizonSteps * window.stepMs)
    const before = largestBetween(window, then - levelSteps * window.stepMs, then)
    const isKnown = ahead >= 0 && before >= 0
    x[i++] = isKnown ? Math.log((ahead + quiet) / level) : 0
    x[i++] = isKnown ? Math.log((before + quiet) / level) : 0
    x[i++] = isKnown ? Math.log((ahead + quiet) / (before + quiet)) : 0
  }
  x[i++] = Math.log((largest + quiet) / level)
  x[i++] = Math.log(level / quiet * quietShare)
  i = writeClock(x, i, window)
  x[i++] = known
  x[i++] = horizonSteps
  return { x, level, quiet }
}

/** The newest loads first; a gap repeats the load before it. `known` ends at the oldest load of the window. */
function knownLoads (window: LoadWindow): { loads: Float64Array, known: number } {
  const loads = new Float64Array(longestSpan)
  let known = 0
  let older = NaN
  for (let step = longestSpan - 1; step >= 0; step--) {
    const load = loadBefore(window, step)
    if (load >= 0) older = load
    if (older >= 0 && known === 0) known = step + 1
    loads[step] = older
  }
  return { loads, known }
}

function mean (values: Float64Array, count: number): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += values[i]
  return count === 0 ? 0 : sum / count
}

/** Mean, largest, smallest and standard deviation over each span, in one pass from the newest to the oldest. */
function writeSpans (x: Float64Array, start: number, ratios: Float64Array): number {
  let i = start
  let count = 0
  let average = 0
  let squares = 0
  let largest = -Infinity
  let smallest = Infinity
  for (const span of spans) {
    for (; count < span && count < ratios.length;) {
      const ratio = ratios[count++]
      const delta = ratio - average
      average += delta / count
      squares += delta * (ratio - average)
      if (ratio > largest) largest = ratio
      if (ratio < smallest) smallest = ratio
    }
    x[i++] = average
    x[i++] = largest
    x[i++] = smallest
    x[i++] = Math.sqrt(squares / count)
  }
  return i
}

/** Least-squares slope per step over the newest `count` values (newest first). */
function slope (values: Float64Array, count: number): number {
  if (count < 2) return 0
  const centre = (count - 1) / 2
  let covariance = 0
  let variance = 0
  for (let i = 0; i < count; i++) {
    covariance += (centre - i) * values[i]
    variance += (centre - i) * (centre - i)
  }
  return covariance / variance
}

function writeClock (x: Float64Array, start: number, { lastAt, seasonSeconds }: LoadWindow): number {
  let i = start
  const seasons = lastAt / 1000 / seasonSeconds
  const phase = seasons - Math.floor(seasons)
  const angle = 2 * Math.PI * phase
  x[i++] = Math.sin(angle)
  x[i++] = Math.cos(angle)
  x[i++] = Math.sin(2 * angle)
  x[i++] = Math.cos(2 * angle)
  x[i++] = phase
  x[i++] = Math.floor(seasons) % 7
  x[i++] = phase * 24 - Math.floor(phase * 24)
  return i
}
