import type { Logger } from 'pino'
import type { Keys } from './keys.ts'
import { answered, replies, type RedisClient, type RedisSource } from './redis.ts'
import { beginning, compareEntryIds, formatEntryId, formatPosition, parseEntryId, withEntry, type EntryId, type Position } from './stream-position.ts'

/** One event as the worker wrote it; it is passed on as text. */
export interface StreamedEvent {
  readonly service: string
  readonly kind: string
  readonly json: string
  readonly partition: number
  readonly entry: EntryId
  /** Where somebody stands who has seen this one and all before it. */
  readonly position: Position
  /** The same as text. */
  readonly id: string
}

export type EventListener = (batch: readonly StreamedEvent[]) => void

export interface Page {
  readonly events: readonly StreamedEvent[]
  /** Where the page ends. */
  readonly position: Position
  /** True when Redis has forgotten something between the place that was asked for and the first event. */
  readonly trimmed: boolean
}

interface ReadOptions { readonly limit: number, readonly wanted?: (partition: number) => boolean }

interface EventStreamOptions {
  readonly source: RedisSource
  /** Opened for `request`: reads what is past. */
  readonly redis: RedisClient
  readonly keys: Keys
  readonly log: Logger
}

/** Redis gives the connection back this often, so that closing and a dead server are noticed. */
const blockMs = 5_000
const entriesPerRead = 500
const pauseMs = 500

/**
 * Follows the events of all partitions with one blocking reader for the whole process (in a Redis Cluster one for each partition,
 * which may lie on different nodes), and hands them to any number of listeners. It reads once somebody listens.
 */
export function createEventStream ({ source, redis, keys, log }: EventStreamOptions) {
  const partitions = Array.from({ length: keys.partitions }, (_, partition) => partition)
  const listeners = new Set<EventListener>()
  const readers: RedisClient[] = []
  let position: Position | null = null
  let starting: Promise<Position> | null = null
  let closed = false

  const publish = (found: readonly Found[]): void => {
    const batch: StreamedEvent[] = []
    for (const one of found.toSorted((a, b) => a.entry.ms - b.entry.ms)) {
      position = withEntry(position!, one.partition, one.entry)
      batch.push(toEvent(one, position))
    }
    for (const listener of listeners) listener(batch)
  }

  const follow = async (client: RedisClient, own: readonly number[]): Promise<void> => {
    const partitionByKey = new Map(own.map((partition) => [keys.events(partition), partition]))
    let failing = false
    for (;;) {
      try {
        const after = own.map((partition) => formatEntryId(position![partition]))
        const streams = await client.xread('COUNT', entriesPerRead, 'BLOCK', blockMs, 'STREAMS', ...partitionByKey.keys(), ...after)
        failing = false
        if (closed) return
        if (streams !== null) publish(streams.flatMap(([key, entries]) => entries.map((entry) => toFound(partitionByKey.get(key)!, entry))))
      } catch (error) {
        if (closed) return
        if (!failing) log.warn({ err: error }, 'the stream of events stands still; it goes on when Redis is back')
        failing = true
        await new Promise((resolve) => { setTimeout(resolve, pauseMs) })
      }
    }
  }

  const start = async (): Promise<Position> => {
    position = await answered(redis, () => Promise.all(partitions.map(async (partition) => {
      const [last] = await redis.xrevrange(keys.events(partition), '+', '-', 'COUNT', 1)
      return last === undefined ? beginning : parseEntryId(last[0])
    })))
    for (const own of redis.isCluster ? partitions.map((partition) => [partition]) : [partitions]) {
      const client = source.connect('work')
      readers.push(client)
      follow(client, own)
    }
    return position
  }

  /**
   * The place from which on listeners are told. Starts the reader if need be.
   *
   * @throws PrescaleError 'store-unavailable'.
   */
  const ready = (): Promise<Position> => {
    starting ??= start().catch((error: unknown) => {
      starting = null
      throw error
    })
    return starting.then(() => position!)
  }

  /** Listeners are called one after another, so they must neither wait nor throw. Ends with the function that it returns. */
  const listen = (listener: EventListener): () => void => {
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }

  /**
   * What lies after `from` up to and including `to`, at most `limit` of each partition; `wanted` leaves partitions out.
   *
   * @throws PrescaleError 'store-unavailable'.
   */
  const read = (from: Position, to: Position, { limit, wanted = () => true }: ReadOptions): Promise<Page> => answered(redis, async () => {
    const open = partitions.filter((partition) => compareEntryIds(from[partition], to[partition]) < 0)
    const found: Found[] = []
    // What nobody wants is passed over at once.
    let reached: Position = from.map((id, partition) => open.includes(partition) && !wanted(partition) ? to[partition] : id)
    let trimmed = false
    await Promise.all(open.filter(wanted).map(async (partition) => {
      const key = keys.events(partition)
      const [entries, [first]] = await replies(redis.pipeline()
        .xrange(key, `(${formatEntryId(from[partition])}`, formatEntryId(to[partition]), 'COUNT', limit)
        .xrange(key, '-', '+', 'COUNT', 1)) as [Entry[], (Entry | undefined)[]]
      found.push(...entries.map((entry) => toFound(partition, entry)))
      if (entries.length < limit) reached = withEntry(reached, partition, to[partition])
      if (first !== undefined && compareEntryIds(parseEntryId(first[0]), from[partition]) > 0) trimmed ||= await wasTrimmed(key)
    }))
    let at: Position = from
    const events = found.sort((a, b) => a.entry.ms - b.entry.ms).map((one) => {
      at = withEntry(at, one.partition, one.entry)
      return toEvent(one, at)
    })
    return { events, position: reached.map((id, partition) => compareEntryIds(id, at[partition]) > 0 ? id : at[partition]), trimmed }
  })

  /** Redis before 7 does not count what it dropped; then it may have been something. */
  const wasTrimmed = async (key: string): Promise<boolean> => {
    const info = await redis.xinfo('STREAM', key).catch(() => []) as (string | number)[]
    const field = (name: string) => info[info.indexOf(name) + 1]
    return !info.includes('entries-added') || Number(field('entries-added')) !== Number(field('length'))
  }

  const close = (): void => {
    closed = true
    listeners.clear()
    for (const reader of readers) reader.disconnect()
  }

  return { ready, position: () => position, listen, read, close }
}
export type EventStream = ReturnType<typeof createEventStream>

type Entry = [id: string, fields: string[]]
interface Found { readonly partition: number, readonly entry: EntryId, readonly service: string, readonly json: string }

function toFound (partition: number, [id, fields]: Entry): Found {
  const field = (name: string) => fields[fields.indexOf(name) + 1]
  return { partition, entry: parseEntryId(id), service: field('service'), json: field('event') }
}

function toEvent ({ partition, entry, service, json }: Found, position: Position): StreamedEvent {
  return { service, kind: kindOf(json), json, partition, entry, position, id: formatPosition(position) }
}

/** The worker writes the kind first, so that nobody has to parse the rest. */
function kindOf (json: string): string {
  return /^\{"kind":"([a-z]+)"/.exec(json)?.[1] ?? (JSON.parse(json) as { kind: string }).kind
}
