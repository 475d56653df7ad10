import type { Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

/**
 * Exporters that were added over HTTP. The one who puts has checked it; this only keeps it.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createTargetStore ({ redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }) {
  const put = (name: string, target: unknown): Promise<void> => answered(redis, async () => { await redis.hset(keys.targets, name, JSON.stringify(target)) })

  /** By name. */
  const list = (): Promise<{ name: string, target: unknown }[]> => answered(redis, async () => {
    const entries = Object.entries(await redis.hgetall(keys.targets))
    return entries.map(([name, json]) => ({ name, target: JSON.parse(json) as unknown })).sort((a, b) => a.name < b.name ? -1 : 1)
  })

  /** False when there was none. */
  const remove = (name: string): Promise<boolean> => answered(redis, async () => await redis.hdel(keys.targets, name) > 0)

  return { put, list, remove }
}
export type TargetStore = ReturnType<typeof createTargetStore>
