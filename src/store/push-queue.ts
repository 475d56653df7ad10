import { Queue, UnrecoverableError, Worker, type Job } from 'bullmq'
import type { Logger } from 'pino'
import { PrescaleError } from '../errors.ts'
import { pushQueues, type Keys } from './keys.ts'
import { answered, type RedisClient } from './redis.ts'

/** One message for one target. */
export interface Delivery {
  /** The same for the same message to the same target, which is then sent once. Holds no colon. */
  readonly id: string
  readonly target: string
  readonly payload: unknown
  readonly attempts: number
}

export interface DeadDelivery {
  readonly id: string
  readonly at: number
  readonly target: string
  readonly attempts: number
  readonly reason: string
  readonly payload: unknown
}

/** Delivered ones are remembered for an hour, so that a message that is queued twice is sent once; dead ones until they are replayed. */
const kept = { removeOnComplete: { age: 3_600, count: 10_000 }, removeOnFail: { count: 1_000 } }
const queueOptions = (redis: RedisClient, keys: Keys) => ({ connection: redis, prefix: keys.pushPrefix, streams: { events: { maxLen: 20 } } })

function openQueue (name: string, redis: RedisClient, keys: Keys): Queue {
  const queue = new Queue(name, { ...queueOptions(redis, keys), defaultJobOptions: { stackTraceLimit: 1 } })
  // The client reports its own troubles.
  queue.on('error', () => {})
  return queue
}

interface PushQueueOptions {
  /** Opened for `request`. */
  readonly redis: RedisClient
  readonly keys: Keys
  /** The first pause; it doubles. */
  readonly backoffMs?: number
}

/**
 * Messages on their way out, tried again and again with growing pauses; what cannot be delivered stays as a dead letter.
 *
 * @throws PrescaleError 'store-unavailable' from each of them.
 */
export function createPushQueue ({ redis, keys, backoffMs = 1_000 }: PushQueueOptions) {
  let opened: Promise<Queue> | null = null
  const open = () => {
    opened ??= openReady(redis, keys).catch((error: unknown) => {
      opened = null
      throw error
    })
    return opened
  }

  const add = (deliveries: readonly Delivery[]): Promise<void> => answered(redis, async () => {
    if (deliveries.length === 0) return
    await (await open()).addBulk(deliveries.map(({ id, target, payload, attempts }) => ({
      name: 'deliver', data: { target, payload }, opts: { jobId: id, attempts, backoff: { type: 'exponential', delay: backoffMs, jitter: 0.3 }, ...kept }
    })))
  })

  /** Newest first. */
  const dead = ({ limit }: { limit: number }): Promise<DeadDelivery[]> => answered(redis, async () => {
    const jobs = await (await open()).getFailed(0, limit - 1)
    return jobs.filter((job) => job !== undefined && job !== null).map(toDead)
  })

  const deadCount = (): Promise<number> => answered(redis, async () => await (await open()).getFailedCount())

  /** Sends a dead one again, with all its attempts. False when there is none of that id. */
  const replay = (id: string): Promise<boolean> => answered(redis, async () => {
    const job = await (await open()).getJob(id) as Job | undefined
    if (!job || !await job.isFailed()) return false
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true })
    return true
  })

  const close = async () => { await (await opened?.catch(() => null))?.close() }

  return { add, dead, deadCount, replay, close }
}
export type PushQueue = ReturnType<typeof createPushQueue>

async function openReady (redis: RedisClient, keys: Keys): Promise<Queue> {
  const queue = openQueue(pushQueues.deliveries, redis, keys)
  try {
    await queue.waitUntilReady()
    return queue
  } catch (error) {
    await queue.close()
    throw error
  }
}

function toDead ({ id, data, failedReason, attemptsMade, finishedOn, timestamp }: Job): DeadDelivery {
  const { target, payload } = data as Pick<Delivery, 'target' | 'payload'>
  return { id: String(id), at: finishedOn ?? timestamp, target, attempts: attemptsMade, reason: failedReason ?? 'unknown', payload }
}

export interface PushWorkerOptions {
  /** Opened for `work`. */
  readonly redis: RedisClient
  readonly keys: Keys
  /** Run every so often by one process of all, one at a time. */
  readonly ticks: Readonly<Record<string, { readonly everyMs: number, readonly run: () => Promise<void> }>>
  /** Throws to be tried again; a PrescaleError `invalid-request` says that trying again is of no use. */
  readonly deliver: (delivery: Omit<Delivery, 'attempts'>) => Promise<void>
  readonly onDead: (delivery: DeadDelivery) => void
  readonly log: Logger
}

/** Follows and delivers, one of possibly many processes that do. */
export function createPushWorker ({ redis, keys, ticks, deliver, onDead, log }: PushWorkerOptions) {
  const { connection, prefix } = queueOptions(redis, keys)
  const options = { connection, prefix, lockDuration: 30_000, stalledInterval: 5_000, runRetryDelay: 500 }
  const tickQueue = openQueue(pushQueues.ticks, redis, keys)

  const ticker = new Worker(pushQueues.ticks, async ({ name }) => { await ticks[name]?.run() }, { ...options, concurrency: 1 })
  ticker.on('failed', (job, err) => log.warn({ err, tick: job?.name }, 'what is to be pushed could not be followed; it is tried again at once'))
  const deliverer = new Worker(pushQueues.deliveries, async (job) => {
    const { target, payload } = job.data as Pick<Delivery, 'target' | 'payload'>
    try {
      await deliver({ id: String(job.id), target, payload })
    } catch (error) {
      if (error instanceof PrescaleError && error.code === 'invalid-request') throw new UnrecoverableError(error.message)
      throw error
    }
  }, { ...options, concurrency: 8 })
  deliverer.on('failed', (job) => {
    if (job && job.finishedOn !== undefined) onDead(toDead(job))
  })
  for (const worker of [ticker, deliverer]) worker.on('error', (err) => log.warn({ err }, 'the queue of messages had an error'))

  const setUp = async () => {
    await tickQueue.waitUntilReady()
    await tickQueue.setGlobalConcurrency(1)
    for (const [name, { everyMs }] of Object.entries(ticks)) {
      await tickQueue.upsertJobScheduler(name, { every: everyMs }, { name, opts: { attempts: 1, removeOnComplete: true, removeOnFail: true } })
    }
  }
  const onError = (err: unknown) => { log.warn({ err }, 'the schedule of what is pushed could not be written; it is tried again when Redis is back') }
  // Redis may come back empty.
  const onReady = () => { setUp().catch(onError) }
  const started = setUp().catch(onError).then(() => { redis.on('ready', onReady) })

  /** Finishes what is under way, for at most `graceMs`. */
  const close = async ({ graceMs = 1_500 } = {}) => {
    let timer: NodeJS.Timeout | undefined
    redis.off('ready', onReady)
    const all = started.then(() => Promise.allSettled([ticker.close(), deliverer.close(), tickQueue.close()]))
    await Promise.race([all, new Promise((resolve) => { timer = setTimeout(resolve, graceMs) })])
    clearTimeout(timer)
  }

  return { started, close }
}
export type PushWorker = ReturnType<typeof createPushWorker>
