import { tuningSignals } from '../../src/features/tuning-features.ts'
import { ConfigNetwork } from '../../src/ml/config-network.ts'
import { weightCount, writeNetwork } from '../../src/ml/dense-network.ts'
import { presetParameters } from '../../src/policy/parameters.ts'
import { loadConfigModel, type ConfigModel } from '../../src/policy/suggest.ts'

/** All ten signals of a service at work. */
export const signals = {
  cpuUsageRatio: 0.6,
  memoryUsageRatio: 0.4,
  diskIoBytesPerSecond: 2e6,
  networkInBytesPerSecond: 1e6,
  networkOutBytesPerSecond: 8e6,
  requestsPerSecond: 400,
  errorRatio: 0.01,
  responseTimeSeconds: 0.05,
  queueLength: 3,
  threadCount: 20
}

export const networkNames = { features: tuningSignals, parameters: presetParameters.map(({ name }) => name), typical: new Array(10).fill(0.5) }

/** A network that has learned nothing: all answers near the middle of the scales. */
export async function freshModel (): Promise<ConfigModel> {
  const network = await ConfigNetwork.create({ ...networkNames, seed: 1 })
  const bytes = network.toBytes()
  network.dispose()
  return loadConfigModel(bytes, '1.0.0')
}

/** A network of zeros but for the last biases: it answers `places` in every state. */
export function constantModel (places: readonly number[]): ConfigModel {
  const weights = new Float32Array(weightCount)
  weights.set(places.map(place => Math.log(place / (1 - place))), weightCount - 5) // sigmoid(ln(p / (1 − p))) = p
  return loadConfigModel(writeNetwork({ ...networkNames, weights }), '1.0.0')
}
