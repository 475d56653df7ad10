import type { Policy } from '../domain.ts'
import { findSeasonSeconds } from '../features/season.ts'
import { loadFeatureNames } from '../features/load-features.ts'
import { defaultForecasterOptions, LoadForecaster } from '../ml/forecaster.ts'
import { createRandom } from '../ml/random.ts'
import { createForecastRows } from './forecast-rows.ts'
import { createPastLoads } from './past-loads.ts'

export interface LocalLearnerOptions {
  readonly policy: Policy
  /** Load that one instance carries at 100 % utilisation. */
  readonly capacity: number
  /** Loads to wait for before the first model; 0 never learns one. */
  readonly trainRows?: number
  /** Rows that a model learns from: more hardly help, and retraining stays a matter of seconds. */
  readonly localRows?: number
  readonly localTrees?: number
  readonly seed?: number
}

/** A season is looked for in as many of the newest steps: two weeks of minutes. */
const mostSeasonSteps = 20_160
/** A model is learned again when this share more has passed: eight times in the last 40 % of a trace. */
const retrainAfter = 1.07

/** Learns a model of one service as its loads pass, from what has passed. */
export function createLocalLearner ({ policy, capacity, trainRows = 0, localRows = 6000, localTrees, seed = 1 }: LocalLearnerOptions) {
  const { stepSeconds, startUpSeconds } = policy
  const random = createRandom(seed)
  const horizon = Math.ceil((startUpSeconds === 'auto' ? 0 : startUpSeconds) / stepSeconds) + 1
  const rowsFor = (seasonSeconds: number) => createForecastRows({ stepSeconds, seasonSeconds, horizons: [horizon], unit: capacity, capacity: localRows, random })
  let seasonSeconds = policy.seasonSeconds
  let rows = rowsFor(seasonSeconds)
  const past = createPastLoads(stepSeconds * 1000)
  const defaults = defaultForecasterOptions(loadFeatureNames.length)
  const options = { ...defaults, forest: { ...defaults.forest, trees: localTrees ?? defaults.forest.trees } }
  let passed = 0
  let next = trainRows
  let trainings = 0

  /** Takes one load in (NaN where none was measured); returns a new model when it is time for one. */
  function learn (at: number, load: number): LoadForecaster | null {
    if (trainRows === 0) return null
    passed++
    if (Number.isFinite(load)) {
      rows.add(at, load)
      past.add(at, load)
    }
    if (passed < next) return null
    followSeason()
    const set = rows.set()
    next = Math.ceil(passed * retrainAfter)
    return set.y.length === 0 ? null : LoadForecaster.train(set, { options, random, version: `local/${++trainings}`, seasonSeconds })
  }

  /** Another season is another meaning of the features: the rows are made anew from all that has passed. */
  function followSeason (): void {
    const found = findSeasonSeconds(past.newest(mostSeasonSteps), { stepSeconds, hintSeconds: policy.seasonSeconds })
    if (found === seasonSeconds) return
    seasonSeconds = found
    rows = rowsFor(found)
    past.forEach((at, load) => rows.add(at, load))
  }

  return { learn }
}
