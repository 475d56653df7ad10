import { PrescaleError } from '../errors.ts'
import { checkRow, type Model } from './model.ts'
import { readModelFile, sectionOf, writeModelFile, type Section } from './model-file.ts'

export const configNetworkKind = 'config-network'
/** The network of the original design: ten signals, two hidden layers (ReLU), five parameters (sigmoid, so 0 to 1 of their scale). */
export const layerWidths: readonly number[] = [10, 64, 32, 5]
/** 10·64 + 64 + 64·32 + 32 + 32·5 + 5 */
export const weightCount = layerWidths.slice(1).reduce((sum, width, i) => sum + (layerWidths[i] + 1) * width, 0)

export interface NetworkContent {
  readonly features: readonly string[]
  readonly parameters: readonly string[]
  /** Shape [10]: the mean of each input over the training rows; stands in for a signal that was not measured. */
  readonly typical: readonly number[]
  /** For each layer its kernel (row-major, [inputs, outputs]) and then its bias. */
  readonly weights: Float32Array<ArrayBuffer>
  /** Adam's state, so that learning goes on after a load as if it had never stopped: steps, first and second moments. */
  readonly optimizer?: { readonly steps: number, readonly moments: Float32Array<ArrayBuffer> } | undefined
}

/**
 * The forward pass of the configuration network without TensorFlow: a few microseconds, no memory to dispose. Learning is
 * ConfigNetwork's; both read and write the same file and agree to 1e-5.
 */
export class DenseNetwork implements Model {
  readonly kind = configNetworkKind
  readonly content: NetworkContent
  readonly #layers: readonly Float64Array[] = layerWidths.map(width => new Float64Array(width))

  constructor (content: NetworkContent) {
    if (content.weights.length !== weightCount) throw new RangeError(`Expected ${weightCount} weights, got ${content.weights.length}.`)
    this.content = content
  }

  get features (): readonly string[] { return this.content.features }
  get parameters (): readonly string[] { return this.content.parameters }

  /**
   * The configuration that the network takes to be best in a state.
   *
   * @param x shape [10], normalised as in training (features/tuning-features.ts).
   * @returns shape [5], each 0 to 1 of its parameter's scale; a new array.
   * @throws RangeError if x has another width or holds a value that is not finite.
   */
  predict (x: ArrayLike<number>): Float64Array {
    checkRow(x, this.features)
    const layers = this.#layers
    const weights = this.content.weights
    layers[0].set(x)
    let offset = 0
    for (let layer = 1; layer < layers.length; layer++) {
      const input = layers[layer - 1]
      const output = layers[layer]
      const width = output.length
      const biasAt = offset + input.length * width
      for (let j = 0; j < width; j++) output[j] = weights[biasAt + j]
      for (let i = 0; i < input.length; i++) {
        const value = input[i]
        if (value === 0) continue // half of the hidden units are silent
        const row = offset + i * width
        for (let j = 0; j < width; j++) output[j] += value * weights[row + j]
      }
      const last = layer === layers.length - 1
      for (let j = 0; j < width; j++) output[j] = last ? 1 / (1 + Math.exp(-output[j])) : Math.max(0, output[j])
      offset = biasAt + width
    }
    return layers[layers.length - 1].slice()
  }

  toBytes (): Uint8Array { return writeNetwork(this.content) }

  /** @throws PrescaleError 'model-format' like `readNetwork`. */
  static fromBytes (bytes: Uint8Array): DenseNetwork { return new DenseNetwork(readNetwork(bytes)) }
}

/** Lays a network out as a model file; equal networks give equal bytes. */
export function writeNetwork ({ features, parameters, typical, weights, optimizer }: NetworkContent): Uint8Array {
  const sections: Record<string, Section> = { weights }
  if (optimizer) sections.moments = optimizer.moments
  const meta = { layers: layerWidths, parameters, typical, optimizerSteps: optimizer?.steps ?? null }
  return writeModelFile({ kind: configNetworkKind, features, meta, sections })
}

/** @throws PrescaleError 'model-format' if it is no configuration network, of other layers, altered or cut short. */
export function readNetwork (bytes: Uint8Array): NetworkContent {
  const file = readModelFile(bytes, configNetworkKind)
  const { layers, parameters, typical, optimizerSteps } = file.meta as
    { layers?: unknown, parameters: readonly string[], typical: readonly number[], optimizerSteps: number | null }
  if (String(layers) !== String(layerWidths)) {
    throw new PrescaleError('model-format', `The network has layers of ${String(layers)}, expected ${String(layerWidths)}.`)
  }
  if (file.features.length !== layerWidths[0] || typical?.length !== layerWidths[0] || parameters?.length !== layerWidths[3]) {
    throw new PrescaleError('model-format',
      `The network names ${file.features.length} features and ${parameters?.length} parameters, expected ${layerWidths[0]} and ${layerWidths[3]}.`)
  }
  return {
    features: file.features,
    parameters,
    typical,
    weights: sectionOf(file, 'weights', { type: 'Float32Array', length: weightCount }),
    optimizer: optimizerSteps === null
      ? undefined
      : { steps: optimizerSteps, moments: sectionOf(file, 'moments', { type: 'Float32Array', length: 2 * weightCount }) }
  }
}
