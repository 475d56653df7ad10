import { PrescaleError } from '../errors.ts'
import { readModelFile, sectionOf, writeModelFile } from './model-file.ts'
import { checkRow } from './model.ts'
import type { Model } from './model.ts'
import { createRandom, drawDistinct, drawSeed } from './random.ts'
import type { Random } from './random.ts'
import { earnedIn, leafOf, totalLength } from './isolation-paths.ts'
import type { ForestNodes } from './isolation-paths.ts'
import { axesOf, growTree, isolationVariants, measureScale } from './isolation-tree.ts'
import type { IsolationVariant, TreeTable } from './isolation-tree.ts'
import { averagePathLength } from './path-length.ts'

export interface IsolationForestOptions {
  readonly trees: number
  /** ψ of the paper: rows that each tree sees, drawn without replacement. */
  readonly sampleRows: number
  readonly variant: IsolationVariant
}

export const isolationDefaults: IsolationForestOptions = { trees: 100, sampleRows: 256, variant: 'axis' }

export interface IsolationSet {
  readonly features: readonly string[]
  /** Shape [rows, width], row-major. */
  readonly x: Float64Array | Float32Array
}

export const isolationForestKind = 'isolation-forest'

/**
 * An isolation forest. Rows are standardised for training, which matters to all variants but `axis`; the thresholds are kept in the units of
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
    return growTree({ scaled, sample, variant: options.variant, random })
  })
}

/** Trees that were grown from these rows as a forest. */
export function isolationForestOf (tables: readonly TreeTable[], { features, x }: IsolationSet, { sampleRows, variant }: IsolationForestOptions): IsolationForest {
  const width = features.length
  const nodes = { variant, width, ...joined(tables), inverseDeviation: measureScale(x, width).inverseDeviation }
  return new IsolationForest(features, Math.min(sampleRows, x.length / width), nodes)
}

/** @param x shape [rows, width]. @returns shape [rows]. */
export function scoreRows (forest: IsolationForest, x: IsolationSet['x']): Float64Array {
  const { width } = forest
  return Float64Array.from({ length: x.length / width }, (_, row) => forest.score(x.subarray(row * width, (row + 1) * width)))
}

export class IsolationForest implements Model {
  readonly kind = isolationForestKind
  readonly features: readonly string[]
  readonly sampleRows: number
  readonly #nodes: ForestNodes
  readonly #normaliser: number

  constructor (features: readonly string[], sampleRows: number, nodes: ForestNodes) {
    this.features = features
    this.sampleRows = sampleRows
    this.#nodes = nodes
    this.#normaliser = Math.max(averagePathLength(sampleRows), Number.MIN_VALUE)
  }

  get width (): number { return this.features.length }
  get trees (): number { return this.#nodes.roots.length }
  get variant (): IsolationVariant { return this.#nodes.variant }

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
    return 2 ** (-totalLength(this.#nodes, x) / this.trees / this.#normaliser)
  }

  /**
   * The score shared out to the features by what each earned of isolating the row; a tree counts the more the shorter its path is.
   *
   * @param out shape [width]; filled with shares that add up to the score.
   * @returns the score.
   */
  attribute (x: Float64Array | Float32Array, out: Float64Array): number {
    const score = this.score(x)
    out.fill(0)
    let total = 0
    for (const root of this.#nodes.roots) {
      const weight = 1 / Math.max(this.#nodes.threshold[leafOf(this.#nodes, root, x)], 1) ** 2
      total += earnedIn(this.#nodes, root, x, { weight, earned: out })
    }
    for (let f = 0; f < out.length; f++) out[f] = total > 0 ? out[f] * score / total : score / out.length
    return score
  }

  toBytes (): Uint8Array {
    const { variant, roots, feature, threshold, right, size, boxes, axes, slopes, points, inverseDeviation } = this.#nodes
    return writeModelFile({
      kind: isolationForestKind,
      features: this.features,
      meta: { variant, sampleRows: this.sampleRows },
      sections: { roots, feature, threshold, right, size, boxes, axes, slopes, points, inverseDeviation }
    })
  }

  /** @throws PrescaleError `model-format` for bytes that are no intact isolation forest, or one of a variant that nobody knows. */
  static fromBytes (bytes: Uint8Array): IsolationForest {
    const file = readModelFile(bytes, isolationForestKind)
    const { variant, sampleRows } = file.meta as { variant: IsolationVariant, sampleRows: number }
    if (!isolationVariants.includes(variant)) {
      throw new PrescaleError('model-format', `The isolation forest is of the variant "${String(variant)}"; known are ${isolationVariants.join(', ')}.`)
    }
    const width = file.features.length
    const feature = sectionOf(file, 'feature', { type: 'Int16Array' })
    const { length } = feature
    const planes = variant === 'extended' ? length * axesOf(width) : 0
    return new IsolationForest(file.features, sampleRows, {
      variant,
      width,
      feature,
      roots: sectionOf(file, 'roots', { type: 'Int32Array' }),
      threshold: sectionOf(file, 'threshold', { type: 'Float64Array', length }),
      right: sectionOf(file, 'right', { type: 'Int32Array', length }),
      size: sectionOf(file, 'size', { type: 'Uint16Array', length }),
      boxes: sectionOf(file, 'boxes', { type: 'Float32Array', length: variant === 'range-proportional' ? 2 * length * width : 0 }),
      axes: sectionOf(file, 'axes', { type: 'Int16Array', length: planes }),
      slopes: sectionOf(file, 'slopes', { type: 'Float32Array', length: planes }),
      points: sectionOf(file, 'points', { type: 'Float32Array', length: planes }),
      inverseDeviation: sectionOf(file, 'inverseDeviation', { type: 'Float64Array', length: width })
    })
  }
}

/** Trees behind one another; node numbers of each moved by where it starts. */
function joined (tables: readonly TreeTable[]): Omit<ForestNodes, 'variant' | 'width' | 'inverseDeviation'> {
  const starts = tables.map((_, i) => tables.slice(0, i).reduce((sum, { nodes }) => sum + nodes, 0))
  const count = tables.reduce((sum, { nodes }) => sum + nodes, 0)
  const join = <T extends TreeArray>(into: T, arrayOf: (table: TreeTable) => T): T => {
    // A table has room for more nodes than it has; each node has as many entries as there are for one.
    for (const [i, table] of tables.entries()) {
      const perNode = into.length / count
      into.set(arrayOf(table).subarray(0, table.nodes * perNode), starts[i] * perNode)
    }
    return into
  }
  const capacity = tables[0].feature.length
  const lengthOf = (array: TreeArray) => count * array.length / capacity
  const right = join(new Int32Array(count), table => table.right)
  for (const [i, { nodes }] of tables.entries()) for (let node = starts[i]; node < starts[i] + nodes; node++) right[node] += starts[i]
  return {
    roots: Int32Array.from(starts),
    feature: join(new Int16Array(count), table => table.feature),
    threshold: join(new Float64Array(count), table => table.threshold),
    right,
    size: join(new Uint16Array(count), table => table.size),
    boxes: join(new Float32Array(lengthOf(tables[0].boxes)), table => table.boxes),
    axes: join(new Int16Array(lengthOf(tables[0].axes)), table => table.axes),
    slopes: join(new Float32Array(lengthOf(tables[0].slopes)), table => table.slopes),
    points: join(new Float32Array(lengthOf(tables[0].points)), table => table.points)
  }
}
type TreeArray = TreeTable['feature' | 'threshold' | 'right' | 'size' | 'boxes']
