import type { Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

/**
 * What was set for services over HTTP. The one who puts has checked it; this only keeps it.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createSettingsStore ({ redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }) {
  const keyOf = (service: string) => keys.settings(keys.partitionOf(service))

  const put = (service: string, settings: unknown): Promise<void> => answered(redis, async () => {
    await redis.hset(keyOf(service), service, JSON.stringify(settings))
  })

  /** Null when nothing was set. */
  const get = (service: string): Promise<unknown> => answered(redis, async () => {
    const json = await redis.hget(keyOf(service), service)
    return json === null ? null : JSON.parse(json) as unknown
  })

  /** By the name of the service. */
  const list = (): Promise<{ service: string, settings: unknown }[]> => answered(redis, async () => {
    const hashes = await Promise.all(Array.from({ length: keys.partitions }, (_, partition) => redis.hgetall(keys.settings(partition))))
    return hashes.flatMap((hash) => Object.entries(hash)).map(([service, json]) => ({ service, settings: JSON.parse(json) as unknown }))
      .sort((a, b) => a.service < b.service ? -1 : 1)
  })

  /** False when nothing was set. */
  const remove = (service: string): Promise<boolean> => answered(redis, async () => await redis.hdel(keyOf(service), service) > 0)

  return { put, get, list, remove }
}
export type SettingsStore = ReturnType<typeof createSettingsStore>
