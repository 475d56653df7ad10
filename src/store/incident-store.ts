import { serviceOfIncident, type Incident } from '../domain.ts'
import type { Keys } from './keys.ts'
import { answered, replies, type RedisClient } from './redis.ts'

export interface IncidentQuery {
  /** Epoch ms: only incidents with a later anomaly. */
  readonly since?: number | undefined
  /** Epoch ms: only incidents whose newest anomaly is not later. */
  readonly until?: number | undefined
  readonly state?: Incident['state'] | undefined
  readonly limit: number
  /** Incidents of other services are passed over. */
  readonly wanted?: ((service: string) => boolean) | undefined
}

const idsPerRead = 500

/**
 * The incidents that the worker has committed.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createIncidentStore ({ redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }) {
  const partitions = Array.from({ length: keys.partitions }, (_, partition) => partition)

  const find = (id: string): Promise<Incident | null> => answered(redis, async () => (await read([id]))[0] ?? null)

  /** Of one service, newest anomaly first. */
  const ofService = (service: string, query: IncidentQuery): Promise<Incident[]> =>
    answered(redis, () => collect((page) => idsAfter(keys.incidentTimes(service), query, page), query))

  /** Of all services, newest anomaly first. */
  const list = (query: IncidentQuery): Promise<Incident[]> => answered(redis, async () => {
    const lists = await Promise.all(partitions.map((partition) => query.state === 'open'
      ? openOf(partition, query)
      : collect((page) => idsAfter(keys.allIncidentTimes(partition), query, page), query)))
    return newestFirst(lists.flat()).slice(0, query.limit)
  })

  const openOf = async (partition: number, { since = -Infinity, until = Infinity, wanted = () => true }: IncidentQuery): Promise<Incident[]> => {
    const ids = await redis.smembers(keys.openIncidents(partition))
    return (await read(ids.filter((id) => wanted(serviceOfIncident(id))))).filter(({ lastAnomalyAt: at }) => at > since && at <= until)
  }

  const idsAfter = (key: string, { since, until }: IncidentQuery, page: number): Promise<string[]> =>
    redis.zrevrangebyscore(key, until ?? '+inf', since === undefined ? '-inf' : `(${since}`, 'LIMIT', page * idsPerRead, idsPerRead)

  /** Page after page, until there are enough that somebody wants. */
  const collect = async (idsOf: (page: number) => Promise<string[]>, { state, limit, wanted = () => true }: IncidentQuery): Promise<Incident[]> => {
    const found: Incident[] = []
    for (let page = 0; found.length < limit; page++) {
      const ids = await idsOf(page)
      found.push(...(await read(ids.filter((id) => wanted(serviceOfIncident(id))))).filter((incident) => state === undefined || incident.state === state))
      if (ids.length < idsPerRead) break
    }
    return found.slice(0, limit)
  }

  const read = async (ids: readonly string[]): Promise<Incident[]> => {
    if (ids.length === 0) return []
    // One pipeline for each partition: a Redis Cluster keeps them on different nodes.
    const ofPartition = (partition: number) => ids.filter((id) => keys.partitionOf(serviceOfIncident(id)) === partition)
    const lists = await Promise.all(partitions.map(async (partition) => {
      const pipeline = redis.pipeline()
      for (const id of ofPartition(partition)) pipeline.hget(keys.incidents(serviceOfIncident(id)), id)
      return await replies(pipeline) as (string | null)[]
    }))
    const found = lists.flat().flatMap((json) => json === null ? [] : [JSON.parse(json) as Incident])
    return newestFirst(found)
  }

  return { find, ofService, list }
}
export type IncidentStore = ReturnType<typeof createIncidentStore>

function newestFirst (incidents: Incident[]): Incident[] {
  return incidents.sort((a, b) => b.lastAnomalyAt - a.lastAnomalyAt || (a.id < b.id ? -1 : 1))
}
