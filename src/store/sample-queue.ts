import { Queue } from 'bullmq'
import { PrescaleError } from '../errors.ts'
import { splitEnvelope, type Envelope } from './envelope.ts'
import { samplesQueue, type Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

/** How old a count of waiting jobs may be; what this process adds meanwhile is added to it. */
const countsMaxAgeMs = 250

export interface SampleQueueOptions {
  /** Opened for `request`. */
  readonly redis: RedisClient
  readonly keys: Keys
  /** Jobs that may wait in each partition; one holds up to 100 samples or 1,000 points of one service. */
  readonly maxWaiting?: number
}

/** The door of the worker: what `enqueue` has taken is in Redis, and will be worked on at least once, in its order per service. */
export function createSampleQueue ({ redis, keys, maxWaiting = 2_500 }: SampleQueueOptions) {
  let opened: Promise<Queue[]> | null = null
  let counts: { readonly at: number, readonly waiting: number[] } | null = null
  let counting: Promise<number[]> | null = null

  // A queue that met a dead Redis while it opened never recovers, so such queues are thrown away and opened again.
  const queues = () => {
    opened ??= openQueues(redis, keys).catch((error: unknown) => {
      opened = null
      throw error
    })
    return opened
  }

  const count = async () => {
    const waiting = await Promise.all((await queues()).map((queue) => queue.getWaitingCount()))
    counts = { at: Date.now(), waiting }
    return waiting
  }
  const recentCounts = () => {
    if (counts !== null && Date.now() - counts.at < countsMaxAgeMs) return counts.waiting
    counting ??= count().finally(() => { counting = null })
    return counting
  }

  /**
   * Resolves when Redis has everything. After an error some of it may have been taken; sending all of it again is right and harmless.
   *
   * @throws PrescaleError 'overloaded' when a partition is full (nothing was taken), 'store-unavailable' when Redis does not answer.
   */
  const enqueue = (envelopes: readonly Envelope[]): Promise<void> => answered(redis, async () => {
    const jobs = byPartition(envelopes, keys)
    if (jobs.size === 0) return
    const waiting = await recentCounts()
    for (const [partition, { length }] of jobs) {
      if (waiting[partition] + length > maxWaiting) {
        throw new PrescaleError('overloaded', `${waiting[partition]} batches wait in partition ${partition}, at most ${maxWaiting} may.`)
      }
    }
    const open = await queues()
    await Promise.all([...jobs].map(async ([partition, parts]) => {
      waiting[partition] += parts.length
      await open[partition].addBulk(parts.map((data) => ({ name: data.kind, data })))
    }))
  })

  /** Jobs that wait now, by partition. */
  const waiting = (): Promise<number[]> => answered(redis, count)

  const close = async () => {
    const open = await opened?.catch(() => [])
    await Promise.all((open ?? []).map((queue) => queue.close()))
  }

  return { enqueue, waiting, close }
}
export type SampleQueue = ReturnType<typeof createSampleQueue>

function byPartition (envelopes: readonly Envelope[], keys: Keys): Map<number, Envelope[]> {
  const jobs = new Map<number, Envelope[]>()
  for (const part of envelopes.flatMap(splitEnvelope)) {
    const partition = keys.partitionOf(part.service)
    const parts = jobs.get(partition)
    if (parts === undefined) jobs.set(partition, [part])
    else parts.push(part)
  }
  return jobs
}

async function openQueues (redis: RedisClient, keys: Keys): Promise<Queue[]> {
  const queues = Array.from({ length: keys.partitions }, (_, partition) => openSamplesQueue(redis, keys, partition))
  try {
    await Promise.all(queues.map((queue) => queue.waitUntilReady()))
  } catch (error) {
    await Promise.all(queues.map((queue) => queue.close()))
    throw error
  }
  return queues
}

/**
 * One attempt, since a job that BullMQ repeats goes behind later ones; nothing of a finished job is kept, and next to nothing of
 * BullMQ's own event stream, which nobody here reads.
 */
export function openSamplesQueue (redis: RedisClient, keys: Keys, partition: number): Queue {
  const queue = new Queue(samplesQueue, {
    connection: redis,
    prefix: keys.queuePrefix(partition),
    streams: { events: { maxLen: 20 } },
    defaultJobOptions: { attempts: 1, removeOnComplete: true, stackTraceLimit: 1 }
  })
  // The client reports its own troubles.
  queue.on('error', () => {})
  return queue
}
