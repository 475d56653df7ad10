import { RandomForestRegression } from 'ml-random-forest'
import type { ForestOptions } from './forest-options.ts'
import { checkRow, type Model } from './model.ts'
import { readModelFile, sectionOf, writeModelFile } from './model-file.ts'
import { drawSeed, type Random } from './random.ts'
import { rankColumns, type TrainingSet } from './training-columns.ts'

const kind = 'ml-random-forest'
type Json = ReturnType<RandomForestRegression['toJSON']>

/**
 * A forest of the library ml-random-forest behind our contract, for comparison and for models made with it elsewhere.
 * It predicts means only: its leaves keep no samples, so there are no quantiles, no distribution and no contributions.
 */
export class MeanForest implements Model {
  readonly kind = kind
  readonly features: readonly string[]
  /** As the library computes it at training; all 0 in a model that came from its JSON, which does not carry it. */
  readonly importance: Float64Array
  private readonly json: string
  private readonly forest: RandomForestRegression

  /** @param json what JSON.stringify makes of the library's RandomForestRegression. @throws RangeError if it is another model. */
  constructor ({ features, json, importance = new Float64Array(features.length) }:
  { features: readonly string[], json: string, importance?: Float64Array }) {
    this.features = features
    this.importance = importance
    this.json = json
    this.forest = RandomForestRegression.load(JSON.parse(json) as Json)
  }

  /** @param x shape [features]. @throws RangeError if x has another width or holds a value that is not finite. */
  predict (x: Float64Array): number {
    checkRow(x, this.features)
    return this.forest.predict([Array.from(x)])[0]
  }

  toBytes (): Uint8Array {
    const sections = { importance: this.importance, json: new TextEncoder().encode(this.json) }
    return writeModelFile({ kind, features: this.features, meta: {}, sections })
  }

  /** @throws PrescaleError 'model-format' if the bytes are not such a model. */
  static fromBytes (bytes: Uint8Array): MeanForest {
    const file = readModelFile(bytes, kind)
    const importance = sectionOf(file, 'importance', { type: 'Float64Array', length: file.features.length })
    return new MeanForest({ features: file.features, importance, json: new TextDecoder().decode(sectionOf(file, 'json', { type: 'Uint8Array' })) })
  }
}

/**
 * Trains with the library. It draws features once per tree, not per split, and knows no smallest leaf: a node of fewer than
 * 2 × minLeaf rows is not split, but a split may leave fewer. `sampleRows` is refused, because it would take the oldest rows.
 *
 * @throws RangeError if the shapes do not fit, a number is not finite (the library would go on, wrongly), or with `sampleRows`.
 */
export function trainMeanForest (set: TrainingSet, options: ForestOptions, random: Random): MeanForest {
  const { rows, width } = rankColumns(set)
  if (options.sampleRows !== undefined) throw new RangeError(`The engine ${kind} cannot draw sampleRows (${options.sampleRows}) at random.`)
  const forest = new RandomForestRegression({
    nEstimators: options.trees,
    // To the library 1 means all features, so fewer than all are given as a share that rounds down to the number.
    maxFeatures: options.maxFeatures === width ? 1 : (options.maxFeatures + 0.5) / width,
    replacement: false,
    useSampleBagging: options.bootstrap !== false,
    // Its out-of-bag scoring throws when a row was drawn by every tree.
    noOOB: true,
    treeOptions: { minNumSamples: 2 * options.minLeaf - 1, maxDepth: options.maxDepth ?? Infinity },
    seed: drawSeed(random) >>> 1
  })
  const table = Array.from({ length: rows }, (_, row) => Array.from(set.x.subarray(row * width, (row + 1) * width)))
  forest.train(table, Array.from(set.y))
  // Missing in the library's types, and NaN where no tree has a split.
  const shares = (forest as unknown as { featureImportance (): number[] }).featureImportance()
  const importance = Float64Array.from(shares, share => Number.isFinite(share) ? share : 0)
  return new MeanForest({ features: set.features, json: JSON.stringify(forest), importance })
}
