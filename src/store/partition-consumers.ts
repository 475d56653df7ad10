import { WaitingError, Worker, type Job, type Queue } from 'bullmq'
import type { DeadLetters } from './dead-letters.ts'
import { isEnvelope, reviveEnvelope, type Envelope } from './envelope.ts'
import { samplesQueue, type Keys } from './keys.ts'
import type { RedisClient } from './redis.ts'
import { openSamplesQueue } from './sample-queue.ts'
import type { JobMark } from './state-store.ts'

/**
 * A worker that is killed holds its job for at most `lockDuration`; the first check after that marks or moves it, the second moves
 * it. So another worker takes over after 5 to 9 seconds. A worker whose lock ran out while it was busy is told apart by the commit.
 */
const takeover = { lockDuration: 5_000, stalledInterval: 2_000 }

/** A job that took this many workers down with it is put aside. */
const maxStalledCount = 5

export interface ConsumedJob { readonly mark: JobMark, readonly envelope: Envelope }

export interface PartitionConsumersOptions {
  /** Opened for `work`. */
  readonly redis: RedisClient
  readonly keys: Keys
  readonly deadLetters: DeadLetters
  /** Works on one job of a partition at a time, over all processes. What it throws puts the job aside. */
  readonly handle: (job: ConsumedJob) => Promise<void>
  readonly onError: (error: Error) => void
}

/** Thrown by `handle` to give a job up unfinished: it stays with us until its lock runs out, and is then the next one of its partition. */
export class Unfinished extends WaitingError {}

/** One BullMQ worker per partition, each of which works on the oldest job of its partition and on no second one. */
export function createPartitionConsumers ({ redis, keys, deadLetters, handle, onError }: PartitionConsumersOptions) {
  let closing = false
  const partitions = Array.from({ length: keys.partitions }, (_, partition) => {
    const queue = openSamplesQueue(redis, keys, partition)
    const sweep = () => putFailedAside(queue, partition, deadLetters)
    const worker = new Worker(samplesQueue, async (job) => { await handle(readJob(job)) }, {
      connection: redis,
      prefix: keys.queuePrefix(partition),
      autorun: false,
      concurrency: 1,
      ...takeover,
      maxStalledCount,
      runRetryDelay: 500,
      removeOnComplete: { count: 0 }
    })
    worker.on('error', onError)
    worker.on('failed', () => { sweep().catch(onError) })
    return { queue, worker, sweep }
  })

  // Order between processes hangs on the limit, so it is set again whenever Redis comes back, perhaps empty.
  const prepare = () => Promise.all(partitions.map(async ({ queue, sweep }) => {
    await queue.setGlobalConcurrency(1)
    await sweep()
  }))
  const onReady = () => { prepare().catch(onError) }

  const run = async () => {
    await Promise.all(partitions.map(({ queue }) => queue.waitUntilReady()))
    await prepare()
    if (closing) return
    redis.on('ready', onReady)
    for (const { worker } of partitions) worker.run().catch(onError)
  }
  const started = run().catch((error: Error) => { if (!closing) onError(error) })

  /** Finishes the jobs at hand, for at most `graceMs`. */
  const close = async ({ graceMs = 1_500 } = {}) => {
    closing = true
    redis.off('ready', onReady)
    const all = Promise.allSettled(partitions.flatMap(({ queue, worker }) => [worker.close(), queue.close()]))
    let timer: NodeJS.Timeout | undefined
    await Promise.race([all, new Promise((resolve) => { timer = setTimeout(resolve, graceMs) })])
    clearTimeout(timer)
  }

  return { started, close }
}

function readJob ({ id, timestamp, data }: Job): ConsumedJob {
  if (!isEnvelope(data)) throw new Error('The job holds no samples, points or feedback of a service.')
  return { mark: { id: Number(id), at: timestamp }, envelope: reviveEnvelope(data) }
}

/** Moves jobs from BullMQ's failed ones to the dead letters. Twice is possible when we die in between, never is not. */
async function putFailedAside (queue: Queue, partition: number, deadLetters: DeadLetters): Promise<void> {
  for (const job of await queue.getFailed()) {
    if (!job) continue
    const known = isEnvelope(job.data)
    await deadLetters.add(partition, {
      service: known ? (job.data as Envelope).service : null,
      kind: known ? (job.data as Envelope).kind : 'unreadable',
      reason: job.failedReason ?? 'unknown',
      payload: job.data as unknown
    })
    await job.remove()
  }
}
