import { normal, type Random } from './random.ts'

/**
 * A tiny regression network in plain typed arrays: width → hidden → hidden → 1, tanh, with a linear way past both layers.
 * For networks of a few hundred weights a call into a tensor library costs more than the arithmetic (bench/tuning/networks.ts).
 */
export interface NetworkShape { readonly width: number, readonly hidden: number }

/** Weights and the two moments of Adam (Kingma and Ba, ICLR 2015), one buffer each, in the order of `layout`. */
export interface SmallNetwork {
  readonly weights: Float32Array
  readonly first: Float32Array
  readonly second: Float32Array
  steps: number
}

/** Where each part begins: W1 [hidden, width], b1, W2 [hidden, hidden], b2, W3 [hidden], skip [width], b3. */
function layout ({ width, hidden }: NetworkShape) {
  const b1 = hidden * width
  const w2 = b1 + hidden
  const b2 = w2 + hidden * hidden
  const w3 = b2 + hidden
  const skip = w3 + hidden
  const b3 = skip + width
  return { b1, w2, b2, w3, skip, b3, size: b3 + 1 }
}

export function createSmallNetwork (shape: NetworkShape, random: Random): SmallNetwork {
  const { b1, w2, b2, w3, skip, size } = layout(shape)
  const weights = new Float32Array(size)
  const fill = (from: number, to: number, fanIn: number) => { for (let i = from; i < to; i++) weights[i] = normal(random) / Math.sqrt(fanIn) }
  fill(0, b1, shape.width)
  fill(w2, b2, shape.hidden)
  fill(w3, skip, shape.hidden)
  return { weights, first: new Float32Array(size), second: new Float32Array(size), steps: 0 }
}

export interface Workspace { readonly h1: Float64Array, readonly h2: Float64Array, readonly d2: Float64Array, readonly gradient: Float32Array }

export function createWorkspace (shape: NetworkShape): Workspace {
  const { hidden } = shape
  return { h1: new Float64Array(hidden), h2: new Float64Array(hidden), d2: new Float64Array(hidden), gradient: new Float32Array(layout(shape).size) }
}

/** The network's value for the `width` numbers of `x` from `at` on. */
export function predictSmall ({ width, hidden }: NetworkShape, weights: Float32Array, x: Float32Array, at: number, { h1, h2 }: Workspace): number {
  const { b1, w2, b2, w3, skip, b3 } = layout({ width, hidden })
  for (let j = 0; j < hidden; j++) {
    let sum = weights[b1 + j]
    const row = j * width
    for (let i = 0; i < width; i++) sum += weights[row + i] * x[at + i]
    h1[j] = Math.tanh(sum)
  }
  let value = weights[b3]
  for (let j = 0; j < hidden; j++) {
    let sum = weights[b2 + j]
    const row = w2 + j * hidden
    for (let i = 0; i < hidden; i++) sum += weights[row + i] * h1[i]
    h2[j] = Math.tanh(sum)
    value += weights[w3 + j] * h2[j]
  }
  for (let i = 0; i < width; i++) value += weights[skip + i] * x[at + i]
  return value
}

/** Adds the gradient of `slope` × value to the workspace; call right after predictSmall of the same x. */
function accumulate ({ width, hidden }: NetworkShape, weights: Float32Array, x: Float32Array, at: number, slope: number, { h1, h2, d2, gradient }: Workspace): void {
  const { b1, w2, b2, w3, skip, b3 } = layout({ width, hidden })
  gradient[b3] += slope
  for (let i = 0; i < width; i++) gradient[skip + i] += slope * x[at + i]
  for (let j = 0; j < hidden; j++) {
    gradient[w3 + j] += slope * h2[j]
    const delta = slope * weights[w3 + j] * (1 - h2[j] * h2[j])
    d2[j] = delta
    gradient[b2 + j] += delta
    const row = w2 + j * hidden
    for (let i = 0; i < hidden; i++) gradient[row + i] += delta * h1[i]
  }
  for (let i = 0; i < hidden; i++) {
    let back = 0
    for (let j = 0; j < hidden; j++) back += d2[j] * weights[w2 + j * hidden + i]
    const delta = back * (1 - h1[i] * h1[i])
    gradient[b1 + i] += delta
    const row = i * width
    for (let k = 0; k < width; k++) gradient[row + k] += delta * x[at + k]
  }
}

export interface Batch {
  /** Rows of `width` numbers. */
  readonly x: Float32Array
  readonly y: Float32Array
  /** Rows to learn from. */
  readonly rows: Int32Array
}
export interface LearnOptions {
  readonly rate: number
  readonly decay: number
  /** Residuals beyond this count linearly (Huber 1964). */
  readonly huber: number
}

/** One Adam step on the rows of the batch; changes the network in place. */
export function learnSmall (shape: NetworkShape, network: SmallNetwork, { x, y, rows }: Batch, { rate, decay, huber }: LearnOptions, space: Workspace): void {
  const { weights, first, second } = network
  const { gradient } = space
  gradient.fill(0)
  for (let r = 0; r < rows.length; r++) {
    const at = rows[r] * shape.width
    const residual = predictSmall(shape, weights, x, at, space) - y[rows[r]]
    accumulate(shape, weights, x, at, Math.max(-huber, Math.min(huber, residual)) / rows.length, space)
  }
  const t = ++network.steps
  const step = rate * Math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
  for (let i = 0; i < weights.length; i++) {
    const g = gradient[i]
    first[i] += 0.1 * (g - first[i])
    second[i] += 0.001 * (g * g - second[i])
    weights[i] -= step * first[i] / (Math.sqrt(second[i]) + 1e-8) + rate * decay * weights[i]
  }
}
