import { PrescaleError } from '../errors.ts'
import { Forest, trainForest, type ForestOptions, type TrainingSet } from './forest.ts'
import type { Model } from './model.ts'
import { readModelFile, sectionOf, writeModelFile, type Section } from './model-file.ts'
import type { Random } from './random.ts'
import { predictRidge, trainRidge, type Ridge } from './ridge.ts'

/** The probabilities at which a forecast gives its quantiles; dense in the upper tail, where scaling happens. */
export const forecastProbabilities: readonly number[] = [
  0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.965, 0.98, 0.985, 0.99, 0.9925, 0.995, 0.997, 0.998, 0.999
]

export interface ForecasterOptions {
  readonly forest: ForestOptions
  /** See trainRidge. */
  readonly ridgePenalty: number
}

export const defaultForecasterOptions = (width: number): ForecasterOptions => ({
  // A third of the features per split (Breiman's advice for regression); leaves of five keep enough samples for a tail.
  forest: { trees: 64, minLeaf: 5, maxFeatures: Math.ceil(width / 3) },
  ridgePenalty: 1e-3
})

/** The linear part, and what it leaves to the forest on its residuals; a caller with threads grows the forests there. */
export function trainRidgeFirst (set: TrainingSet, penalty: number): { ridge: Ridge, residuals: TrainingSet } {
  const width = set.features.length
  const ridge = trainRidge(set.x, set.y, { width, penalty })
  return { ridge, residuals: { ...set, y: set.y.map((value, row) => value - predictRidge(ridge, set.x, row * width)) } }
}

interface Parts {
  readonly forest: Forest
  readonly residual: Forest
  readonly ridge: Ridge
  /** Of the service that it was learned from; absent where it is for all services. */
  readonly seasonSeconds?: number | undefined
}

/**
 * Predicts the distribution of ln(largest load within the horizon / present level) from `loadFeatures`.
 *
 * The mean of two quantile functions: a quantile forest on the target itself, which knows steps and schedules, and a ridge
 * regression with a quantile forest on its residuals, which follows trends beyond anything seen. Neither is best everywhere.
 *
 * @see Meinshausen, "Quantile Regression Forests", JMLR 2006.
 */
export class LoadForecaster implements Model {
  readonly kind = 'load-forecaster'
  readonly features: readonly string[]
  /** Which model this is, for decisions: name and version of its manifest. */
  readonly version: string
  /** What the features that it was learned from call a season; undefined where that is what each service's settings say. */
  readonly seasonSeconds: number | undefined
  /** Places of the features, the most important first. */
  readonly mostImportant: readonly number[]
  private readonly parts: Parts
  private readonly scratch = new Float64Array(forecastProbabilities.length)

  constructor (parts: Parts, version: string) {
    this.parts = parts
    this.features = parts.forest.features
    this.version = version
    this.seasonSeconds = parts.seasonSeconds
    this.mostImportant = Array.from(this.features.keys()).sort((a, b) => this.importance[b] - this.importance[a])
  }

  /** @param set y: ln ratios, finite. */
  static train (set: TrainingSet, { options = defaultForecasterOptions(set.features.length), random, version, seasonSeconds }:
  { options?: ForecasterOptions, random: Random, version: string, seasonSeconds?: number }): LoadForecaster {
    const { ridge, residuals } = trainRidgeFirst(set, options.ridgePenalty)
    const forest = trainForest(set, options.forest, random)
    const residual = trainForest(residuals, options.forest, random)
    return new LoadForecaster({ forest, residual, ridge, seasonSeconds }, version)
  }

  /**
   * @param x shape [width], all finite.
   * @returns quantiles at `forecastProbabilities`, ascending.
   * @throws RangeError if x has another width or holds a value that is not finite.
   */
  quantiles (x: Float64Array): Float64Array {
    const { forest, residual, ridge } = this.parts
    const out = forest.quantiles(x, forecastProbabilities, new Float64Array(forecastProbabilities.length))
    const around = residual.quantiles(x, forecastProbabilities, this.scratch)
    const centre = predictRidge(ridge, x)
    for (let i = 0; i < out.length; i++) out[i] = (out[i] + centre + around[i]) / 2
    return out
  }

  /** Share of each feature in what the forest explains; adds up to 1. */
  get importance (): Float64Array { return this.parts.forest.importance }

  toBytes (): Uint8Array {
    const { forest, residual, ridge } = this.parts
    return writeModelFile({
      kind: this.kind,
      features: this.features,
      meta: this.seasonSeconds === undefined ? {} : { seasonSeconds: this.seasonSeconds },
      sections: {
        forest: forest.toBytes() as Section,
        residual: residual.toBytes() as Section,
        ridge: Float64Array.from([ridge.intercept, ...ridge.centre, ...ridge.spread, ...ridge.weights])
      }
    })
  }

  /** @throws PrescaleError 'model-format' if the bytes are no such model. */
  static fromBytes (bytes: Uint8Array, version: string): LoadForecaster {
    const file = readModelFile(bytes, 'load-forecaster')
    const width = file.features.length
    const numbers = sectionOf(file, 'ridge', { type: 'Float64Array', length: 1 + 3 * width })
    const column = (i: number) => numbers.subarray(1 + i * width, 1 + (i + 1) * width)
    const { seasonSeconds } = file.meta
    if (seasonSeconds !== undefined && !(typeof seasonSeconds === 'number' && seasonSeconds > 0)) {
      throw new PrescaleError('model-format', `The forecaster in the model file has a season of ${String(seasonSeconds)} s; expected a positive number.`)
    }
    return new LoadForecaster({
      seasonSeconds,
      forest: Forest.fromBytes(sectionOf(file, 'forest', { type: 'Uint8Array' })),
      residual: Forest.fromBytes(sectionOf(file, 'residual', { type: 'Uint8Array' })),
      ridge: { intercept: numbers[0], centre: column(0), spread: column(1), weights: column(2) }
    }, version)
  }
}
