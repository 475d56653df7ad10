import { parseArgs } from 'node:util'
import type { Feedback } from '../src/domain.ts'
import { tuningFeatures, tuningSignals } from '../src/features/tuning-features.ts'
import { ConfigNetwork } from '../src/ml/config-network.ts'
import { DenseNetwork } from '../src/ml/dense-network.ts'
import { createRandom } from '../src/ml/random.ts'
import { loadTensorFlow, type Backend } from '../src/ml/tensorflow.ts'
import { defaultConfiguration, fromScale, presetParameters, type PresetConfiguration } from '../src/policy/parameters.ts'
import { loadConfigModel, suggest } from '../src/policy/suggest.ts'
import { createTuner } from '../src/policy/tuner.ts'
import { createModelRegistry } from '../src/store/model-registry.ts'
import { bestConfiguration, drawWorkload, measured, simulate } from '../training/tuning-simulation.ts'

/**
 * The configuration network: time of a learning step (Adam, 32 rows) with WebAssembly and in plain JavaScript (and the native library, if it is there), of a
 * suggestion, and of one feedback from bytes to bytes; then what the shipped network's answers are worth to simulated services it never saw.
 * `node dist/bench/config-network.js [--steps 500] [--services 200] [--models models]` prints JSON. Seeded but for the times.
 */
const { values: args } = parseArgs({
  options: { steps: { type: 'string', default: '500' }, services: { type: 'string', default: '200' }, models: { type: 'string', default: 'models' } }
})
const steps = Number(args.steps)
const batchRows = 32
const names = { features: tuningSignals, parameters: presetParameters.map(({ name }) => name), typical: new Array(10).fill(0.5) }

/** Median and 95th percentile of many single times; the first tenth warms up and does not count. */
async function timed (count: number, run: () => unknown): Promise<{ medianMs: number, p95Ms: number }> {
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const before = performance.now()
    await run()
    times.push(performance.now() - before)
  }
  const sorted = times.slice(Math.floor(count / 10)).sort((a, b) => a - b)
  const at = (share: number) => Number(sorted[Math.floor(share * (sorted.length - 1))].toFixed(4))
  return { medianMs: at(0.5), p95Ms: at(0.95) }
}

async function learning (backend: Backend) {
  const random = createRandom(1)
  const network = await ConfigNetwork.create({ ...names, seed: 1, backend })
  const batch = { x: Float64Array.from({ length: batchRows * 10 }, random), y: Float64Array.from({ length: batchRows * 5 }, random) }
  const row = batch.x.subarray(0, 10)
  // A long run in one call: reading the weights back counts once.
  const epochs = 20
  const { medianMs } = await timed(Math.ceil(steps / epochs), () => network.learn(batch, { epochs }))
  const single = await timed(steps, () => network.learn(batch))
  const predicting = await timed(steps, () => network.predict(row))
  const tensors = (await loadTensorFlow(backend)).tf.memory().numTensors
  network.dispose()
  return { learnStepMs: Number((medianMs / epochs).toFixed(4)), learnStepWithReadBack: single, predict: predicting, tensors }
}

async function backends () {
  const { backend: preferred } = await loadTensorFlow()
  const compared: Backend[] = preferred === 'tensorflow' ? ['tensorflow', 'wasm', 'cpu'] : ['wasm', 'cpu']
  const results: Record<string, unknown> = { preferred }
  for (const backend of compared) results[backend] = await learning(backend)
  await loadTensorFlow() // back to the preferred one
  return results
}

async function suggesting () {
  const { bytes } = await createModelRegistry({ directory: args.models }).load('config')
  const model = loadConfigModel(bytes, '1')
  const random = createRandom(2)
  const signals = measured(simulate(drawWorkload(random), defaultConfiguration()).signals, random)
  const sample = { service: 'bench', at: 1000, signals }
  const tuner = createTuner()
  let network: Uint8Array | null = null
  let state = suggest(null, sample, model).state
  let id = 0
  const feedback = await timed(Math.min(steps, 200), async () => {
    const told: Feedback = { id: String(id++), service: 'bench', at: 1000, state: signals, optimal: defaultConfiguration() }
    const learned = await tuner.learn({ service: 'bench', network, state, feedback: [told], model })
    network = learned.network
    state = learned.state
  })
  return { suggestion: await timed(steps * 10, () => suggest(state, sample, model)), feedback, recordBytes: network!.length }
}

/** Utility won against the defaults, of what could be won: 0 = the defaults, 1 = the best that a search finds. */
async function worth (services: number) {
  const { bytes } = await createModelRegistry({ directory: args.models }).load('config')
  const network = DenseNetwork.fromBytes(bytes)
  const random = createRandom(999)
  let won = 0
  let possible = 0
  let unsafe = 0
  for (let i = 0; i < services; i++) {
    const workload = drawWorkload(random)
    const before = simulate(workload, defaultConfiguration())
    const utility = (config: PresetConfiguration) => simulate(workload, config).utility - before.utility
    const places = network.predict(tuningFeatures(measured(before.signals, random), network.content.typical).x)
    const gained = utility(Object.fromEntries(presetParameters.map((parameter, j) => [parameter.name, fromScale(parameter, places[j])])))
    won += gained
    possible += utility(bestConfiguration(workload, random))
    if (gained < -5) unsafe++
  }
  return { services, gain: Number((won / possible).toFixed(3)), unsafeShare: unsafe / services }
}

process.stdout.write(JSON.stringify({
  node: process.version, batchRows, backends: await backends(), online: await suggesting(), unseenServices: await worth(Number(args.services))
}, null, 2) + '\n')
