import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as tf from '@tensorflow/tfjs-core'
import { PrescaleError } from '../../src/errors.ts'
import { ConfigNetwork } from '../../src/ml/config-network.ts'
import { DenseNetwork, weightCount } from '../../src/ml/dense-network.ts'
import { createRandom } from '../../src/ml/random.ts'
import { writeModelFile } from '../../src/ml/model-file.ts'
import { describeModel } from './model-contract.ts'

const features = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']
const parameters = ['p', 'q', 'r', 's', 't']
const names = { features, parameters, typical: new Array(10).fill(0.5) }

/** Rows whose best configuration follows the first two inputs: p = a, q = 1 − a, r = b, s = 0.5, t = 0.25 + b / 2. */
function rows (count: number, seed = 7) {
  const random = createRandom(seed)
  const x = Float64Array.from({ length: count * 10 }, random)
  const y = new Float64Array(count * 5)
  for (let i = 0; i < count; i++) {
    const [a, b] = [x[i * 10], x[i * 10 + 1]]
    y.set([a, 1 - a, b, 0.5, 0.25 + b / 2], i * 5)
  }
  return { x, y }
}

async function trained (seed: number, epochs = 20): Promise<ConfigNetwork> {
  const network = await ConfigNetwork.create({ ...names, seed })
  await network.learn(rows(200), { epochs, random: createRandom(seed) })
  return network
}
const input = (a: number) => Float64Array.from([a, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
const direction = { lower: input(0.1), higher: input(0.9) }

describeModel('the configuration network', {
  train: trained,
  load: bytes => ConfigNetwork.fromBytes(bytes),
  evaluate: (network, x) => network.predict(x),
  row: input(0.3),
  direction,
  dispose: network => network.dispose()
})

describeModel('the forward pass without TensorFlow', {
  train: async seed => {
    const network = await trained(seed)
    network.dispose()
    return new DenseNetwork(network.content)
  },
  load: DenseNetwork.fromBytes,
  evaluate: (network, x) => network.predict(x),
  row: input(0.3),
  direction
})

describe('ConfigNetwork', () => {
  let network: ConfigNetwork
  beforeAll(async () => { network = await trained(1) })
  afterAll(() => network.dispose())

  it('has 10 inputs, layers of 64 and 32 and 5 outputs: 2,949 weights', () => {
    // 10·64 + 64 + 64·32 + 32 + 32·5 + 5
    expect(weightCount).toBe(2949)
    expect(network.content.weights).toHaveLength(2949)
    expect(network.predict(input(0.5))).toHaveLength(5)
  })

  it('learns: the error falls to less than a tenth', async () => {
    const fresh = await ConfigNetwork.create({ ...names, seed: 3 })
    const before = await fresh.learn(rows(200))
    const after = await fresh.learn(rows(200), { epochs: 60, random: createRandom(3) })
    expect(after).toBeLessThan(before / 10)
    fresh.dispose()
  })

  it('answers within 0 to 1, whatever the state', () => {
    for (const value of [-1e6, 0, 1.5, 1e6]) {
      for (const place of network.predict(new Float64Array(10).fill(value))) {
        expect(place).toBeGreaterThanOrEqual(0)
        expect(place).toBeLessThanOrEqual(1)
      }
    }
  })

  it('agrees with the forward pass without TensorFlow to 1e-5', () => {
    const dense = new DenseNetwork(network.content)
    const { x } = rows(100, 11)
    for (let i = 0; i < 100; i++) {
      const row = x.subarray(i * 10, i * 10 + 10)
      const [one, other] = [network.predict(row), dense.predict(row)]
      one.forEach((value, j) => expect(Math.abs(value - other[j])).toBeLessThan(1e-5))
    }
  })

  it('keeps the number of tensors while it learns and answers, and leaves none behind', async () => {
    const before = tf.memory().numTensors
    const own = await trained(5, 1)
    const bytes = own.toBytes()
    const one = await ConfigNetwork.fromBytes(bytes)
    const living = tf.memory().numTensors
    for (let i = 0; i < 5; i++) {
      await one.learn(rows(50, i), { epochs: 2 })
      one.predict(input(0.5))
      one.toBytes()
      const again = await ConfigNetwork.fromBytes(bytes)
      again.dispose()
    }
    expect(tf.memory().numTensors).toBe(living)
    own.dispose()
    one.dispose()
    expect(tf.memory().numTensors).toBe(before)
  })

  it('goes on after a load as if it had never stopped', async () => {
    const one = await trained(2, 2)
    const other = await ConfigNetwork.fromBytes(one.toBytes())
    await one.learn(rows(40, 3))
    await other.learn(rows(40, 3))
    // TensorFlow restores Adam's bias correction by a power instead of a running product: equal to rounding.
    other.content.weights.forEach((weight, i) => expect(Math.abs(weight - one.content.weights[i])).toBeLessThan(1e-5))
    expect(other.content.optimizer?.steps).toBe(one.content.optimizer?.steps)
    one.dispose()
    other.dispose()
  })

  it('does not move a parameter whose targets weigh nothing', async () => {
    const own = await trained(4, 5)
    const before = own.predict(input(0.2))
    const { x, y } = rows(32, 9)
    await own.learn({ x, y, weights: new Float64Array(y.length) })
    own.predict(input(0.2)).forEach((value, j) => expect(Math.abs(value - before[j])).toBeLessThan(0.05))
    own.dispose()
  })

  it('gives the same first weights on every backend', async () => {
    const wasm = await ConfigNetwork.create({ ...names, seed: 8, backend: 'wasm' })
    const bytes = wasm.toBytes()
    wasm.dispose()
    const cpu = await ConfigNetwork.create({ ...names, seed: 8, backend: 'cpu' })
    expect(cpu.backend).toBe('cpu')
    expect(cpu.toBytes()).toEqual(bytes)
    cpu.dispose()
    const back = await ConfigNetwork.create({ ...names, seed: 8 })
    expect(back.backend).not.toBe('cpu')
    back.dispose()
  })

  it.each([
    { problem: 'rows of another width', batch: { x: new Float64Array(11), y: new Float64Array(5) }, message: 'Expected rows of 10 features, got 11 numbers.' },
    { problem: 'no rows', batch: { x: [], y: [] }, message: 'Expected rows of 10 features, got 0 numbers.' },
    { problem: 'targets for other rows', batch: { x: new Float64Array(20), y: new Float64Array(5) }, message: 'Expected 10 values of y for 2 rows, got 5.' },
    { problem: 'NaN in a state', batch: { x: new Float64Array(10).with(3, NaN), y: new Float64Array(5) }, message: 'Expected finite numbers, got NaN at place 3 of x.' },
    { problem: 'an infinite target', batch: { x: new Float64Array(10), y: new Float64Array(5).with(4, Infinity) }, message: 'got Infinity at place 4 of y.' },
    { problem: 'a weight that is NaN', batch: { x: new Float64Array(10), y: new Float64Array(5), weights: new Float64Array(5).with(0, NaN) }, message: 'got NaN at place 0 of weights.' }
  ])('refuses to learn from $problem and stays as it was', async ({ batch, message }) => {
    const before = network.toBytes()
    await expect(network.learn(batch)).rejects.toThrow(message)
    await expect(network.learn(batch)).rejects.toThrow(RangeError)
    expect(network.toBytes()).toEqual(before)
  })

  it('leaves the last resorts of the process alone', () => {
    const foreign = (['uncaughtException', 'unhandledRejection'] as const)
      .flatMap(event => process.listeners(event as 'uncaughtException'))
      .filter(listener => String(listener).includes('ExitStatus') || /throw\s+\w+;?\s*}$/.test(String(listener)))
    expect(foreign).toEqual([])
  })
})

describe('a network file', () => {
  const file = { kind: 'config-network', features, sections: { weights: new Float32Array(weightCount) } }
  const meta = { layers: [10, 64, 32, 5], parameters, typical: names.typical, optimizerSteps: null }

  it.each([
    { problem: 'other layers', bytes: writeModelFile({ ...file, meta: { ...meta, layers: [10, 8, 5] } }), message: 'The network has layers of 10,8,5, expected 10,64,32,5.' },
    { problem: 'too few weights', bytes: writeModelFile({ ...file, meta, sections: { weights: new Float32Array(7) } }), message: 'has 7 entries, expected 2949' },
    { problem: 'too few names', bytes: writeModelFile({ ...file, meta, features: ['a'] }), message: 'names 1 features and 5 parameters, expected 10 and 5' },
    { problem: 'another kind', bytes: writeModelFile({ ...file, meta, kind: 'forest' }), message: 'Expected a model of kind "config-network", got "forest".' }
  ])('with $problem is refused', ({ bytes, message }) => {
    expect(() => DenseNetwork.fromBytes(bytes)).toThrow(PrescaleError)
    expect(() => DenseNetwork.fromBytes(bytes)).toThrow(message)
  })
})
