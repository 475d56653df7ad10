import { createRandom, type Random } from './random.ts'
import { BootstrapSample } from './bootstrap-sample.ts'
import { checkForestOptions, type ForestOptions } from './forest-options.ts'
import type { Trees } from './forest-trees.ts'
import type { TrainingColumns } from './training-columns.ts'

/**
 * One tree per seed. A tree depends on its own seed alone, so that it does not matter which worker grows it.
 *
 * @throws RangeError if the options do not fit.
 */
export function * growTrees (training: TrainingColumns, options: ForestOptions, seeds: Iterable<number>): Generator<Trees> {
  const grower = new TreeGrower(training, options)
  for (const seed of seeds) yield grower.grow(createRandom(seed))
}

/** A node that waits to be split: its rows are `order[column][start .. end)` of every column. */
interface OpenNode {
  readonly node: number
  readonly start: number
  readonly end: number
  readonly depth: number
  /** Of the targets, weighted, from the tree's mean. */
  readonly sum: number
  readonly weight: number
}

/** The best cut so far: `gain` over `scale` is the decrease of the sum of squares (divided by the node's weight). */
interface Cut { feature: number, at: number, sum: number, weight: number, gain: number, scale: number }

/**
 * Grows one tree after the other in the same memory.
 *
 * The rows are in ascending order of every column, sorted once and then divided stably at every split: a level of a tree
 * costs O(rows · columns).
 *
 * @see Breiman, "Random forests", Machine Learning 45, 2001; Breiman et al., "Classification and regression trees", 1984, chapter 8.
 */
class TreeGrower {
  private readonly training: TrainingColumns
  private readonly options: ForestOptions
  private readonly tried: Int32Array
  private readonly sample: BootstrapSample
  private readonly goesLeft: Uint8Array
  private readonly held: Int32Array
  private readonly cut: Cut = { feature: -1, at: 0, sum: 0, weight: 0, gain: 0, scale: 1 }
  private readonly nodes: Omit<Trees, 'roots' | 'importance'>
  private readonly importance: Float64Array
  private nodeCount = 0
  private sampleCount = 0

  constructor (training: TrainingColumns, options: ForestOptions) {
    const { rows, width } = training
    checkForestOptions(options, width)
    this.training = training
    this.options = options
    this.tried = Int32Array.from(training.columns.keys())
    const replace = options.bootstrap !== false
    this.sample = new BootstrapSample(training, { replace, draws: replace ? options.sampleRows ?? rows : rows })
    this.goesLeft = new Uint8Array(rows)
    this.held = new Int32Array(rows)
    const nodes = 2 * Math.max(1, Math.floor(rows / options.minLeaf)) - 1
    this.nodes = {
      feature: new Int16Array(nodes),
      threshold: new Float64Array(nodes),
      first: new Uint32Array(nodes),
      size: new Uint32Array(nodes),
      mean: new Float64Array(nodes),
      samples: new Uint32Array(this.sample.draws)
    }
    this.importance = new Float64Array(width)
  }

  grow (random: Random): Trees {
    this.nodeCount = 1
    this.sampleCount = 0
    this.importance.fill(0)
    this.tried.sort()
    const rows = this.sample.draw(random)
    const open: OpenNode[] = []
    this.place({ node: 0, start: 0, end: rows, depth: 0, sum: 0, weight: this.sample.draws }, this.sample.orders[0], open)
    for (let next = open.pop(); next !== undefined; next = open.pop()) this.split(next, random, open)
    return this.finish()
  }

  /** Makes a node a leaf if nothing can be gained by splitting it, else leaves it open. `order` lists its rows. */
  private place (open: OpenNode, order: Int32Array, opened: OpenNode[]): void {
    const { node, start, end, depth, sum, weight } = open
    const { y } = this.training
    const { minLeaf, maxDepth = Infinity } = this.options
    const { rowOf, center } = this.sample
    const firstTarget = y[rowOf[order[start]]]
    let i = start + 1
    while (i < end && y[rowOf[order[i]]] === firstTarget) i++
    const pure = i === end
    this.nodes.size[node] = weight
    // The target itself where all are equal: a step comes back exactly, not within rounding.
    this.nodes.mean[node] = pure ? firstTarget : center + sum / weight
    if (pure || end - start < 2 * minLeaf || depth >= maxDepth) this.makeLeaf(open, order)
    else opened.push(open)
  }

  private makeLeaf ({ node, start, end }: OpenNode, order: Int32Array): void {
    const { ranks } = this.training.target
    const { samples, feature, first } = this.nodes
    const { rowOf, weights } = this.sample
    feature[node] = -1
    first[node] = this.sampleCount
    for (let i = start; i < end; i++) {
      const rank = ranks[rowOf[order[i]]]
      for (let draw = weights[order[i]]; draw > 0; draw--) samples[this.sampleCount++] = rank
    }
  }

  private split (open: OpenNode, random: Random, opened: OpenNode[]): void {
    this.findCut(open, random)
    const { feature, at, sum, weight, gain, scale } = this.cut
    if (feature < 0) return this.makeLeaf(open, this.sample.orders[0])
    const { node, start, end, depth } = open
    const left = this.nodeCount
    this.nodeCount += 2
    this.nodes.feature[node] = feature
    this.nodes.first[node] = left
    this.nodes.threshold[node] = this.thresholdAt(feature, at)
    this.importance[feature] += gain / scale * open.weight
    const order = this.sample.orders[feature]
    const before = opened.length
    this.place({ node: left + 1, start: at, end, depth: depth + 1, sum: open.sum - sum, weight: open.weight - weight }, order, opened)
    this.place({ node: left, start, end: at, depth: depth + 1, sum, weight }, order, opened)
    if (opened.length > before) this.divide(open)
  }

  /** Tries `maxFeatures` columns drawn at random (more while all are constant in this node) and leaves the best cut in `this.cut`. */
  private findCut (open: OpenNode, random: Random): void {
    const { tried, cut } = this
    const { orders, ranks } = this.sample
    cut.feature = -1
    cut.gain = -1
    cut.scale = 1
    let left = this.options.maxFeatures
    for (let i = 0; i < tried.length && left > 0; i++) {
      const j = i + Math.floor(random() * (tried.length - i))
      const feature = tried[j]
      tried[j] = tried[i]
      tried[i] = feature
      const order = orders[feature]
      if (ranks[feature][order[open.start]] === ranks[feature][order[open.end - 1]]) continue
      left--
      this.scanColumn(open, feature)
    }
  }

  /**
   * Every cut of one column. With d the left sum minus its expectation, a cut between weights a and b lowers the sum of
   * squares by d²(a + b) / ab; two cuts are compared crosswise, without dividing.
   */
  private scanColumn ({ start, end, sum, weight }: OpenNode, feature: number): void {
    const { cut } = this
    const { weights, sums } = this.sample
    const { minLeaf } = this.options
    const order = this.sample.orders[feature]
    const ranks = this.sample.ranks[feature]
    const mean = sum / weight
    let { gain, scale } = cut
    let leftSum = 0
    let leftWeight = 0
    let i = start
    for (; i < start + minLeaf - 1; i++) {
      leftSum += sums[order[i]]
      leftWeight += weights[order[i]]
    }
    let row = order[i]
    let rank = ranks[row]
    for (; i < end - minLeaf; i++) {
      leftSum += sums[row]
      leftWeight += weights[row]
      row = order[i + 1]
      const nextRank = ranks[row]
      if (nextRank === rank) continue
      rank = nextRank
      const d = leftSum - leftWeight * mean
      const product = leftWeight * (weight - leftWeight)
      if (d * d * scale <= gain * product) continue
      gain = d * d
      scale = product
      cut.feature = feature
      cut.at = i + 1
      cut.sum = leftSum
      cut.weight = leftWeight
    }
    cut.gain = gain
    cut.scale = scale
  }

  private thresholdAt (feature: number, at: number): number {
    const { values } = this.training.columns[feature]
    const order = this.sample.orders[feature]
    const ranks = this.sample.ranks[feature]
    const below = values[ranks[order[at - 1]]]
    const above = values[ranks[order[at]]]
    const middle = below / 2 + above / 2
    // Between neighbouring doubles there is no middle.
    return middle >= below && middle < above ? middle : below
  }

  /** Divides the rows of a node stably in every column, left ones first. */
  private divide ({ start, end }: OpenNode): void {
    const { goesLeft, held } = this
    const { orders } = this.sample
    const { feature, at } = this.cut
    const chosen = orders[feature]
    for (let i = start; i < at; i++) goesLeft[chosen[i]] = 1
    for (let i = at; i < end; i++) goesLeft[chosen[i]] = 0
    for (const order of orders) {
      if (order !== chosen) divideColumn(order, { start, end, goesLeft, held })
    }
  }

  private finish (): Trees {
    const { feature, threshold, first, size, mean, samples } = this.nodes
    const gains = this.importance.reduce((sum, gain) => sum + gain, 0)
    return {
      roots: new Uint32Array(1),
      feature: feature.slice(0, this.nodeCount),
      threshold: threshold.slice(0, this.nodeCount).map((value, node) => feature[node] < 0 ? 0 : value),
      first: first.slice(0, this.nodeCount),
      size: size.slice(0, this.nodeCount),
      mean: mean.slice(0, this.nodeCount),
      samples: samples.slice(),
      importance: gains > 0 ? this.importance.map(gain => gain / gains) : this.importance.slice()
    }
  }
}

// No branch on chance, which the processor would guess wrong half of the time: a row is written to both places, and
// overwritten by the next one where it does not belong.
function divideColumn (order: Int32Array, { start, end, goesLeft, held }:
{ start: number, end: number, goesLeft: Uint8Array, held: Int32Array }): void {
  let left = start
  let right = 0
  for (let i = start; i < end; i++) {
    const row = order[i]
    const side = goesLeft[row]
    order[left] = row
    held[right] = row
    left += side
    right += 1 - side
  }
  for (let i = 0; i < right; i++) order[left + i] = held[i]
}
