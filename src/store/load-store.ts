import { readLoads, type LoadHistoryMark } from '../features/load-history.ts'
import type { Keys } from './keys.ts'
import { answered, replies, type RedisClient } from './redis.ts'

/** Loads of a service, as far back as they are kept. */
export interface KeptLoads {
  readonly stepSeconds: number
  /** Epoch ms of the end of the first step. */
  readonly startAt: number
  /** In the unit of the target; NaN for a gap. */
  readonly loads: Float64Array
}

/**
 * What the worker has kept of the loads.
 *
 * @throws PrescaleError 'store-unavailable'.
 */
export function createLoadStore ({ redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }) {
  /** Null before the first load. */
  const read = (service: string): Promise<KeptLoads | null> => answered(redis, async () => {
    const [json, bytes] = await replies(redis.multi().hget(keys.service(service), 'loads').getBuffer(keys.loads(service))) as [string | null, Buffer | null]
    if (json === null || bytes === null) return null
    const mark = JSON.parse(json) as LoadHistoryMark
    return { stepSeconds: mark.stepMs / 1000, ...readLoads(mark, bytes) }
  })

  return { read }
}
export type LoadStore = ReturnType<typeof createLoadStore>
