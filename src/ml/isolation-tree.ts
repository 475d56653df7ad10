import { averagePathLength } from './path-length.ts'
import { drawDistinct, normal } from './random.ts'
import type { Random } from './random.ts'

/**
 * `axis`: the paper's splits, every feature equally likely (as scikit-learn). `range-proportional`: a feature is drawn in proportion to the width of the
 * node in it, and a row that lies outside of a node's box may be cut off there, so that one far value tells even among many features.
 * `extended`: splits are hyperplanes of any slope.
 *
 * @see Guha, Mishra, Roy and Schrijvers, "Robust Random Cut Forest", ICML 2016; Hariri, Carrasco Kind and Brunner, "Extended Isolation Forest", 2019.
 */
export const isolationVariants = ['axis', 'range-proportional', 'extended'] as const
export type IsolationVariant = typeof isolationVariants[number]

/** One tree in preorder: the left child of a node follows it. */
export interface TreeTable {
  nodes: number
  /** −1 for a leaf. Of a hyperplane the first of its features. */
  readonly feature: Int16Array
  /** Of the split (0 for a hyperplane); in a leaf the path length. */
  readonly threshold: Float64Array
  readonly right: Int32Array
  readonly size: Uint16Array
  /** Shape [nodes, 2, width]: smallest and largest values of the rows in each node; empty but for `range-proportional`. */
  readonly boxes: Float32Array
  /** Shape [nodes, axes]: features, slopes and a point of each hyperplane; empty but for `extended`. */
  readonly axes: Int16Array
  readonly slopes: Float32Array
  readonly points: Float32Array
}

/** Features that a hyperplane goes by: with more, each would have next to no say. */
export const axesOf = (width: number) => Math.min(width, 16)

export interface Scaled {
  readonly x: Float64Array | Float32Array
  readonly width: number
  /** Per feature: 1 / standard deviation; 0 for a constant feature, which is never split. */
  readonly inverseDeviation: Float64Array
}

interface Growing {
  readonly scaled: Scaled
  readonly sample: Int32Array
  readonly variant: IsolationVariant
  readonly maxDepth: number
  readonly random: Random
  readonly table: TreeTable
  /** All features, in any order. */
  readonly order: Int32Array
  /** Ranges of the features in the node at hand. */
  readonly low: Float64Array
  readonly high: Float64Array
}

/** Per feature the inverse of its standard deviation over all rows; two passes, because one pass cancels. */
export function measureScale (x: Float64Array | Float32Array, width: number): Scaled {
  const rows = x.length / width
  const mean = new Float64Array(width)
  const inverseDeviation = new Float64Array(width)
  for (let i = 0, f = 0; i < x.length; i++, f = f + 1 === width ? 0 : f + 1) {
    if (!Number.isFinite(x[i])) throw new RangeError(`Row ${Math.floor(i / width)} holds ${x[i]}; expected finite numbers.`)
    mean[f] += x[i] / rows
  }
  for (let i = 0, f = 0; i < x.length; i++, f = f + 1 === width ? 0 : f + 1) inverseDeviation[f] += (x[i] - mean[f]) ** 2 / rows
  for (let f = 0; f < width; f++) inverseDeviation[f] = inverseDeviation[f] > 0 ? 1 / Math.sqrt(inverseDeviation[f]) : 0
  return { x, width, inverseDeviation }
}

/** Isolation tree over the rows in `sample` (reordered in place), to the depth of the paper: ⌈log₂ ψ⌉. */
export function growTree ({ scaled, sample, variant, random }: Pick<Growing, 'scaled' | 'sample' | 'variant' | 'random'>): TreeTable {
  const { width } = scaled
  const capacity = 2 * sample.length
  const planes = variant === 'extended' ? capacity * axesOf(width) : 0
  const table: TreeTable = {
    nodes: 0,
    feature: new Int16Array(capacity),
    threshold: new Float64Array(capacity),
    right: new Int32Array(capacity),
    size: new Uint16Array(capacity),
    boxes: new Float32Array(variant === 'range-proportional' ? capacity * 2 * width : 0),
    axes: new Int16Array(planes),
    slopes: new Float32Array(planes),
    points: new Float32Array(planes)
  }
  const maxDepth = Math.ceil(Math.log2(Math.max(sample.length, 2)))
  const order = Int32Array.from({ length: width }, (_, f) => f)
  const ranges = { low: new Float64Array(width), high: new Float64Array(width) }
  growNode({ scaled, sample, variant, random, maxDepth, table, order, ...ranges }, 0, sample.length, 0)
  return table
}

function growNode (growing: Growing, from: number, to: number, depth: number): number {
  const { table, variant } = growing
  const node = table.nodes++
  table.size[node] = to - from
  if (variant !== 'axis') measureRanges(growing, from, to)
  if (variant === 'range-proportional') keepBox(growing, node)
  const middle = depth < growing.maxDepth && to - from > 1 ? split(growing, node, { from, to }) : to
  if (middle === to) {
    table.feature[node] = -1
    table.threshold[node] = depth + averagePathLength(to - from)
    return node
  }
  growNode(growing, from, middle, depth + 1)
  table.right[node] = growNode(growing, middle, to, depth + 1)
  return node
}

interface Span { readonly from: number, readonly to: number }

/** Splits a node, its rows in order; returns where those of the right child begin, or `to` where all rows are equal. */
function split (growing: Growing, node: number, { from, to }: Span): number {
  if (growing.variant === 'extended') return splitByPlane(growing, node, { from, to })
  const feature = drawFeature(growing, from, to)
  if (feature < 0) return to
  const threshold = drawThreshold(growing.low[feature], growing.high[feature], growing.random)
  growing.table.feature[node] = feature
  growing.table.threshold[node] = threshold
  return partition(growing, from, to, { feature, threshold })
}

function keepBox ({ table: { boxes }, low, high }: Growing, node: number): void {
  const width = low.length
  // Rounded outwards: a training row must lie inside of its own boxes.
  for (let f = 0; f < width; f++) {
    boxes[2 * node * width + f] = roundedDown(low[f])
    boxes[(2 * node + 1) * width + f] = -roundedDown(-high[f])
  }
}

function roundedDown (value: number): number {
  const rounded = Math.fround(value)
  return rounded <= value ? rounded : Math.fround(value - Math.abs(value) * 2 ** -23)
}

/** A plane that cuts nothing off is drawn again. */
const mostTries = 20

function splitByPlane (growing: Growing, node: number, { from, to }: Span): number {
  const { table, random, low, high, scaled: { x, width, inverseDeviation }, sample } = growing
  if (!low.some((value, f) => high[f] > value)) return to
  const count = axesOf(width)
  const at = node * count
  for (let tries = 0; tries < mostTries; tries++) {
    const axes = drawDistinct(random, count, width)
    for (const [i, f] of axes.entries()) {
      table.axes[at + i] = f
      table.slopes[at + i] = normal(random) * inverseDeviation[f]
      table.points[at + i] = low[f] + random() * (high[f] - low[f])
    }
    let middle = from
    for (let i = from; i < to; i++) {
      const row = sample[i]
      let side = 0
      for (let k = at; k < at + count; k++) side += table.slopes[k] * (x[row * width + table.axes[k]] - table.points[k])
      if (side > 0) continue
      sample[i] = sample[middle]
      sample[middle++] = row
    }
    if (middle === from || middle === to) continue
    table.feature[node] = table.axes[at]
    return middle
  }
  return to
}

/** The feature of the next split, its range left in `low` and `high`; −1 if all rows of the node are equal. */
function drawFeature (growing: Growing, from: number, to: number): number {
  return growing.variant === 'axis' ? drawUniformly(growing, from, to) : drawByRange(growing)
}

/** Every feature that is not constant in the node is equally likely: draw without replacement until one is found. */
function drawUniformly (growing: Growing, from: number, to: number): number {
  const { order, random } = growing
  for (let left = order.length; left > 0; left--) {
    const drawn = Math.floor(random() * left)
    const feature = order[drawn]
    measureRange(growing, from, to, feature)
    if (growing.high[feature] > growing.low[feature]) return feature
    order[drawn] = order[left - 1]
    order[left - 1] = feature
  }
  return -1
}

function drawByRange (growing: Growing): number {
  const { low, high, scaled: { width, inverseDeviation } } = growing
  let total = 0
  for (let f = 0; f < width; f++) total += (high[f] - low[f]) * inverseDeviation[f]
  let left = growing.random() * total
  let last = -1
  for (let f = 0; f < width; f++) {
    const range = (high[f] - low[f]) * inverseDeviation[f]
    if (range <= 0) continue
    last = f
    left -= range
    if (left < 0) break
  }
  return last
}

function measureRange ({ scaled: { x, width }, sample, low, high }: Growing, from: number, to: number, feature: number): void {
  let smallest = Infinity
  let largest = -Infinity
  for (let i = from; i < to; i++) {
    const value = x[sample[i] * width + feature]
    if (value < smallest) smallest = value
    if (value > largest) largest = value
  }
  low[feature] = smallest
  high[feature] = largest
}

function measureRanges ({ scaled: { x, width }, sample, low, high }: Growing, from: number, to: number): void {
  low.fill(Infinity)
  high.fill(-Infinity)
  for (let i = from; i < to; i++) {
    const row = sample[i] * width
    for (let f = 0; f < width; f++) {
      const value = x[row + f]
      if (value < low[f]) low[f] = value
      if (value > high[f]) high[f] = value
    }
  }
}

/** Uniform in [low, high): the smallest value goes left, the largest right, also after rounding. */
function drawThreshold (low: number, high: number, random: Random): number {
  const threshold = low + random() * (high - low)
  return threshold < high ? threshold : low
}

interface Split { readonly feature: number, readonly threshold: number }

/** Brings the rows with x ≤ threshold to the front; returns where the others begin. */
function partition ({ scaled: { x, width }, sample }: Growing, from: number, to: number, { feature, threshold }: Split): number {
  let middle = from
  for (let i = from; i < to; i++) {
    const row = sample[i]
    if (x[row * width + feature] > threshold) continue
    sample[i] = sample[middle]
    sample[middle++] = row
  }
  return middle
}
