import { PrescaleError } from '../errors.ts'
import { Forest, trainForest, type ForestOptions, type TrainingSet } from './forest.ts'
import { MeanForest, trainMeanForest } from './mean-forest.ts'
import { modelKindOf } from './model-file.ts'
import type { Random } from './random.ts'

/** What `train --engine` takes; `prescale` is the default, and the only one with quantiles. */
export const engines = ['prescale', 'ml-random-forest'] as const
export type Engine = typeof engines[number]

/** Told apart by `kind`: only 'forest' has quantiles, distribution and contributions. */
export type AnyForest = Forest | MeanForest

/** @throws RangeError if the shapes or options do not fit, or a number is not finite. */
export function trainWith (engine: Engine, set: TrainingSet, { options, random }: { options: ForestOptions, random: Random }): AnyForest {
  return engine === 'prescale' ? trainForest(set, options, random) : trainMeanForest(set, options, random)
}

/** @throws PrescaleError 'model-format' if the bytes are no forest of either engine. */
export function loadForest (bytes: Uint8Array): AnyForest {
  const kind = modelKindOf(bytes)
  if (kind === 'forest') return Forest.fromBytes(bytes)
  if (kind === 'ml-random-forest') return MeanForest.fromBytes(bytes)
  throw new PrescaleError('model-format', `Expected a model of kind "forest" or "ml-random-forest", got "${kind}".`)
}
