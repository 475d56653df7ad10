import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadFeatureNames } from '../src/features/load-features.ts'
import { configModel, forecastModel, loadFrom, loadModels } from '../src/models.ts'
import { LoadForecaster } from '../src/ml/forecaster.ts'
import { createRandom } from '../src/ml/random.ts'
import { createModelRegistry } from '../src/store/model-registry.ts'
import { temporaryFolder } from './support/program.ts'

const folder = temporaryFolder('models')
afterAll(folder.remove)
const registry = createModelRegistry({ directory: folder.path })

function forecaster (features: readonly string[]): LoadForecaster {
  const x = Float64Array.from({ length: 200 * features.length }, (_, i) => i % 10)
  const y = Float64Array.from({ length: 200 }, (_, i) => i % 10)
  const options = { forest: { trees: 2, minLeaf: 5, maxFeatures: 1 }, ridgePenalty: 1 }
  return LoadForecaster.train({ features, x, y }, { options, random: createRandom(1), version: 'x' })
}

beforeAll(async () => {
  const features = [...loadFeatureNames]
  const bytes = forecaster(features).toBytes()
  const manifest = { kind: 'load-forecaster', features, trainedAt: '2026-01-01T00:00:00Z', rows: 200, range: null, seed: 1, metrics: {} }
  await registry.save({ manifest: { ...manifest, name: 'forecast', version: '1' }, bytes })
  await registry.save({ manifest: { ...manifest, name: 'forecast', version: '2' }, bytes })
  await registry.save({ manifest: { ...manifest, name: 'anomaly', version: '1' }, bytes })
})

describe('loading models', () => {
  it('takes the newest of each, and says in a sentence each why another is not used', async () => {
    const { models, problems } = await loadModels(registry)
    expect(models.forecast?.version).toBe('forecast 2')
    expect(models).toMatchObject({ anomaly: null, config: null })
    expect(problems).toEqual([
      'The model anomaly 1 is of the kind load-forecaster, and isolation-forest is needed.',
      `There is no model config in ${folder.path}.`
    ])
  })

  it('leaves a damaged one out', async () => {
    const damaged = join(folder.path, 'damaged')
    mkdirSync(damaged)
    const other = createModelRegistry({ directory: damaged })
    const { manifest, bytes } = await registry.load('forecast', { version: '1' })
    await other.save({ manifest, bytes })
    writeFileSync(join(damaged, 'forecast/1', manifest.file), Uint8Array.from(bytes, (byte, i) => i === 100 ? byte ^ 1 : byte))
    const { models, problems } = await loadModels(other)
    expect(models.forecast).toBeNull()
    expect(problems).toContainEqual(expect.stringContaining('was changed or damaged'))
  })

  it('refuses one that was trained on other features', async () => {
    const strange = createModelRegistry({ directory: join(folder.path, 'strange') })
    const { manifest } = await registry.load('forecast', { version: '1' })
    await strange.save({ manifest: { ...manifest, features: ['lag'] }, bytes: forecaster(['lag']).toBytes() })
    expect((await loadModels(strange)).problems[0]).toMatch(/^The model forecast 1 was trained on 1 features and \d+ are fed to it/)
  })

  it('finds one by its own folder, and the newest in a folder of models', async () => {
    const byFolder = await loadFrom(join(folder.path, 'forecast/1'), forecastModel, { optional: false })
    const newest = await loadFrom(folder.path, forecastModel, { optional: false })
    expect([byFolder, newest].map((model) => model?.version)).toEqual(['forecast 1', 'forecast 2'])
    expect(await loadFrom(folder.path, configModel, { optional: true })).toBeNull()
    await expect(loadFrom(folder.path, configModel, { optional: false })).rejects.toThrow('There is no model config')
  })
})
