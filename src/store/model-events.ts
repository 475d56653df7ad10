import type { ModelChange } from '../domain.ts'
import type { Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

const kept = 1_000

/**
 * Tells everybody who follows the stream that other models serve now. The events are about no service and lie in the first partition.
 *
 * @throws PrescaleError 'store-unavailable'.
 */
export async function announceModels (changes: readonly ModelChange[], { redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }): Promise<void> {
  await answered(redis, async () => {
    for (const model of changes) await redis.xadd(keys.events(0), 'MAXLEN', '~', kept, '*', 'service', '', 'event', JSON.stringify({ kind: 'model', model }))
  })
}
