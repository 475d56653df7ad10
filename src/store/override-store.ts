import type { TimedOverride } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import type { Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

/** As many as the file may have. */
const mostOverrides = 16

/**
 * Overrides that were set over HTTP, each until its time is over; Redis forgets them with the last one. The worker reads them with the state.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createOverrideStore ({ redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }) {
  /** Those that have not ended, oldest first. */
  const list = (service: string, now: number): Promise<TimedOverride[]> => answered(redis, async () => activeAfter(await redis.hvals(keys.overrides(service)), now))

  /** @throws PrescaleError 'limit-exceeded'. */
  const add = (service: string, override: TimedOverride): Promise<void> => answered(redis, async () => {
    const key = keys.overrides(service)
    const kept = Object.entries(await redis.hgetall(key)).map(([id, json]) => ({ id, until: (JSON.parse(json) as TimedOverride).until }))
    const present = kept.filter(({ until }) => until > override.at)
    if (present.length >= mostOverrides) throw new PrescaleError('limit-exceeded', `${service} has ${mostOverrides} overrides already, which is the limit; DELETE lifts one.`)
    const ended = kept.filter(({ until }) => until <= override.at).map(({ id }) => id)
    const transaction = redis.multi().hset(key, override.id, JSON.stringify(override)).pexpireat(key, Math.max(override.until, ...present.map(({ until }) => until)))
    if (ended.length > 0) transaction.hdel(key, ...ended)
    await transaction.exec()
  })

  /** Null when there is none. */
  const remove = (service: string, id: string): Promise<TimedOverride | null> => answered(redis, async () => {
    const json = await redis.hget(keys.overrides(service), id)
    await redis.hdel(keys.overrides(service), id)
    return json === null ? null : JSON.parse(json) as TimedOverride
  })

  return { list, add, remove }
}
export type OverrideStore = ReturnType<typeof createOverrideStore>

export function activeAfter (jsons: readonly string[], now: number): TimedOverride[] {
  return jsons.map(json => JSON.parse(json) as TimedOverride).filter(({ until }) => until > now).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
}
