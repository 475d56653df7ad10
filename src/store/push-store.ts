import type { ServiceEvent } from '../domain.ts'
import type { Keys } from './keys.ts'
import { replies, type RedisClient } from './redis.ts'

export interface FollowedEvent { readonly id: string, readonly service: string, readonly event: ServiceEvent }

const eventsPerRead = 500

/**
 * How far the events have been followed, and what was told about each service. One follower at a time may write.
 *
 * @param State anything that JSON can hold.
 */
export function createPushStore<State> ({ redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }) {
  const partitions = Array.from({ length: keys.partitions }, (_, partition) => partition)

  /** The next events of a partition, oldest first. The very first read finds none: what is past is not told. */
  const read = async (partition: number): Promise<FollowedEvent[]> => {
    const cursor = await redis.get(keys.pushCursor(partition))
    if (cursor === null) {
      const [last] = await redis.xrevrange(keys.events(partition), '+', '-', 'COUNT', 1)
      await redis.set(keys.pushCursor(partition), last?.[0] ?? '0-0')
      return []
    }
    const entries = await redis.xrange(keys.events(partition), `(${cursor}`, '+', 'COUNT', eventsPerRead)
    return entries.map(([id, fields]) => ({ id, service: valueOf(fields, 'service'), event: JSON.parse(valueOf(fields, 'event')) as ServiceEvent }))
  }

  const states = async (partition: number, services: readonly string[]): Promise<Map<string, State>> => {
    if (services.length === 0) return new Map()
    const found = await redis.hmget(keys.pushStates(partition), ...services)
    return new Map(services.flatMap((service, i) => found[i] === null ? [] : [[service, JSON.parse(found[i]) as State]]))
  }

  const state = async (service: string): Promise<State | undefined> => (await states(keys.partitionOf(service), [service])).get(service)

  /** Both or none: what was told, and how far. */
  const save = async (partition: number, { cursor, states: changed }: { cursor: string, states: ReadonlyMap<string, State> }): Promise<void> => {
    const transaction = redis.multi().set(keys.pushCursor(partition), cursor)
    const fields = [...changed].flatMap(([service, one]) => [service, JSON.stringify(one)])
    if (fields.length > 0) transaction.hset(keys.pushStates(partition), ...fields)
    await replies(transaction)
  }

  /** Of every service that was ever told about. */
  const allStates = async (): Promise<{ service: string, state: State }[]> => {
    const hashes = await Promise.all(partitions.map((partition) => redis.hgetall(keys.pushStates(partition))))
    return hashes.flatMap((hash) => Object.entries(hash).map(([service, json]) => ({ service, state: JSON.parse(json) as State })))
  }

  return { partitions, read, states, state, save, allStates }
}
export type PushStore<State> = ReturnType<typeof createPushStore<State>>

function valueOf (fields: readonly string[], name: string): string {
  return fields[fields.indexOf(name) + 1] ?? ''
}
