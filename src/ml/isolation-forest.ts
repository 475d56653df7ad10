import { readModelFile, sectionOf, writeModelFile } from './model-file.ts'
import { checkRow } from './model.ts'
import type { Model } from './model.ts'
import { createRandom, drawDistinct, drawSeed } from './random.ts'
import type { Random } from './random.ts'
import { growTree, measureScale } from './isolation-tree.ts'
import { averagePathLength } from './path-length.ts'
import type { TreeTable } from './isolation-tree.ts'

/**
 * `standard`: the paper's splits, every feature equally likely (as scikit-learn). `range-proportional`: a feature is drawn in proportion to the
 * width of the node in it, so that one far value is cut off at once even among many features.
 */
export type IsolationVariant = 'standard' | 'range-proportional'

export interface IsolationForestOptions {
  readonly trees: number
  /** ψ of the paper: rows that each tree sees, drawn without replacement. */
  readonly sampleRows: number
  readonly variant: IsolationVariant
}

export const isolationDefaults: IsolationForestOptions = { trees: 100, sampleRows: 256, variant: 'standard' }

export interface IsolationSet {
  readonly features: readonly string[]
  /** Shape [rows, width], row-major. */
  readonly x: Float64Array | Float32Array
}

export const isolationForestKind = 'isolation-forest'

/**
 * An isolation forest. Rows are standardised for training, which matters to range-proportional splits only; the thresholds are kept in the units of
 * the rows, so that a row is scored as it comes.
 *
 * @throws RangeError if a value is not finite, a feature is missing or there is no row.
 */
export function trainIsolationForest (set: IsolationSet, options: IsolationForestOptions, random: Random): IsolationForest {
  return isolationForestOf(growTrees(set, options, treeSeeds(options, random)), set, options)
}

/** Every tree has a seed of its own, so that it does not matter who grows it. */
export function treeSeeds ({ trees }: Pick<IsolationForestOptions, 'trees'>, random: Random): Uint32Array {
  return Uint32Array.from({ length: trees }, () => drawSeed(random))
}

/** One tree for each seed. @throws as `trainIsolationForest`. */
export function growTrees ({ features, x }: IsolationSet, options: Pick<IsolationForestOptions, 'sampleRows' | 'variant'>, seeds: Uint32Array): TreeTable[] {
  const width = features.length
  if (width === 0) throw new RangeError('Expected at least one feature.')
  if (x.length === 0 || x.length % width !== 0) throw new RangeError(`Expected rows of ${width} features, got ${x.length} values.`)
  const rows = x.length / width
  const scaled = measureScale(x, width)
  return Array.from(seeds, seed => {
    const random = createRandom(seed)
    const sample = drawDistinct(random, Math.min(options.sampleRows, rows), rows)
    return growTree({ scaled, sample, proportional: options.variant === 'range-proportional', random })
  })
}

/** Trees that were grown from these rows as a forest. */
export function isolationForestOf (tables: readonly TreeTable[], { features, x }: IsolationSet, { sampleRows, variant }: IsolationForestOptions): IsolationForest {
  return new IsolationForest({ features, sampleRows: Math.min(sampleRows, x.length / features.length), variant, ...joined(tables) })
}

interface ForestParts {
  readonly features: readonly string[]
  readonly sampleRows: number
  readonly variant: IsolationVariant
  readonly roots: Int32Array<ArrayBuffer>
  readonly feature: Int16Array<ArrayBuffer>
  readonly threshold: Float64Array<ArrayBuffer>
  readonly right: Int32Array<ArrayBuffer>
  readonly size: Uint16Array<ArrayBuffer>
}

export class IsolationForest implements Model {
  readonly kind = isolationForestKind
  readonly features: readonly string[]
  readonly variant: IsolationVariant
  readonly sampleRows: number
  readonly #roots: Int32Array<ArrayBuffer>
  /** Per node: the feature it splits on, or −1 for a leaf. The left child follows its parent. */
  readonly #feature: Int16Array<ArrayBuffer>
  /** Per node: x ≤ threshold goes left; in a leaf the path length from the root, with what is left below it. */
  readonly #threshold: Float64Array<ArrayBuffer>
  readonly #right: Int32Array<ArrayBuffer>
  /** Per node: training rows in it. */
  readonly #size: Uint16Array<ArrayBuffer>
  readonly #normaliser: number

  constructor (parts: ForestParts) {
    this.features = parts.features
    this.variant = parts.variant
    this.sampleRows = parts.sampleRows
    this.#roots = parts.roots
    this.#feature = parts.feature
    this.#threshold = parts.threshold
    this.#right = parts.right
    this.#size = parts.size
    this.#normaliser = Math.max(averagePathLength(parts.sampleRows), Number.MIN_VALUE)
  }

  get width (): number { return this.features.length }
  get trees (): number { return this.#roots.length }

  /**
   * How easily one feature vector is isolated from the training rows.
   *
   * @param x shape [width], in the units used for training.
   * @returns 0 to 1; higher is more anomalous, about 0.5 is ordinary.
   * @throws RangeError if x has another width or holds a value that is not finite.
   * @see Liu, Ting and Zhou, "Isolation Forest", ICDM 2008, equation 2.
   */
  score (x: Float64Array | Float32Array): number {
    checkRow(x, this.features)
    const feature = this.#feature
    const threshold = this.#threshold
    const right = this.#right
    const roots = this.#roots
    let length = 0
    for (let tree = 0; tree < roots.length; tree++) {
      let node = roots[tree]
      let f = feature[node]
      while (f >= 0) {
        node = x[f] <= threshold[node] ? node + 1 : right[node]
        f = feature[node]
      }
      length += threshold[node]
    }
    return 2 ** (-length / roots.length / this.#normaliser)
  }

  /**
   * The score shared out to the features: each split on a path earns ln(rows before / rows after) for its feature, and a tree counts the more the
   * shorter its path is.
   *
   * @param out shape [width]; filled with shares that add up to the score.
   * @returns the score.
   */
  attribute (x: Float64Array | Float32Array, out: Float64Array): number {
    const score = this.score(x)
    out.fill(0)
    let total = 0
    for (const root of this.#roots) {
      let leaf = root
      while (this.#feature[leaf] >= 0) leaf = this.#next(leaf, x)
      const weight = 1 / Math.max(this.#threshold[leaf], 1) ** 2
      for (let node = root; this.#feature[node] >= 0;) {
        const child = this.#next(node, x)
        const earned = weight * Math.log(this.#size[node] / this.#size[child])
        out[this.#feature[node]] += earned
        total += earned
        node = child
      }
    }
    for (let f = 0; f < out.length; f++) out[f] = total > 0 ? out[f] * score / total : score / out.length
    return score
  }

  toBytes (): Uint8Array {
    return writeModelFile({
      kind: isolationForestKind,
      features: this.features,
      meta: { variant: this.variant, sampleRows: this.sampleRows },
      sections: { roots: this.#roots, feature: this.#feature, threshold: this.#threshold, right: this.#right, size: this.#size }
    })
  }

  /** @throws PrescaleError `model-format` for bytes that are no intact isolation forest. */
  static fromBytes (bytes: Uint8Array): IsolationForest {
    const file = readModelFile(bytes, isolationForestKind)
    const { variant, sampleRows } = file.meta as { variant: IsolationVariant, sampleRows: number }
    const feature = sectionOf(file, 'feature', { type: 'Int16Array' })
    const { length } = feature
    return new IsolationForest({
      features: file.features,
      variant,
      sampleRows,
      feature,
      roots: sectionOf(file, 'roots', { type: 'Int32Array' }),
      threshold: sectionOf(file, 'threshold', { type: 'Float64Array', length }),
      right: sectionOf(file, 'right', { type: 'Int32Array', length }),
      size: sectionOf(file, 'size', { type: 'Uint16Array', length })
    })
  }

  #next (node: number, x: Float64Array | Float32Array): number {
    return x[this.#feature[node]] <= this.#threshold[node] ? node + 1 : this.#right[node]
  }
}

/** Trees behind one another; node numbers of each moved by where it starts. */
function joined (tables: readonly TreeTable[]): Pick<ForestParts, 'roots' | 'feature' | 'threshold' | 'right' | 'size'> {
  const nodes = tables.reduce((sum, table) => sum + table.nodes, 0)
  const roots = new Int32Array(tables.length)
  const feature = new Int16Array(nodes)
  const threshold = new Float64Array(nodes)
  const right = new Int32Array(nodes)
  const size = new Uint16Array(nodes)
  let start = 0
  for (const [i, table] of tables.entries()) {
    roots[i] = start
    feature.set(table.feature.subarray(0, table.nodes), start)
    threshold.set(table.threshold.subarray(0, table.nodes), start)
    size.set(table.size.subarray(0, table.nodes), start)
    for (let node = 0; node < table.nodes; node++) right[start + node] = table.right[node] + start
    start += table.nodes
  }
  return { roots, feature, threshold, right, size }
}
