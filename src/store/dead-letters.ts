import { PrescaleError } from '../errors.ts'
import { isEnvelope, type EnvelopeKind } from './envelope.ts'
import type { Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'
import type { SampleQueue } from './sample-queue.ts'

/** Something that could not be worked on, put aside so that what came after it could. */
export interface DeadLetter {
  /** Partition and stream id: `3-1700000000000-0`. */
  readonly id: string
  /** Epoch ms. */
  readonly at: number
  readonly service: string | null
  readonly kind: EnvelopeKind | 'unreadable'
  readonly reason: string
  /** The envelope, or of an unreadable job whatever it held. */
  readonly payload: unknown
}

/**
 * What was put aside, to be looked at and tried again. The worker adds to it within its commit.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createDeadLetters ({ redis, keys, limit: kept = 200 }: { readonly redis: RedisClient, readonly keys: Keys, readonly limit?: number }) {
  const partitions = Array.from({ length: keys.partitions }, (_, partition) => partition)

  /** For a job that no commit can speak for: it could not be read, or it took its worker down again and again. */
  const add = (partition: number, { service, kind, reason, payload }: Omit<DeadLetter, 'id' | 'at'>): Promise<void> => answered(redis, async () => {
    await redis.xadd(keys.deadLetters(partition), 'MAXLEN', '~', kept, '*', 'service', service ?? '', 'kind', kind, 'reason', reason, 'payload', JSON.stringify(payload ?? null))
  })

  /** Newest first. */
  const list = ({ limit }: { limit: number }): Promise<DeadLetter[]> => answered(redis, async () => {
    const streams = await Promise.all(partitions.map(async (partition) => {
      const entries = await redis.xrevrange(keys.deadLetters(partition), '+', '-', 'COUNT', limit)
      return entries.map((entry) => toDeadLetter(partition, entry))
    }))
    return streams.flat().sort((a, b) => b.at - a.at).slice(0, limit)
  })

  const count = (): Promise<number> => answered(redis, async () => {
    const lengths = await Promise.all(partitions.map((partition) => redis.xlen(keys.deadLetters(partition))))
    return lengths.reduce((sum, length) => sum + length, 0)
  })

  /**
   * Puts letters back into the queue, behind everything that waits there, and off this list. A sample that is older than what its
   * service has seen since then is stale by now and changes nothing.
   */
  const replay = async (ids: readonly string[], queue: SampleQueue): Promise<{ replayed: string[], missing: string[] }> => {
    const replayed: string[] = []
    const missing: string[] = []
    for (const id of ids) {
      const letter = await find(id)
      if (letter === null || !isEnvelope(letter.payload)) {
        missing.push(id)
        continue
      }
      await queue.enqueue([letter.payload])
      await remove([id])
      replayed.push(id)
    }
    return { replayed, missing }
  }

  const find = (id: string): Promise<DeadLetter | null> => answered(redis, async () => {
    const { partition, streamId } = parseId(id, keys)
    const [entry] = await redis.xrange(keys.deadLetters(partition), streamId, streamId)
    return entry === undefined ? null : toDeadLetter(partition, entry)
  })

  /** How many of them were there. */
  const remove = (ids: readonly string[]): Promise<number> => answered(redis, async () => {
    const removed = await Promise.all(ids.map((id) => {
      const { partition, streamId } = parseId(id, keys)
      return redis.xdel(keys.deadLetters(partition), streamId)
    }))
    return removed.reduce((sum, count) => sum + count, 0)
  })

  return { add, list, count, replay, find, remove }
}
export type DeadLetters = ReturnType<typeof createDeadLetters>

function parseId (id: string, keys: Keys): { partition: number, streamId: string } {
  const [, partition, streamId] = /^(\d{1,4})-(\d{1,15}-\d{1,15})$/.exec(id) ?? []
  if (partition === undefined || Number(partition) >= keys.partitions) {
    throw new PrescaleError('invalid-request', `"${id}" is not the id of a dead letter.`, { details: [{ path: 'ids', value: id, expected: 'an id that the list of dead letters shows' }] })
  }
  return { partition: Number(partition), streamId }
}

function toDeadLetter (partition: number, [streamId, fields]: [id: string, fields: string[]]): DeadLetter {
  const entry = new Map(Array.from({ length: fields.length / 2 }, (_, index) => [fields[2 * index], fields[2 * index + 1]]))
  return {
    id: `${partition}-${streamId}`,
    at: Number(streamId.split('-')[0]),
    service: entry.get('service') || null,
    kind: entry.get('kind') as DeadLetter['kind'],
    reason: entry.get('reason') ?? '',
    payload: JSON.parse(entry.get('payload') ?? 'null') as unknown
  }
}
