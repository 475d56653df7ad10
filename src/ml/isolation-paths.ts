import { axesOf } from './isolation-tree.ts'
import type { IsolationVariant, TreeTable } from './isolation-tree.ts'

/** The nodes of all trees behind one another; `right` counts from the first of all. */
export interface ForestNodes extends Omit<TreeTable, 'nodes'> {
  readonly variant: IsolationVariant
  readonly width: number
  readonly roots: Int32Array
  /** Per feature: 1 / standard deviation; 0 for a constant one. */
  readonly inverseDeviation: Float64Array
}

type Row = Float64Array | Float32Array

/** Path lengths of a row, summed over all trees. */
export function totalLength (nodes: ForestNodes, x: Row): number {
  if (nodes.variant === 'axis') return axisLength(nodes, x)
  let length = 0
  for (const root of nodes.roots) length += nodes.variant === 'extended' ? nodes.threshold[leafOf(nodes, root, x)] : boxLength(nodes, root, x)
  return length
}

function axisLength ({ roots, feature, threshold, right }: ForestNodes, x: Row): number {
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
  return length
}

export function childOf (nodes: ForestNodes, node: number, x: Row): number {
  const isLeft = nodes.variant === 'extended' ? sideOf(nodes, node, x) <= 0 : x[nodes.feature[node]] <= nodes.threshold[node]
  return isLeft ? node + 1 : nodes.right[node]
}

export function leafOf (nodes: ForestNodes, root: number, x: Row): number {
  let node = root
  while (nodes.feature[node] >= 0) node = childOf(nodes, node, x)
  return node
}

function sideOf ({ axes, slopes, points, width }: ForestNodes, node: number, x: Row): number {
  const count = axesOf(width)
  let side = 0
  for (let i = node * count; i < (node + 1) * count; i++) side += slopes[i] * (x[axes[i]] - points[i])
  return side
}

/** A branch that so little is left of does not matter. */
const leastReach = 1e-6

/**
 * Expected path length: at each node the row is cut off with the probability that a cut across both it and the box of the node lies between them, and else
 * goes on as any row.
 *
 * @see Guha, Mishra, Roy and Schrijvers, ICML 2016, theorem 3: a row is inserted into a tree as if it had been there when it was grown.
 */
function boxLength (nodes: ForestNodes, root: number, x: Row): number {
  let length = 0
  let reach = 1
  let depth = 0
  for (let node = root; ; node = childOf(nodes, node, x), depth++) {
    const cut = reach * cutChance(nodes, node, x)
    length += cut * (depth + 1)
    reach -= cut
    if (nodes.feature[node] < 0) return length + reach * nodes.threshold[node]
    if (reach < leastReach) return length
  }
}

/** The probability that a row is cut off from the box of a node. @param outside shape [width]; filled with its distance in each feature, in deviations. */
function cutChance ({ boxes, width, inverseDeviation }: ForestNodes, node: number, x: Row, outside?: Float64Array): number {
  const low = 2 * node * width
  const high = low + width
  let out = 0
  let range = 0
  for (let f = 0; f < width; f++) {
    const distance = Math.max(0, x[f] - boxes[high + f], boxes[low + f] - x[f]) * inverseDeviation[f]
    if (outside) outside[f] = distance
    out += distance
    range += (boxes[high + f] - boxes[low + f]) * inverseDeviation[f]
  }
  return out > 0 ? out / (out + range) : 0
}

/**
 * What each feature earns of isolating a row in one tree: ln(rows before / rows after) for each split on its path, shared by the slopes of a hyperplane;
 * ln(rows) for being cut off from a box, shared by the distances.
 *
 * @param earned shape [width]; added to. @returns the sum that was added.
 */
export function earnedIn (nodes: ForestNodes, root: number, x: Row, { weight, earned }: { weight: number, earned: Float64Array }): number {
  const before = earned.reduce((sum, value) => sum + value, 0)
  const outside = new Float64Array(nodes.variant === 'range-proportional' ? nodes.width : 0)
  let reach = weight
  for (let node = root; ;) {
    const cut = outside.length > 0 ? reach * cutChance(nodes, node, x, outside) : 0
    if (cut > 0) share(earned, outside, cut * Math.log(nodes.size[node] + 1))
    reach -= cut
    if (nodes.feature[node] < 0) break
    const child = childOf(nodes, node, x)
    const gain = reach * Math.log(nodes.size[node] / nodes.size[child])
    if (nodes.variant === 'extended') shareByPlane(nodes, node, x, { earned, gain })
    else earned[nodes.feature[node]] += gain
    node = child
  }
  return earned.reduce((sum, value) => sum + value, 0) - before
}

function share (earned: Float64Array, weights: Float64Array, gain: number): void {
  const total = weights.reduce((sum, value) => sum + value, 0)
  for (let f = 0; f < earned.length; f++) earned[f] += gain * weights[f] / total
}

function shareByPlane ({ axes, slopes, points, width, feature }: ForestNodes, node: number, x: Row, { earned, gain }: { earned: Float64Array, gain: number }): void {
  const count = axesOf(width)
  const moved = Float64Array.from({ length: count }, (_, i) => Math.abs(slopes[node * count + i] * (x[axes[node * count + i]] - points[node * count + i])))
  const total = moved.reduce((sum, value) => sum + value, 0)
  if (total === 0) earned[feature[node]] += gain
  else for (let i = 0; i < count; i++) earned[axes[node * count + i]] += gain * moved[i] / total
}
