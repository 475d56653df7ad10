import { averagePathLength } from './path-length.ts'
import type { Random } from './random.ts'

/** One tree in preorder: the left child of a node follows it. */
export interface TreeTable {
  nodes: number
  /** −1 for a leaf. */
  readonly feature: Int16Array
  /** Of the split; in a leaf the path length. */
  readonly threshold: Float64Array
  readonly right: Int32Array
  readonly size: Uint16Array
}

export interface Scaled {
  readonly x: Float64Array | Float32Array
  readonly width: number
  /** Per feature: 1 / standard deviation; 0 for a constant feature, which is never split. */
  readonly inverseDeviation: Float64Array
}

interface Growing {
  readonly scaled: Scaled
  readonly sample: Int32Array
  readonly proportional: boolean
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
export function growTree ({ scaled, sample, proportional, random }: Pick<Growing, 'scaled' | 'sample' | 'proportional' | 'random'>): TreeTable {
  const capacity = 2 * sample.length
  const table: TreeTable = {
    nodes: 0,
    feature: new Int16Array(capacity),
    threshold: new Float64Array(capacity),
    right: new Int32Array(capacity),
    size: new Uint16Array(capacity)
  }
  const maxDepth = Math.ceil(Math.log2(Math.max(sample.length, 2)))
  const { width } = scaled
  const order = Int32Array.from({ length: width }, (_, f) => f)
  const ranges = { low: new Float64Array(width), high: new Float64Array(width) }
  growNode({ scaled, sample, proportional, random, maxDepth, table, order, ...ranges }, 0, sample.length, 0)
  return table
}

function growNode (growing: Growing, from: number, to: number, depth: number): number {
  const { table } = growing
  const node = table.nodes++
  table.size[node] = to - from
  const feature = depth < growing.maxDepth && to - from > 1 ? drawFeature(growing, from, to) : -1
  table.feature[node] = feature
  if (feature < 0) {
    table.threshold[node] = depth + averagePathLength(to - from)
    return node
  }
  const low = growing.low[feature]
  const high = growing.high[feature]
  const threshold = drawThreshold(low, high, growing.random)
  table.threshold[node] = threshold
  const middle = partition(growing, from, to, { feature, threshold })
  growNode(growing, from, middle, depth + 1)
  table.right[node] = growNode(growing, middle, to, depth + 1)
  return node
}

/** The feature of the next split, its range left in `low` and `high`; −1 if all rows of the node are equal. */
function drawFeature (growing: Growing, from: number, to: number): number {
  return growing.proportional ? drawByRange(growing, from, to) : drawUniformly(growing, from, to)
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

function drawByRange (growing: Growing, from: number, to: number): number {
  const { low, high, scaled: { width, inverseDeviation } } = growing
  measureRanges(growing, from, to)
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
