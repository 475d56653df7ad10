import { loadFeatureNames, loadFeatures } from '../features/load-features.ts'
import { createWindow, pushLoad } from '../features/window.ts'
import type { TrainingSet } from '../ml/forest.ts'
import type { Random } from '../ml/random.ts'

export interface ForecastRowsOptions {
  readonly stepSeconds: number
  readonly seasonSeconds: number
  /** Every row looks this far ahead; where there are several, each row draws its own. */
  readonly horizons: readonly number[]
  /** Load that one instance carries; see loadFeatures. */
  readonly unit: number
  /** Rows kept: a share are the newest, the others are drawn from everything before. */
  readonly capacity: number
  readonly recentShare?: number
  /** Share of all steps that are made into rows at all; saves time where many more steps come than rows are kept. */
  readonly considered?: number
  readonly random: Random
}

interface Row { readonly x: Float64Array, readonly level: number, readonly quiet: number, readonly until: number, largest: number }

/**
 * Turns a stream of loads into rows for the forecaster: what was seen, and what came within the horizon. A row is kept only when
 * its horizon has passed. Memory does not grow with the stream.
 */
export function createForecastRows ({ stepSeconds, seasonSeconds, horizons, unit, capacity, recentShare = 1 / 3, considered = 1, random }:
ForecastRowsOptions) {
  const width = loadFeatureNames.length
  const window = { ...createWindow({ stepSeconds, seasonSeconds }) }
  const newest = createRows(Math.max(1, Math.round(capacity * recentShare)), width)
  const older = createRows(capacity - newest.size, width)
  let open: Row[] = []
  let closed = 0
  let weightLeft = 0

  /** @param at epoch ms, ascending. */
  function add (at: number, load: number): void {
    for (const row of open) if (load > row.largest) row.largest = load
    open.filter(row => row.until <= at).forEach(close)
    open = open.filter(row => row.until > at)
    pushLoad(window, at, load)
    if (considered < 1 && random() >= considered) return
    const horizonSteps = horizons.length === 1 ? horizons[0] : horizons[Math.floor(random() * horizons.length)]
    const { x, level, quiet } = loadFeatures(window, { horizonSteps, unit })
    open.push({ x, level, quiet, until: at + horizonSteps * stepSeconds * 1000, largest: -Infinity })
  }

  function close ({ x, level, quiet, largest }: Row): void {
    if (!(largest >= 0)) return
    const place = closed % newest.size
    if (closed >= newest.size) keepOlder(place)
    newest.x.set(x, place * width)
    newest.y[place] = Math.log((largest + quiet) / level)
    newest.level[place] = level
    closed++
  }

  /**
   * A reservoir in which a row that left the newest ones is kept in proportion to the root of its level: what a forecast is worth,
   * in instances and in requests, grows with the load, and the busiest hours are few; but the quiet ones hold rare events, too.
   *
   * @see Chao, "A general purpose unequal probability sampling plan", Biometrika 1982.
   */
  function keepOlder (from: number): void {
    const seen = closed - newest.size
    const weight = Math.sqrt(newest.level[from])
    weightLeft += weight
    if (seen >= older.size && random() * weightLeft >= older.size * weight) return
    const place = seen < older.size ? seen : Math.floor(random() * older.size)
    older.x.set(newest.x.subarray(from * width, (from + 1) * width), place * width)
    older.y[place] = newest.y[from]
  }

  function set (): TrainingSet {
    const recent = Math.min(closed, newest.size)
    const old = Math.min(Math.max(closed - newest.size, 0), older.size)
    const x = new Float64Array((recent + old) * width)
    const y = new Float64Array(recent + old)
    x.set(older.x.subarray(0, old * width))
    y.set(older.y.subarray(0, old))
    x.set(newest.x.subarray(0, recent * width), old * width)
    y.set(newest.y.subarray(0, recent), old)
    return { features: loadFeatureNames, x, y }
  }

  return { add, set }
}

function createRows (size: number, width: number) {
  return { size, x: new Float64Array(size * width), y: new Float64Array(size), level: new Float64Array(size) }
}
