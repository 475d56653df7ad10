import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadFeatureNames } from '../src/features/load-features.ts'
import { rowFeatureNames } from '../src/features/row-features.ts'
import { tuningFeatures, tuningSignals } from '../src/features/tuning-features.ts'
import { DenseNetwork } from '../src/ml/dense-network.ts'
import { createRandom } from '../src/ml/random.ts'
import { loadModels } from '../src/models.ts'
import { defaultConfiguration, fromScale, presetParameters } from '../src/policy/parameters.ts'
import { createModelRegistry } from '../src/store/model-registry.ts'
import { bestConfiguration, drawWorkload, measured, simulate } from '../training/tuning-simulation.ts'

const registry = createModelRegistry({ directory: 'models' })
const shipped = [
  { name: 'forecast', features: loadFeatureNames, metric: 'pinballLoss', better: 'lower' },
  { name: 'anomaly', features: rowFeatureNames, metric: 'averagePrecision', better: 'higher' },
  { name: 'config', features: tuningSignals, metric: 'meanAbsoluteError', better: 'lower' }
] as const

describe.each(shipped)('the shipped model $name', ({ name, features, metric, better }) => {
  it('knows the features of this release', async () => {
    const { manifest } = await registry.load(name, { features })
    expect(manifest.seed).toBe(1)
  })

  it('was better than its naive baseline on rows kept aside', async () => {
    const { manifest: { metrics } } = await registry.load(name)
    const naive = metrics[`naive${metric[0].toUpperCase()}${metric.slice(1)}`]
    expect(metrics.holdOutRows).toBeGreaterThan(500)
    if (better === 'lower') expect(metrics[metric]).toBeLessThan(naive)
    else expect(metrics[metric]).toBeGreaterThan(naive)
  })

  it('is smaller than 2 MB', async () => {
    const { manifest } = await registry.load(name)
    expect((await stat(join('models', name, manifest.version, manifest.file))).size).toBeLessThan(2e6)
  })
})

describe('the shipped models', () => {
  it('are all loaded without a problem', async () => {
    const { models, problems } = await loadModels(registry)
    expect(problems).toEqual([])
    expect(Object.values(models)).not.toContain(null)
  })

  it('suggest configurations that serve simulated services, which they never saw, better than the defaults', async () => {
    const network = DenseNetwork.fromBytes((await registry.load('config')).bytes)
    const random = createRandom(4711)
    let won = 0
    let possible = 0
    for (let i = 0; i < 10; i++) {
      const workload = drawWorkload(random)
      const before = simulate(workload, defaultConfiguration())
      const places = network.predict(tuningFeatures(measured(before.signals, random), network.content.typical).x)
      const suggested = Object.fromEntries(presetParameters.map((parameter, j) => [parameter.name, fromScale(parameter, places[j])]))
      won += simulate(workload, suggested).utility - before.utility
      possible += simulate(workload, bestConfiguration(workload, random)).utility - before.utility
    }
    expect(won / possible).toBeGreaterThan(0.5)
  })
})
