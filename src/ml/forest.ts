import { PrescaleError } from '../errors.ts'
import { createDistribution, quantilesOf, reserve, type Distribution } from './distribution.ts'
import type { ForestOptions } from './forest-options.ts'
import { growTrees } from './forest-training.ts'
import { concatTrees, faultOfTrees, type Trees } from './forest-trees.ts'
import { checkRow, type Model } from './model.ts'
import { readModelFile, sectionOf, writeModelFile, type SectionType } from './model-file.ts'
import { drawSeed, type Random } from './random.ts'
import { rankColumns, type TrainingSet } from './training-columns.ts'

export type { ForestOptions, TrainingSet }

/**
 * A random forest regressor on this thread; training/forest-pool.ts grows the same trees on several.
 *
 * @throws RangeError if the shapes or options do not fit, or a number is not finite.
 */
export function trainForest (set: TrainingSet, options: ForestOptions, random: Random): Forest {
  const training = rankColumns(set)
  const trees = concatTrees([...growTrees(training, options, treeSeeds(options, random))])
  return new Forest({ features: set.features, targets: training.target.values, trees })
}

/** The seed of every tree. */
export function treeSeeds ({ trees }: ForestOptions, random: Random): Uint32Array {
  return Uint32Array.from({ length: trees }, () => drawSeed(random))
}

const kind = 'forest'
const sectionTypes: readonly (readonly [keyof Trees, SectionType])[] = [
  ['roots', 'Uint32Array'], ['feature', 'Int16Array'], ['threshold', 'Float64Array'], ['first', 'Uint32Array'],
  ['size', 'Uint32Array'], ['mean', 'Float64Array'], ['samples', 'Uint32Array'], ['importance', 'Float64Array']
]

/** A trained random forest that answers with a mean, with quantiles, or with all that its leaves have seen. */
export class Forest implements Model {
  readonly kind = kind
  readonly features: readonly string[]
  /** Share of each feature in the decrease of variance, mean over the trees; adds up to 1, all 0 if no tree has a split. */
  readonly importance: Float64Array
  /** What the forest predicts before it looks at a row: the mean over the trees of their roots. */
  readonly bias: number
  private readonly trees: Trees
  /** The distinct training targets, ascending. */
  private readonly targets: Float64Array
  private readonly weightOfTarget: Float64Array
  private readonly targetsSeen: Uint32Array
  private readonly mostSamples: number
  private readonly scratch = createDistribution(0)

  constructor ({ features, targets, trees }: { features: readonly string[], targets: Float64Array, trees: Trees }) {
    this.features = features
    this.targets = targets
    this.trees = trees
    this.importance = meanImportance(trees, features.length)
    this.bias = trees.roots.reduce((sum, root) => sum + trees.mean[root], 0) / trees.roots.length
    this.weightOfTarget = new Float64Array(targets.length)
    this.targetsSeen = new Uint32Array(Math.ceil(targets.length / 32))
    this.mostSamples = Math.min(targets.length, trees.samples.length)
  }

  /**
   * The mean of what the trees predict.
   *
   * @param x shape [features], in the units used for training.
   * @throws RangeError if x has another width or holds a value that is not finite.
   */
  predict (x: Float64Array): number {
    checkRow(x, this.features)
    const { roots, mean } = this.trees
    let sum = 0
    for (let tree = 0; tree < roots.length; tree++) sum += mean[leafOf(this.trees, roots[tree], x)]
    return sum / roots.length
  }

  /**
   * All training targets in the leaves that x falls into: each tree has the same weight, divided among the samples of its leaf.
   *
   * @param out scratch space to reuse in a hot loop.
   * @returns `out`; its mean is what `predict` says.
   * @throws RangeError like `predict`.
   * @see Meinshausen, "Quantile regression forests", JMLR 7, 2006, equations 4 and 5.
   */
  distribution (x: Float64Array, out: Distribution = createDistribution(this.mostSamples)): Distribution {
    checkRow(x, this.features)
    const { trees, weightOfTarget, targetsSeen } = this
    const { roots, first, size, samples } = trees
    for (let tree = 0; tree < roots.length; tree++) {
      const leaf = leafOf(trees, roots[tree], x)
      const weight = 1 / (roots.length * size[leaf])
      for (let i = first[leaf], end = first[leaf] + size[leaf]; i < end; i++) {
        const rank = samples[i]
        weightOfTarget[rank] += weight
        targetsSeen[rank >>> 5] |= 1 << (rank & 31)
      }
    }
    return this.collect(out)
  }

  /**
   * @param quantiles each in [0, 1].
   * @returns shape [quantiles]: for each the smallest target below or at which that share of `distribution(x)` lies.
   * @throws RangeError like `predict`, or if a quantile lies outside of 0 to 1.
   */
  quantiles (x: Float64Array, quantiles: readonly number[], out?: Float64Array): Float64Array {
    return quantilesOf(this.distribution(x, this.scratch), quantiles, out)
  }

  /**
   * How much each feature moved this prediction: along the path of each tree, the change of the mean at every split belongs
   * to the feature that is split on. `bias` plus all contributions is the prediction.
   *
   * @returns shape [features], in units of the target.
   * @throws RangeError like `predict`.
   * @see Saabas, "Interpreting random forests", 2014; as treeinterpreter computes it.
   */
  contributions (x: Float64Array, out: Float64Array = new Float64Array(this.features.length)): Float64Array {
    checkRow(x, this.features)
    const { roots, feature, threshold, first, mean } = this.trees
    out.fill(0)
    for (let node of roots) {
      for (let by = feature[node]; by >= 0; by = feature[node]) {
        const child = first[node] + (x[by] > threshold[node] ? 1 : 0)
        out[by] += (mean[child] - mean[node]) / roots.length
        node = child
      }
    }
    return out
  }

  toBytes (): Uint8Array {
    return writeModelFile({ kind, features: this.features, meta: {}, sections: { targets: this.targets, ...this.trees } })
  }

  /** @throws PrescaleError 'model-format' if the bytes are not such a forest. */
  static fromBytes (bytes: Uint8Array): Forest {
    const file = readModelFile(bytes, kind)
    const features = file.features
    const targets = sectionOf(file, 'targets', { type: 'Float64Array' })
    const trees = Object.fromEntries(sectionTypes.map(([name, type]) => [name, sectionOf(file, name, { type })])) as unknown as Trees
    const fault = faultOfTrees(trees, { width: features.length, targets: targets.length })
    if (fault !== null) throw new PrescaleError('model-format', `The forest in the model file is not sound: ${fault}.`)
    return new Forest({ features, targets, trees })
  }

  /** Empties the counters into `out`, in ascending order: the set bits name the targets that were seen. */
  private collect (out: Distribution): Distribution {
    const { targets, targetsSeen, weightOfTarget } = this
    reserve(out, this.mostSamples)
    const { values, weights } = out
    let size = 0
    for (let word = 0; word < targetsSeen.length; word++) {
      for (let bits = targetsSeen[word]; bits !== 0; bits &= bits - 1) {
        const rank = (word << 5) + 31 - Math.clz32(bits & -bits)
        values[size] = targets[rank]
        weights[size++] = weightOfTarget[rank]
        weightOfTarget[rank] = 0
      }
      targetsSeen[word] = 0
    }
    out.size = size
    return out
  }
}

function leafOf ({ feature, threshold, first }: Trees, root: number, x: Float64Array): number {
  let node = root
  for (let by = feature[node]; by >= 0; by = feature[node]) node = first[node] + (x[by] > threshold[node] ? 1 : 0)
  return node
}

function meanImportance ({ roots, importance }: Trees, width: number): Float64Array {
  const mean = new Float64Array(width)
  for (let i = 0; i < importance.length; i++) mean[i % width] += importance[i] / roots.length
  const sum = mean.reduce((total, share) => total + share, 0)
  return sum > 0 ? mean.map(share => share / sum) : mean
}
