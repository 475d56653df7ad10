/** Longest series that is looked at: longer ones are averaged in blocks first. */
const mostPoints = 4096
/** A cycle must be seen this often to be believed. */
const leastCycles = 2.5
const leastPeriodRows = 24
/** Of the variance; below, the cycle does not help to tell what is usual. */
const leastCorrelation = 0.2
/** The first peak of at least this share of the highest is the cycle; the highest may be a multiple of it. */
const nearlyHighest = 0.75

/**
 * Rows of one cycle that the signals share, found in the mean of their autocorrelations; null if there is none.
 *
 * @param x shape [rows, width], row-major; NaN for missing.
 */
export function findPeriodRows (x: Float64Array, width: number): number | null {
  const rows = x.length / width
  const block = Math.ceil(rows / mostPoints)
  const points = Math.floor(rows / block)
  const longest = Math.floor(points / leastCycles)
  if (longest * block < leastPeriodRows) return null
  const correlation = new Float64Array(longest + 1)
  const coarse = standardisedSignals(x, { width, block, points })
  if (coarse.length === 0) return null
  for (const series of coarse) {
    for (let lag = 0; lag <= longest; lag++) correlation[lag] += autocorrelation(series, lag) / coarse.length
  }
  const period = firstHighPeak(correlation, block)
  const reach = Math.max(block, Math.round((period ?? 0) * 0.02))
  return period && refinedPeriod(standardisedSignals(x, { width, block: 1, points: rows }), { period, reach })
}

/** What is a hint's divisor or multiple but for this share is taken for exactly that. */
const snapShare = 0.015
const mostParts = 48
/** Shorter cycles are parts of a day like all others, and would leave a history of seven of them. */
const leastSeasonRows = 120
/** A cycle that has nothing to do with the hint has to be this much more marked. */
const unrelatedMargin = 0.05
const dividingMargin = 0.02

/**
 * Seconds of the season of a load: the cycle that shows in its autocorrelation, where the hint (usually a day) does not describe it as well.
 * A multiple of the hint, such as a week, leaves the hint in place: seven seasons are kept anyway.
 *
 * @param loads one for each step; NaN for a gap. Too few, or no cycle at all, leave the hint in place.
 */
export function findSeasonSeconds (loads: Float64Array, { stepSeconds, hintSeconds }: { stepSeconds: number, hintSeconds: number }): number {
  const typical = loads.reduce((sum, load) => sum + (load || 0), 0) / Math.max(1, loads.length)
  const x = loads.map(load => Math.log(load + 0.05 * typical + 1e-9))
  const found = findPeriodRows(x, 1)
  const hint = Math.round(hintSeconds / stepSeconds)
  if (found === null || found < leastSeasonRows) return hintSeconds
  const parts = Math.round(hint / found)
  const isPart = parts >= 1 && parts <= mostParts && Math.abs(hint / parts / found - 1) <= snapShare
  const multiple = Math.round(found / hint)
  if (multiple >= 1 && Math.abs(found / (multiple * hint) - 1) <= snapShare) return hintSeconds
  const series = standardisedSignals(x, { width: 1, block: 1, points: x.length })[0]
  if (hint * leastCycles <= x.length) {
    const margin = isPart ? -dividingMargin : unrelatedMargin
    if (autocorrelation(series, isPart ? Math.round(hint / parts) : found) < autocorrelation(series, hint) + margin) return hintSeconds
  }
  return isPart ? hintSeconds / parts : found * stepSeconds
}

interface Blocks { readonly width: number, readonly block: number, readonly points: number }

function standardisedSignals (x: Float64Array, shape: Blocks): Float64Array[] {
  return Array.from({ length: shape.width }, (_, signal) => standardisedBlocks(x, { ...shape, signal })).filter(series => series !== null)
}

/** The period within `reach` rows at whose multiples the correlation is highest: a row too much shows after ten cycles. */
function refinedPeriod (signals: readonly Float64Array[], { period, reach }: { period: number, reach: number }): number {
  const multiples = Math.max(1, Math.floor(signals[0].length / 2 / (period + reach)))
  let best = period
  let highest = -Infinity
  for (let candidate = period - reach; candidate <= period + reach; candidate++) {
    const sum = correlationAtMultiples(signals, { candidate, multiples })
    if (sum <= highest) continue
    highest = sum
    best = candidate
  }
  return best
}

function standardisedBlocks (x: Float64Array, { width, signal, block, points }: Blocks & { signal: number }): Float64Array | null {
  const series = new Float64Array(points)
  let mean = 0
  let last = firstKnown(x, { width, signal })
  for (let p = 0; p < points; p++) {
    let sum = 0
    for (let row = p * block; row < (p + 1) * block; row++) {
      const value = x[row * width + signal]
      if (!Number.isNaN(value)) last = value
      sum += last
    }
    series[p] = sum / block
    mean += series[p] / points
  }
  let variance = 0
  for (const value of series) variance += (value - mean) ** 2 / points
  return variance > 0 ? series.map(value => Math.max(-4, Math.min(4, (value - mean) / Math.sqrt(variance)))) : null
}

function firstKnown (x: Float64Array, { width, signal }: { width: number, signal: number }): number {
  for (let i = signal; i < x.length; i += width) if (!Number.isNaN(x[i])) return x[i]
  return 0
}

function correlationAtMultiples (signals: readonly Float64Array[], { candidate, multiples }: { candidate: number, multiples: number }): number {
  let sum = 0
  for (let multiple = 1; multiple <= multiples; multiple++) {
    for (const series of signals) sum += autocorrelation(series, candidate * multiple)
  }
  return sum
}

function autocorrelation (series: Float64Array, lag: number): number {
  let sum = 0
  for (let i = lag; i < series.length; i++) sum += series[i] * series[i - lag]
  return sum / (series.length - lag)
}

function firstHighPeak (correlation: Float64Array, block: number): number | null {
  const isPeak = (lag: number) => {
    const reach = Math.max(2, Math.floor(lag * 0.1))
    for (let other = lag - reach; other <= Math.min(lag + reach, correlation.length - 1); other++) {
      if (correlation[other] > correlation[lag]) return false
    }
    return lag + reach < correlation.length && correlation[lag] - Math.min(...correlation.subarray(0, lag)) > leastCorrelation
  }
  const peaks: number[] = []
  for (let lag = Math.ceil(leastPeriodRows / block); lag < correlation.length; lag++) {
    if (correlation[lag] >= leastCorrelation && isPeak(lag)) peaks.push(lag)
  }
  const highest = Math.max(...peaks.map(lag => correlation[lag]))
  const period = peaks.find(lag => correlation[lag] >= nearlyHighest * highest)
  return period === undefined ? null : period * block
}
