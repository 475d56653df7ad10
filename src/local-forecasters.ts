import { loadFeatureNames } from './features/load-features.ts'
import { LoadForecaster } from './ml/forecaster.ts'
import { isPassing } from './store/redis.ts'
import type { LocalModel, LocalModelStore } from './store/local-model-store.ts'
import type { Telemetry } from './telemetry.ts'

interface Opened { readonly bytes: number, readonly forecaster: Promise<LoadForecaster | null> }

/** Opens models of single services, and keeps those at hand that were used last, as far as memory allows. */
export function createLocalForecasters ({ store, mostBytes, telemetry: { log, localModelBytes } }:
{ store: Pick<LocalModelStore, 'bytes'>, mostBytes: () => number, telemetry: Pick<Telemetry, 'log' | 'localModelBytes'> }) {
  /** The one that was used longest ago first. A service that was forgotten counts its versions anew, so that they do not name a model alone. */
  const opened = new Map<string, Opened>()
  let bytes = 0

  const forget = (key: string) => {
    bytes -= opened.get(key)?.bytes ?? 0
    opened.delete(key)
    localModelBytes.set(bytes)
  }

  const read = async (service: string, model: LocalModel): Promise<LoadForecaster | null> => {
    try {
      const file = await store.bytes(service, model)
      if (file === null) return null
      const forecaster = LoadForecaster.fromBytes(file, model.version)
      return forecaster.features.join() === loadFeatureNames.join() ? forecaster : null
    } catch (error) {
      // What is broken stays broken; what cannot be read now may be later.
      if (isPassing(error) || (error as { code?: string }).code === 'store-unavailable') throw error
      log.warn({ err: error, service, version: model.version }, 'a model of a service cannot be used; the shipped one serves it')
      return null
    }
  }

  const open = (service: string, model: LocalModel): Promise<LoadForecaster | null> => {
    const key = `${service} ${model.version} ${model.sha256}`
    const known = opened.get(key)
    if (known !== undefined) {
      opened.delete(key)
      opened.set(key, known)
      return known.forecaster
    }
    const forecaster = read(service, model).catch((error: unknown) => {
      forget(key)
      throw error
    })
    opened.set(key, { bytes: model.bytes, forecaster })
    bytes += model.bytes
    localModelBytes.set(bytes)
    for (const oldest of opened.keys()) {
      if (bytes <= mostBytes() || oldest === key) break
      forget(oldest)
    }
    return forecaster
  }

  /** Those that can be used, in the same order. @throws PrescaleError 'store-unavailable'. */
  return async (service: string, models: readonly LocalModel[]): Promise<readonly LoadForecaster[]> => {
    if (models.length === 0) return []
    const found = await Promise.all(models.map(model => open(service, model)))
    return found.filter(forecaster => forecaster !== null)
  }
}
