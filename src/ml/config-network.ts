import type * as core from '@tensorflow/tfjs-core'
import type * as layers from '@tensorflow/tfjs-layers'
import { configNetworkKind, layerWidths, readNetwork, weightCount, writeNetwork, type NetworkContent } from './dense-network.ts'
import { checkRow, type Model } from './model.ts'
import { shuffle, type Random } from './random.ts'
import { loadTensorFlow, type Backend, type TensorFlow } from './tensorflow.ts'

/** Rows that belong together; row-major. */
export interface TrainingBatch {
  /** Shape [rows, 10]. */
  readonly x: ArrayLike<number>
  /** Shape [rows, 5]: where each parameter should stand on its scale, 0 to 1. */
  readonly y: ArrayLike<number>
  /** Shape [rows, 5]: how much each target counts; 0 for one that is not known. All 1 by default. */
  readonly weights?: ArrayLike<number>
}

export interface LearnOptions {
  readonly epochs?: number
  readonly batchSize?: number
  /** Shuffles the rows before each epoch; without it they keep their order. */
  readonly random?: Random
}

interface Start { readonly content: NetworkContent, readonly learningRate: number, readonly seed: number }

const defaultLearningRate = 1e-3

/**
 * The configuration network, ten signals → 64 → 32 → five parameters, as TensorFlow.js learns it (Adam, weighted squared error).
 * It owns tensors: call `dispose`. To predict where that matters use DenseNetwork, which reads the same file.
 */
export class ConfigNetwork implements Model {
  readonly kind = configNetworkKind
  readonly backend: Backend
  readonly #tf: typeof core
  readonly #model: layers.Sequential
  readonly #optimizer: core.AdamOptimizer
  #content: NetworkContent

  private constructor ({ tf, layers, backend }: TensorFlow, { content, learningRate, seed }: Start) {
    this.backend = backend
    this.#tf = tf
    this.#model = buildModel(layers, seed)
    this.#optimizer = tf.train.adam(learningRate)
    this.#content = content
  }

  /** A network that has learned nothing. @param seed the same seed gives the same weights on every backend. */
  static async create ({ seed, learningRate = defaultLearningRate, backend, ...names }:
  Omit<NetworkContent, 'weights' | 'optimizer'> & { seed: number, learningRate?: number, backend?: Backend }): Promise<ConfigNetwork> {
    const library = await loadTensorFlow(backend)
    const network = new ConfigNetwork(library, { content: { ...names, weights: new Float32Array(weightCount) }, learningRate, seed })
    await network.#readBack()
    return network
  }

  /** Goes on where `toBytes` was called, Adam's moments included. @throws PrescaleError 'model-format' like `readNetwork`. */
  static async fromBytes (bytes: Uint8Array, { learningRate = defaultLearningRate, backend }: { learningRate?: number, backend?: Backend } = {}) {
    const content = readNetwork(bytes)
    const network = new ConfigNetwork(await loadTensorFlow(backend), { content, learningRate, seed: 0 })
    await network.#restore(content)
    return network
  }

  get features (): readonly string[] { return this.#content.features }
  get parameters (): readonly string[] { return this.#content.parameters }
  /** For a DenseNetwork; a snapshot of the last `learn`. */
  get content (): NetworkContent { return this.#content }

  /** @returns shape [5], see DenseNetwork.predict; @throws RangeError if x has another width or holds a value that is not finite. */
  predict (x: ArrayLike<number>): Float64Array {
    checkRow(x, this.features)
    const input = this.#tf.tensor2d(Float32Array.from(x), [1, layerWidths[0]])
    const output = this.#model.predict(input) as core.Tensor
    const answer = Float64Array.from(output.dataSync())
    this.#tf.dispose([input, output])
    return answer
  }

  /**
   * Moves the network towards the targets, one Adam step for each `batchSize` rows in each epoch.
   *
   * @returns mean weighted squared error over the last epoch, measured before each of its steps.
   * @throws RangeError, before anything is learned, if the lengths do not fit or a value is not finite.
   */
  async learn (batch: TrainingBatch, { epochs = 1, batchSize = 32, random }: LearnOptions = {}): Promise<number> {
    const data = checkedBatch(batch)
    const order = Uint32Array.from({ length: data.rows }, (_, i) => i)
    let loss = 0
    for (let epoch = 0; epoch < epochs; epoch++) {
      if (random) shuffle(order, random)
      loss = 0
      for (let from = 0; from < data.rows; from += batchSize) {
        const rows = order.subarray(from, from + batchSize)
        loss += this.#step(data, rows) * rows.length / data.rows
      }
    }
    await this.#readBack()
    return loss
  }

  toBytes (): Uint8Array { return writeNetwork(this.#content) }

  /** Gives all tensors back; the network cannot be used any more. */
  dispose (): void {
    this.#optimizer.dispose()
    this.#model.dispose()
  }

  #step (data: CheckedBatch, rows: Uint32Array): number {
    const tf = this.#tf
    const [inputs, outputs] = [layerWidths[0], layerWidths[3]]
    const loss = tf.tidy(() => {
      const x = tf.tensor2d(gather(data.x, rows, inputs), [rows.length, inputs])
      const y = tf.tensor2d(gather(data.y, rows, outputs), [rows.length, outputs])
      const weights = tf.tensor2d(gather(data.weights, rows, outputs), [rows.length, outputs])
      const weightedError = () => {
        const error = tf.sub(this.#model.apply(x) as core.Tensor, y)
        return tf.mean(tf.mul(weights, tf.square(error))) as core.Scalar
      }
      return this.#optimizer.minimize(weightedError, true, this.#variables())!
    })
    const value = loss.dataSync()[0]
    loss.dispose()
    return value
  }

  #variables (): core.Variable[] {
    // LayerVariable keeps the variable that the optimizer changes in a field that its type calls protected.
    return this.#model.trainableWeights.map(weight => (weight as unknown as { val: core.Variable }).val)
  }

  /** Copies weights and moments out of the tensors, so that `toBytes` and DenseNetwork need no TensorFlow. */
  async #readBack (): Promise<void> {
    const [steps, ...moments] = await this.#optimizer.getWeights()
    this.#content = {
      ...this.#content,
      weights: flatten(this.#variables()),
      optimizer: moments.length === 0 ? undefined : { steps: steps.tensor.dataSync()[0], moments: flatten(moments.map(({ tensor }) => tensor)) }
    }
    steps.tensor.dispose() // made by getWeights; the others are the optimizer's own
  }

  async #restore ({ weights, optimizer }: NetworkContent): Promise<void> {
    const tf = this.#tf
    const variables = this.#variables()
    const shapes = variables.map(({ shape }) => shape)
    const restored = unflatten(tf, weights, shapes)
    variables.forEach((variable, i) => variable.assign(restored[i]))
    const moments = optimizer ? unflatten(tf, optimizer.moments, [...shapes, ...shapes]) : []
    if (optimizer) {
      const steps = tf.scalar(optimizer.steps, 'int32')
      await this.#optimizer.setWeights([{ name: 'iter', tensor: steps }, ...moments.map((tensor, i) => ({ name: `moment-${i}`, tensor }))])
      steps.dispose()
    }
    tf.dispose([...restored, ...moments])
  }
}

function buildModel (library: typeof layers, seed: number): layers.Sequential {
  const [inputs, ...widths] = layerWidths
  return library.sequential({
    layers: widths.map((units, i) => library.layers.dense({
      units,
      ...(i === 0 ? { inputShape: [inputs] } : {}),
      activation: i === widths.length - 1 ? 'sigmoid' : 'relu',
      kernelInitializer: library.initializers.glorotUniform({ seed: seed + i })
    }))
  })
}

interface CheckedBatch { readonly rows: number, readonly x: ArrayLike<number>, readonly y: ArrayLike<number>, readonly weights: ArrayLike<number> }

function checkedBatch ({ x, y, weights }: TrainingBatch): CheckedBatch {
  const rows = x.length / layerWidths[0]
  if (!Number.isInteger(rows) || rows === 0) throw new RangeError(`Expected rows of ${layerWidths[0]} features, got ${x.length} numbers.`)
  const wanted = rows * layerWidths[3]
  for (const [name, values] of Object.entries({ y, weights })) {
    if (values && values.length !== wanted) throw new RangeError(`Expected ${wanted} values of ${name} for ${rows} rows, got ${values.length}.`)
  }
  for (const [name, values] of Object.entries({ x, y, weights })) {
    for (let i = 0; i < (values?.length ?? 0); i++) {
      if (!Number.isFinite(values![i])) throw new RangeError(`Expected finite numbers, got ${values![i]} at place ${i} of ${name}.`)
    }
  }
  return { rows, x, y, weights: weights ?? new Float32Array(wanted).fill(1) }
}

function gather (values: ArrayLike<number>, rows: Uint32Array, width: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) {
    for (let j = 0; j < width; j++) out[i * width + j] = values[rows[i] * width + j]
  }
  return out
}

function flatten (tensors: readonly core.Tensor[]): Float32Array<ArrayBuffer> {
  const out = new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0))
  let offset = 0
  for (const tensor of tensors) {
    out.set(tensor.dataSync(), offset)
    offset += tensor.size
  }
  return out
}

function unflatten (tf: typeof core, values: Float32Array, shapes: readonly (readonly number[])[]): core.Tensor[] {
  let offset = 0
  return shapes.map(shape => {
    const size = shape.reduce((product, width) => product * width, 1)
    offset += size
    return tf.tensor(values.slice(offset - size, offset), shape as number[])
  })
}
