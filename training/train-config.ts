import { PrescaleError } from '../src/errors.ts'
import { tuningFeatures, tuningSignals } from '../src/features/tuning-features.ts'
import { ConfigNetwork } from '../src/ml/config-network.ts'
import { DenseNetwork } from '../src/ml/dense-network.ts'
import { createRandom, shuffle, type Random } from '../src/ml/random.ts'
import { configurationProblem, presetParameters, toScale } from '../src/policy/parameters.ts'
import { columnIndexes, readCsv, readNumber } from './csv.ts'

/** States and the configurations that are best in them. */
export interface ConfigRows {
  /** Shape [rows, 10], normalised; a signal that was not measured is NaN. */
  readonly x: Float64Array
  /** Shape [rows, 5], places on the scales. */
  readonly y: Float64Array
}

export interface TrainConfigOptions {
  readonly rows: ConfigRows
  readonly seed: number
  readonly epochs?: number
  readonly holdOutShare?: number
  /** Called after each epoch. */
  readonly onProgress?: (done: { readonly epochs: number }) => void
}

export interface ConfigMetrics {
  readonly rows: number
  readonly holdOutRows: number
  /** Mean distance from the best configuration on the parameters' scales (0 to 1), over hold-out rows and parameters. */
  readonly meanAbsoluteError: number
  /** Of the baseline: always the configuration in the middle of the training rows. */
  readonly naiveMeanAbsoluteError: number
}

const inputs = tuningSignals.length
const outputs = presetParameters.length
export const leastRows = 100
export const defaultEpochs = 60

/**
 * Reads a table with a column for each of the ten signals and each of the five parameters.
 *
 * @throws PrescaleError 'invalid-request' with file and line for a missing column, text, or a value out of bounds.
 */
export async function readConfigRows (path: string): Promise<ConfigRows> {
  const x: number[] = []
  const y: number[] = []
  const unknown = new Float64Array(inputs).fill(NaN)
  const names = presetParameters.map(({ name }) => name)
  for await (const { header, rows, lines } of readCsv(path)) {
    const columns = columnIndexes(path, header, [...tuningSignals, ...names])
    rows.forEach((row, r) => {
      const cell = (column: number) => readNumber(row[columns[column]], { path, line: lines[r], column: header[columns[column]] })
      const signals = Object.fromEntries(tuningSignals.map((signal, i) => [signal, cell(i)]))
      const config = Object.fromEntries(names.map((name, i) => [name, cell(inputs + i)]))
      const problem = configurationProblem(config)
      if (problem) throw new PrescaleError('invalid-request', `${path}:${lines[r]}: ${problem}.`)
      x.push(...tuningFeatures(signals, unknown).x)
      y.push(...presetParameters.map(parameter => toScale(parameter, config[parameter.name])))
    })
  }
  return { x: Float64Array.from(x), y: Float64Array.from(y) }
}

/**
 * Trains the network that a service starts with before it has taught its own.
 *
 * @returns the model as a file, and what it is worth on rows kept aside, beside a naive baseline.
 * @throws PrescaleError 'invalid-request' for too few rows or a signal that no row has.
 */
export async function trainConfig ({ rows: { x, y }, seed, epochs = defaultEpochs, holdOutShare = 0.2, onProgress = () => {} }: TrainConfigOptions) {
  const rows = y.length / outputs
  if (rows < leastRows) throw new PrescaleError('invalid-request', `The configuration network needs at least ${leastRows} rows, there are ${rows}.`)
  const random = createRandom(seed)
  const order = shuffle(Uint32Array.from({ length: rows }, (_, i) => i), random)
  const holdOutRows = Math.round(rows * holdOutShare)
  const typical = meansOf(x, order.subarray(holdOutRows))
  const filled = x.map((value, i) => Number.isNaN(value) ? typical[i % inputs] : value)
  const [holdOut, training] = [order.subarray(0, holdOutRows), order.subarray(holdOutRows)].map(part => take({ x: filled, y }, part))

  const bytes = await fit(training, { seed, epochs, typical, random, onProgress })
  const metrics = { rows: rows - holdOutRows, holdOutRows, ...measure(DenseNetwork.fromBytes(bytes), { training, holdOut }) }
  return { bytes, features: tuningSignals, metrics: metrics satisfies ConfigMetrics }
}

async function fit ({ x, y }: ConfigRows, { seed, epochs, typical, random, onProgress }:
{ seed: number, epochs: number, typical: number[], random: Random, onProgress: NonNullable<TrainConfigOptions['onProgress']> }): Promise<Uint8Array> {
  const network = await ConfigNetwork.create({ features: tuningSignals, parameters: presetParameters.map(({ name }) => name), typical, seed })
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      await network.learn({ x, y }, { random })
      onProgress({ epochs: epoch })
    }
    return network.toBytes()
  } finally {
    network.dispose()
  }
}

function meansOf (x: Float64Array, rows: Uint32Array): number[] {
  return tuningSignals.map((signal, i) => {
    const values = Array.from(rows, row => x[row * inputs + i]).filter(value => !Number.isNaN(value))
    if (values.length === 0) throw new PrescaleError('invalid-request', `The column ${signal} holds no number; every one of the ten signals is needed.`)
    return values.reduce((sum, value) => sum + value, 0) / values.length
  })
}

function take ({ x, y }: ConfigRows, rows: Uint32Array): ConfigRows {
  const part = { x: new Float64Array(rows.length * inputs), y: new Float64Array(rows.length * outputs) }
  rows.forEach((row, i) => {
    part.x.set(x.subarray(row * inputs, (row + 1) * inputs), i * inputs)
    part.y.set(y.subarray(row * outputs, (row + 1) * outputs), i * outputs)
  })
  return part
}

function measure (network: DenseNetwork, { training, holdOut }: { training: ConfigRows, holdOut: ConfigRows }) {
  const middle = presetParameters.map((_, j) => {
    const values = training.y.filter((_, i) => i % outputs === j).sort()
    return values[values.length >> 1]
  })
  let error = 0
  let naiveError = 0
  for (let row = 0; row * outputs < holdOut.y.length; row++) {
    const answer = network.predict(holdOut.x.subarray(row * inputs, (row + 1) * inputs))
    for (let j = 0; j < outputs; j++) {
      const best = holdOut.y[row * outputs + j]
      error += Math.abs(answer[j] - best)
      naiveError += Math.abs(middle[j] - best)
    }
  }
  return { meanAbsoluteError: error / holdOut.y.length, naiveMeanAbsoluteError: naiveError / holdOut.y.length }
}
