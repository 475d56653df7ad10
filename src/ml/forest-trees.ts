/**
 * Regression trees as columns of numbers. A split node sends x[feature] ≤ threshold to node `first`, the rest to `first + 1`;
 * a leaf has feature −1 and keeps its training targets: `samples[first .. first + size)`, ranks among the distinct targets.
 */
export interface Trees {
  /** Node at which each tree begins. */
  readonly roots: Uint32Array
  readonly feature: Int16Array
  readonly threshold: Float64Array
  readonly first: Uint32Array
  /** Training samples that reached the node, repetitions of the bootstrap included. */
  readonly size: Uint32Array
  /** Mean target of those samples. */
  readonly mean: Float64Array
  readonly samples: Uint32Array
  /** Share of each feature in each tree's decrease of variance, [trees, width]. */
  readonly importance: Float64Array
}

const total = (parts: readonly Trees[], field: keyof Trees) => parts.reduce((sum, part) => sum + part[field].length, 0)

/** Puts trees that were grown apart one behind the other, in the order given. */
export function concatTrees (parts: readonly Trees[]): Trees {
  const nodes = total(parts, 'feature')
  const all: Trees = {
    roots: new Uint32Array(total(parts, 'roots')),
    feature: new Int16Array(nodes),
    threshold: new Float64Array(nodes),
    first: new Uint32Array(nodes),
    size: new Uint32Array(nodes),
    mean: new Float64Array(nodes),
    samples: new Uint32Array(total(parts, 'samples')),
    importance: new Float64Array(total(parts, 'importance'))
  }
  const at = { roots: 0, nodes: 0, samples: 0, importance: 0 }
  for (const part of parts) {
    all.roots.set(part.roots.map(root => root + at.nodes), at.roots)
    all.first.set(part.first.map((first, node) => first + (part.feature[node] < 0 ? at.samples : at.nodes)), at.nodes)
    for (const field of ['feature', 'threshold', 'size', 'mean'] as const) all[field].set(part[field], at.nodes)
    all.samples.set(part.samples, at.samples)
    all.importance.set(part.importance, at.importance)
    at.roots += part.roots.length
    at.nodes += part.feature.length
    at.samples += part.samples.length
    at.importance += part.importance.length
  }
  return all
}

/**
 * Why these arrays are no trees, or null: every index must stay inside, and children stand behind their parent, so that
 * a walk ends. For files that carry a right checksum and yet were made wrongly.
 */
export function faultOfTrees (trees: Trees, { width, targets }: { width: number, targets: number }): string | null {
  const { roots, feature, first, size, samples } = trees
  const nodes = feature.length
  if (roots.length === 0) return 'it has no trees'
  for (const column of [trees.threshold, first, size, trees.mean]) {
    if (column.length !== nodes) return `one column has ${column.length} nodes, another ${nodes}`
  }
  if (trees.importance.length !== roots.length * width) return `${trees.importance.length} importances for ${roots.length} trees of ${width} features`
  for (const root of roots) if (root >= nodes) return `a tree begins at node ${root} of ${nodes}`
  for (let node = 0; node < nodes; node++) {
    if (feature[node] >= width) return `node ${node} splits on feature ${feature[node]} of ${width}`
    const from = first[node]
    if (feature[node] < 0 && (size[node] === 0 || from + size[node] > samples.length)) return `leaf ${node} has no samples in the file`
    if (feature[node] >= 0 && (from <= node || from + 1 >= nodes)) return `node ${node} has child ${from} of ${nodes} nodes`
  }
  for (const rank of samples) if (rank >= targets) return `a leaf holds target ${rank} of ${targets}`
  return null
}
