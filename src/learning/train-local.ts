import { loadFeatureNames } from '../features/load-features.ts'
import { findSeasonSeconds } from '../features/season.ts'
import { defaultForecasterOptions, LoadForecaster } from '../ml/forecaster.ts'
import { createRandom } from '../ml/random.ts'
import type { TrainingSet } from '../ml/forest.ts'
import { takeOver } from '../policy/defaults.ts'
import { pinballLoss, stepsPerForecast } from '../policy/forecast-record.ts'
import { createForecastRows } from './forecast-rows.ts'

/** What a model of one service is learned from; plain values, so that a worker thread can be given it. */
export interface LocalTask {
  /** Epoch ms of the end of the first step. */
  readonly startAt: number
  readonly stepSeconds: number
  /** Where the loads show no other season. */
  readonly seasonSeconds: number
  /** One for each step, NaN for a gap. */
  readonly loads: Float64Array
  readonly horizonSteps: number
  /** Load that one instance carries at 100 %. */
  readonly capacity: number
  /** Most rows to learn from. */
  readonly rows: number
  readonly seed: number
  /** Of the new model, as decisions will carry it. */
  readonly version: string
  /** The model in use. It has learned from what lies before `seenUntil`; null where it has never seen this service. */
  readonly rival: { readonly version: string, readonly bytes: Uint8Array, readonly seenUntil: number | null }
}

/** Mean pinball losses of both on forecasts that neither had seen. */
export interface HeldBack { readonly forecasts: number, readonly loss: number, readonly rivalLoss: number }

export type LocalResult =
  | { readonly status: 'learned', readonly bytes: Uint8Array, readonly rows: number, readonly heldBack: HeldBack }
  | { readonly status: 'not-better', readonly heldBack: HeldBack }
  | { readonly status: 'too-little', readonly forecasts: number }

/** Half of the trees and larger leaves than in a replay lose 1 % on ten traces, and take a quarter of the memory. */
const forest = { trees: 32, minLeaf: 8 }
/** The newest part of the history is held back: a fifth, at most a day of minutes. */
const heldBackShare = 0.2
const mostHeldBack = 1440
/** Fewer would leave it to chance who is better. */
export const leastHeldBack = 180

/** A model is learned again when this share more has passed, and not before the last one had twice the time that it needs to show what it is worth. */
const retrainShare = 0.07
const leastForecastsApart = 2 * takeOver.shadowForecasts

/** Steps after which it is worth learning again. @param known steps of load. */
export function stepsApart (known: number, horizonSteps: number): number {
  return Math.max(retrainShare * known, leastForecastsApart * stepsPerForecast(horizonSteps))
}

/**
 * Learns a model of one service, if one that was learned from the older part of its history is better than the model in use on the newest part,
 * which neither has seen. The one that is handed back has then learned from all of it. The same task gives the same bytes.
 */
export function trainLocal (task: LocalTask): LocalResult {
  const { rows: capacity, version, seed, rival } = task
  const known = Array.from(task.loads.keys()).filter(step => Number.isFinite(task.loads[step]))
  const split = firstHeldBack(known, task)
  const forecasts = known.filter(step => step >= split).length - task.horizonSteps
  if (forecasts < leastHeldBack) return { status: 'too-little', forecasts: Math.max(0, forecasts) }
  const season = findSeasonSeconds(task.loads.subarray(0, split), { ...task, hintSeconds: task.seasonSeconds })
  const rivalModel = LoadForecaster.fromBytes(rival.bytes, rival.version)
  const heldBack = (seasonSeconds: number) => rowsOf({ ...task, seasonSeconds }, task.loads.length, { capacity: forecasts, recentShare: 1 })
  const own = { ...task, seasonSeconds: season }
  const earlier = rowsOf(own, split, { capacity })
  if (earlier.y.length < leastHeldBack) return { status: 'too-little', forecasts: earlier.y.length }
  const newest = heldBack(season)
  const judged: HeldBack = {
    forecasts: newest.y.length,
    loss: lossOn(newest, train(earlier, { seed, version, seasonSeconds: season })),
    rivalLoss: lossOn(heldBack(rivalModel.seasonSeconds ?? task.seasonSeconds), rivalModel)
  }
  if (!(judged.loss < judged.rivalLoss * (1 - takeOver.margin))) return { status: 'not-better', heldBack: judged }
  const all = rowsOf(own, task.loads.length, { capacity })
  return { status: 'learned', bytes: train(all, { seed, version, seasonSeconds: season }).toBytes(), rows: all.y.length, heldBack: judged }
}

/** The first step that nobody has learned from. */
function firstHeldBack (known: readonly number[], { rival: { seenUntil }, startAt, stepSeconds }: LocalTask): number {
  const newest = Math.min(mostHeldBack, Math.floor(heldBackShare * known.length))
  const split = known[known.length - newest] ?? Infinity
  return seenUntil === null ? split : Math.max(split, Math.floor((seenUntil - startAt) / (stepSeconds * 1000)) + 1)
}

function rowsOf ({ startAt, stepSeconds, seasonSeconds, loads, horizonSteps, capacity: unit, seed }: LocalTask, steps: number,
  { capacity, recentShare }: { capacity: number, recentShare?: number }): TrainingSet {
  const rows = createForecastRows({ stepSeconds, seasonSeconds, horizons: [horizonSteps], unit, capacity, recentShare, random: createRandom(seed) })
  for (let step = 0; step < steps; step++) if (loads[step] >= 0) rows.add(startAt + step * stepSeconds * 1000, loads[step])
  return rows.set()
}

function train (set: TrainingSet, { seed, ...named }: { seed: number, version: string, seasonSeconds: number }): LoadForecaster {
  const defaults = defaultForecasterOptions(loadFeatureNames.length)
  return LoadForecaster.train(set, { options: { ...defaults, forest: { ...defaults.forest, ...forest } }, random: createRandom(seed), ...named })
}

function lossOn ({ x, y }: TrainingSet, forecaster: LoadForecaster): number {
  const width = loadFeatureNames.length
  let sum = 0
  for (let row = 0; row < y.length; row++) sum += pinballLoss(forecaster.quantiles(x.subarray(row * width, (row + 1) * width)), y[row])
  return sum / y.length
}
