import type { ServiceEvent } from '../../src/domain.ts'
import type { Keys } from '../../src/store/keys.ts'
import type { RedisClient } from '../../src/store/redis.ts'
import { decisionOf } from '../api/support.ts'

/** Writes events as the commit of the worker does; decision number n has n replicas. */
export function createEventWriter ({ redis, keys, eventsLimit = 1_000 }: { redis: RedisClient, keys: Keys, eventsLimit?: number }) {
  let number = 0
  const write = async (service: string, event: ServiceEvent) => {
    await redis.xadd(keys.events(keys.partitionOf(service)), 'MAXLEN', eventsLimit, '*', 'service', service, 'event', JSON.stringify(event))
  }
  /** Returns its number. */
  const decide = async (service: string, { paddingBytes = 0 } = {}): Promise<number> => {
    number++
    await write(service, { kind: 'decision', decision: decisionOf(service, { replicas: number, reason: 'x'.repeat(paddingBytes) }) })
    return number
  }
  return { write, decide }
}

export const numberOf = (json: string): number => (JSON.parse(json) as { decision: { replicas: number } }).decision.replicas
