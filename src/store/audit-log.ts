import type { Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

/** One line: who did what, from where, and what became of it. */
export interface AuditEntry {
  /** Epoch ms. */
  readonly at: number
  readonly who: string
  readonly by: 'token' | 'certificate' | 'anybody' | 'system'
  /** Method and route, or what happened by itself. */
  readonly action: string
  readonly service?: string
  readonly status?: number
  readonly address?: string
  readonly changes?: unknown
}

/** Ids are those of the stream, `1700000000000-0`. */
export type StoredAuditEntry = AuditEntry & { readonly id: string }

/**
 * Every change and every use of power, in a stream that is only ever added to.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createAuditLog ({ redis, keys, limit: kept = 100_000 }: { readonly redis: RedisClient, readonly keys: Keys, readonly limit?: number }) {
  const append = (entry: AuditEntry): Promise<void> => answered(redis, async () => {
    await redis.xadd(keys.audit, 'MAXLEN', '~', kept, '*', 'entry', JSON.stringify(entry))
  })

  /** Newest first; those before the entry `before`, where it is given. */
  const list = ({ limit, before }: { limit: number, before?: string }): Promise<StoredAuditEntry[]> => answered(redis, async () => {
    const entries = await redis.xrevrange(keys.audit, before === undefined ? '+' : `(${before}`, '-', 'COUNT', limit)
    return entries.map(([id, [, json]]) => ({ id, ...JSON.parse(json) as AuditEntry }))
  })

  return { append, list }
}
export type AuditLog = ReturnType<typeof createAuditLog>
