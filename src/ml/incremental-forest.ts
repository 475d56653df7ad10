import { growTree } from './isolation-tree.ts'
import type { TreeTable } from './isolation-tree.ts'
import { averagePathLength } from './path-length.ts'
import { createRandom, drawDistinct, randomAt } from './random.ts'

/**
 * An isolation forest that follows its rows: a reservoir of recent rows, and trees that are replaced one by one by trees grown from it.
 * Plain arrays, so that it can lie in the state of a service; numbers in two bytes each, 0.03 % apart.
 */
export interface IncrementalForest {
  readonly shape: IncrementalShape
  /** Rows that it was given; also the seed of everything random. */
  readonly turn: number
  /** Shape [rows held, width], coded. */
  readonly rows: Uint16Array
  /** Nodes of each tree, the oldest tree first; trees lie behind one another, each in preorder: the left child of a node follows it. */
  readonly sizes: Uint16Array
  /** Per node: the feature it splits on, or 255 for a leaf. */
  readonly feature: Uint8Array
  /** Per node: x ≤ threshold goes left, coded like the rows; in a leaf the path length, in `perLength`ths. */
  readonly threshold: Uint16Array
  /** Per node: its right child, counted from the root of its tree. */
  readonly right: Uint16Array
}

export interface IncrementalShape {
  readonly trees: number
  /** Rows that each tree sees. */
  readonly sampleRows: number
  /** Rows held. */
  readonly heldRows: number
  /** Rows are held for about so many turns, and all trees are replaced once in as many. */
  readonly horizon: number
}

const leaf = 255
/** Depth and what is left below a leaf are at most 8 + 10. */
const perLength = 2048
const smallest = 1e-4
const perCode = 1 / Math.log(1.0003)
/** A young forest replaces its trees as often as it doubles its rows, but not more often than this: first rows are much alike. */
const leastTurnsPerTree = 8

export function emptyIncrementalForest (shape: IncrementalShape): IncrementalForest {
  return { shape, turn: 0, rows: new Uint16Array(0), sizes: new Uint16Array(0), feature: new Uint8Array(0), threshold: new Uint16Array(0), right: new Uint16Array(0) }
}

/** A number that is not negative in two bytes: 0 stands for less than 0.0001, 65,535 for 30,000 and more. Keeps the order. */
function encode (value: number): number {
  return value < smallest ? 0 : Math.min(65_535, 1 + Math.round(Math.log(value / smallest) * perCode))
}

function decode (code: number): number {
  return code === 0 ? 0 : smallest * Math.exp((code - 1) / perCode)
}

export const isGrown = ({ sizes, shape }: IncrementalForest) => sizes.length === shape.trees

/**
 * How easily a row is isolated from the rows of late.
 *
 * @param x shape [width], none negative.
 * @returns 0 to 1; higher is more anomalous; NaN while there is no tree.
 */
export function scoreIncrementally ({ shape, sizes, feature, threshold, right }: IncrementalForest, x: Float64Array): number {
  const codes = new Uint16Array(x.length)
  for (let f = 0; f < x.length; f++) codes[f] = encode(x[f])
  let length = 0
  for (let tree = 0, root = 0; tree < sizes.length; root += sizes[tree++]) {
    let node = root
    let f = feature[node]
    while (f !== leaf) {
      node = codes[f] <= threshold[node] ? node + 1 : root + right[node]
      f = feature[node]
    }
    length += threshold[node]
  }
  return 2 ** (-length / perLength / sizes.length / averagePathLength(shape.sampleRows))
}

/**
 * The forest after one more row. Pure; the same rows give the same forest.
 *
 * The reservoir is a fair sample of all rows until `horizon` of them came; from then on the latest count most.
 *
 * @param x shape [width], none negative.
 * @see Vitter, "Random sampling with a reservoir", 1985; Aggarwal, "On biased reservoir sampling in the presence of stream evolution", VLDB 2006.
 */
export function learnRow (forest: IncrementalForest, x: Float64Array): IncrementalForest {
  const { trees, sampleRows, heldRows, horizon } = forest.shape
  const turn = forest.turn + 1
  const held = forest.rows.length / x.length
  const age = Math.min(turn, horizon)
  const place = held < heldRows ? held : Math.floor(randomAt(turn) * age)
  const { shape, rows, sizes, feature, threshold, right } = forest
  const next = { shape, turn, rows: place < heldRows ? withRow(rows, x, place) : rows, sizes, feature, threshold, right }
  const turnsPerTree = Math.max(leastTurnsPerTree, Math.floor(age / trees))
  if (held < Math.min(sampleRows, heldRows) || turn % turnsPerTree !== 0) return next
  return withTree(forest.sizes.length < trees ? next : withoutOldest(next), treeFrom(next, x.length))
}

/**
 * A forest from many rows at once: its trees see all of them, its reservoir is drawn from them.
 *
 * @param rows shape [rows][width]. @param tables as many trees over these rows as the forest is to have.
 */
export function incrementalForestOf (rows: readonly Float64Array[], tables: readonly TreeTable[], shape: IncrementalShape): IncrementalForest {
  const chosen = drawDistinct(createRandom(rows.length), Math.min(shape.heldRows, rows.length), rows.length)
  const held = Uint16Array.from(Array.from(chosen).flatMap(row => Array.from(rows[row], encode)))
  const sampleRows = Math.min(shape.sampleRows, rows.length)
  return tables.reduce(withTree, { ...emptyIncrementalForest({ ...shape, sampleRows }), turn: Math.max(rows.length, shape.horizon), rows: held })
}

function withRow (rows: Uint16Array, x: Float64Array, place: number): Uint16Array {
  const next = new Uint16Array(Math.max(rows.length, (place + 1) * x.length))
  next.set(rows)
  for (let f = 0; f < x.length; f++) next[place * x.length + f] = encode(x[f])
  return next
}

function treeFrom ({ rows, shape: { sampleRows }, turn }: IncrementalForest, width: number): TreeTable {
  const random = createRandom(turn)
  const held = rows.length / width
  const drawn = drawDistinct(random, Math.min(sampleRows, held), held)
  const x = Float64Array.from({ length: drawn.length * width }, (_, i) => decode(rows[drawn[Math.floor(i / width)] * width + i % width]))
  // What the features are divided by does not matter to axis-parallel splits.
  const scaled = { x, width, inverseDeviation: new Float64Array(width).fill(1) }
  return growTree({ scaled, sample: Int32Array.from(drawn.keys()), variant: 'axis', random })
}

function withTree (forest: IncrementalForest, { nodes, feature, threshold, right }: TreeTable): IncrementalForest {
  const tree = Array.from({ length: nodes }, (_, node) => node)
  return {
    ...forest,
    sizes: Uint16Array.of(...forest.sizes, nodes),
    feature: joined(forest.feature, Uint8Array.from(tree, node => feature[node] < 0 ? leaf : feature[node])),
    threshold: joined(forest.threshold, Uint16Array.from(tree, node => feature[node] < 0 ? Math.round(threshold[node] * perLength) : encode(threshold[node]))),
    right: joined(forest.right, Uint16Array.from(tree, node => right[node]))
  }
}

function withoutOldest ({ sizes, feature, threshold, right, ...forest }: IncrementalForest): IncrementalForest {
  const [nodes] = sizes
  return { ...forest, sizes: sizes.slice(1), feature: feature.slice(nodes), threshold: threshold.slice(nodes), right: right.slice(nodes) }
}

function joined<T extends Uint8Array | Uint16Array> (before: T, added: T): T {
  const both = new (before.constructor as new (length: number) => T)(before.length + added.length)
  both.set(before)
  both.set(added, before.length)
  return both
}
