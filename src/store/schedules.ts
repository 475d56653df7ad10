import { createHash } from 'node:crypto'
import { Queue, Worker } from 'bullmq'
import type { Logger } from 'pino'
import { schedulesQueue, type Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

/** Something to be fetched again and again, once at a time over all workers. */
export interface ScheduledSource {
  /** Stays the same while the source is the same one. */
  readonly id: string
  readonly everySeconds: number
  /** Whatever `handle` needs, as JSON. */
  readonly data: unknown
}

const queueOptions = (redis: RedisClient, keys: Keys) => ({
  connection: redis,
  prefix: keys.schedulesPrefix,
  streams: { events: { maxLen: 20 } },
  // What failed is not looked at again: the next turn is due soon.
  defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true, stackTraceLimit: 1 }
})

/** When what is to be fetched; kept in Redis, so that no worker has to be the leader. */
export function createSchedules ({ redis, keys }: { readonly redis: RedisClient, readonly keys: Keys }) {
  let queue: Queue | null = null
  const open = async () => {
    if (queue === null) {
      queue = new Queue(schedulesQueue, queueOptions(redis, keys))
      queue.on('error', () => {})
    }
    try {
      await queue.waitUntilReady()
      return queue
    } catch (error) {
      // It met a dead Redis, and would never recover.
      queue = null
      throw error
    }
  }

  /**
   * Makes these the sources that are fetched, and no other ones. One that did not change keeps its rhythm.
   *
   * @throws PrescaleError 'store-unavailable'; doing it again is right then.
   */
  const replaceAll = (sources: readonly ScheduledSource[]): Promise<void> => answered(redis, async () => {
    const schedules = await open()
    const wanted = new Map(sources.map((source) => [schedulerId(source), source]))
    const existing = new Set((await schedules.getJobSchedulers()).map(({ key }) => key))
    for (const id of existing) if (!wanted.has(id)) await schedules.removeJobScheduler(id)
    for (const [id, source] of wanted) {
      if (!existing.has(id)) await schedules.upsertJobScheduler(id, { every: source.everySeconds * 1000 }, { name: 'fetch', data: source })
    }
  })

  const close = async () => { await queue?.close() }

  return { replaceAll, close }
}
export type Schedules = ReturnType<typeof createSchedules>

/** Names a source with all that it says, so that a changed one is another one. Job ids must not hold a colon. */
function schedulerId (source: ScheduledSource): string {
  return createHash('sha256').update(JSON.stringify([source.id, source.everySeconds, source.data])).digest('hex').slice(0, 32)
}

export interface ScheduleWorkerOptions {
  /** Opened for `work`. */
  readonly redis: RedisClient
  readonly keys: Keys
  /** Fetches one source. It has to end, by a time limit of its own, before the next turn of the source. */
  readonly handle: (source: ScheduledSource) => Promise<void>
  readonly log: Logger
  /** Sources that this process fetches at the same time. */
  readonly concurrency?: number
}

/** Fetches what is due, one of possibly many processes that do. */
export function createScheduleWorker ({ redis, keys, handle, log, concurrency = 4 }: ScheduleWorkerOptions) {
  const { connection, prefix } = queueOptions(redis, keys)
  const worker = new Worker<ScheduledSource>(schedulesQueue, async ({ data }) => { await handle(data) }, {
    connection,
    prefix,
    concurrency,
    lockDuration: 30_000,
    stalledInterval: 5_000,
    runRetryDelay: 500
  })
  worker.on('error', (err) => log.warn({ err }, 'the queue of sources had an error'))
  worker.on('failed', (job, err) => log.warn({ err, source: job?.data.id }, 'a source could not be fetched; it is tried again at its next turn'))

  /** Finishes what is being fetched, for at most `graceMs`. */
  const close = async ({ graceMs = 1_500 } = {}) => {
    let timer: NodeJS.Timeout | undefined
    await Promise.race([worker.close(), new Promise((resolve) => { timer = setTimeout(resolve, graceMs) })])
    clearTimeout(timer)
  }

  return { close }
}
