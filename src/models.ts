import { basename, dirname, resolve } from 'node:path'
import type { ModelChange } from './domain.ts'
import { PrescaleError } from './errors.ts'
import { loadFeatureNames } from './features/load-features.ts'
import { rowFeatureNames } from './features/row-features.ts'
import { tuningSignals } from './features/tuning-features.ts'
import { LoadForecaster } from './ml/forecaster.ts'
import { IsolationForest } from './ml/isolation-forest.ts'
import type { Models } from './pipeline.ts'
import { loadConfigModel, type ConfigModel } from './policy/suggest.ts'
import type { AnomalyModel } from './policy/verdict.ts'
import { createModelRegistry, isModel, type LoadedModel, type ModelRegistry } from './store/model-registry.ts'

/** A kind of model: the name of its folder, what it must be, and how its bytes are opened. `version` is what decisions carry. */
interface ModelType<T> {
  readonly name: string
  readonly wanted: { readonly kind: string, readonly features: readonly string[] }
  readonly open: (bytes: Uint8Array, version: string) => T
}

export const forecastModel: ModelType<LoadForecaster> = {
  name: 'forecast',
  wanted: { kind: 'load-forecaster', features: loadFeatureNames },
  open: (bytes, version) => LoadForecaster.fromBytes(bytes, version)
}
export const anomalyModel: ModelType<AnomalyModel> = {
  name: 'anomaly',
  wanted: { kind: 'isolation-forest', features: rowFeatureNames },
  open: (bytes, version) => ({ version, forest: IsolationForest.fromBytes(bytes) })
}
export const configModel: ModelType<ConfigModel> = {
  name: 'config',
  wanted: { kind: 'config-network', features: tuningSignals },
  open: loadConfigModel
}

function openLoaded<T> ({ open }: ModelType<T>, { manifest: { name, version }, bytes }: LoadedModel): T {
  return open(bytes, `${name} ${version}`)
}

/**
 * A model by its own folder (the one with manifest.json), or the newest version in a folder of models.
 *
 * @returns null where there is none and `optional` says that this is no error.
 * @throws PrescaleError 'not-found', 'model-format'.
 */
export async function loadFrom<T> (folder: string, type: ModelType<T>, { optional }: { optional: boolean }): Promise<T | null> {
  const path = resolve(folder)
  if (await isModel(path)) {
    const registry = createModelRegistry({ directory: resolve(path, '../..') })
    return openLoaded(type, await registry.load(basename(dirname(path)), { version: basename(path), ...type.wanted }))
  }
  const registry = createModelRegistry({ directory: path })
  if (optional && (await registry.versions(type.name)).length === 0) return null
  return openLoaded(type, await registry.load(type.name, type.wanted))
}

/**
 * The newest version of each model. One that is not there, or cannot be used, is left out and named: without a forecast the
 * decisions are those of HPA, which is better than none.
 */
export async function loadModels (registry: Pick<ModelRegistry, 'load'>): Promise<{ models: Models, problems: string[] }> {
  const [forecast, anomaly, config] = await Promise.all([
    attempt(registry, forecastModel), attempt(registry, anomalyModel), attempt(registry, configModel)
  ])
  const problems = [forecast, anomaly, config].flatMap(({ problem }) => problem ?? [])
  return { models: { forecast: forecast.model, anomaly: anomaly.model, config: config.model }, problems }
}

/**
 * What serves after the folder was read again: the newest versions, and of a model that cannot be used the one that served before.
 */
export function replaceModels (before: Models, next: Models): { models: Models, changes: ModelChange[] } {
  const models: Models = { forecast: next.forecast ?? before.forecast, anomaly: next.anomaly ?? before.anomaly, config: next.config ?? before.config }
  const names = [forecastModel.name, anomalyModel.name, configModel.name] as ('forecast' | 'anomaly' | 'config')[]
  const changes = names.map((name) => ({ name, before: before[name]?.version ?? null, version: models[name]?.version ?? null }))
  return { models, changes: changes.filter(({ before: old, version }) => old !== version) }
}

async function attempt<T> (registry: Pick<ModelRegistry, 'load'>, type: ModelType<T>): Promise<{ model: T | null, problem?: string }> {
  try {
    return { model: openLoaded(type, await registry.load(type.name, type.wanted)) }
  } catch (error) {
    if (!(error instanceof PrescaleError)) throw error
    return { model: null, problem: error.message }
  }
}
