import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { PrescaleError } from '../errors.ts'

export type RedisClient = Redis | Cluster

/**
 * `request`: somebody waits for the answer, so a Redis that is away is an error at once and a silent one after three seconds.
 * `work`: nobody waits, so commands wait for Redis to come back; whatever they do must bear being done twice.
 */
export type RedisUse = 'request' | 'work'

/** Where a server is: one address, or the start nodes of a Redis Cluster. */
export type RedisAddress = { readonly path: string } | { readonly urls: readonly string[] }

/** Something that Redis clients can be opened on; `close` also closes every client that it opened. */
export interface RedisSource {
  readonly mode: 'url' | 'child' | 'in-process'
  /** Whether the data are still there after this process has ended. */
  readonly durable: boolean
  /** For people; holds no password. */
  readonly description: string
  connect (use: RedisUse): RedisClient
  /** True when Redis answers now. Never throws. */
  ping (): Promise<boolean>
  close (): Promise<void>
}

const retryStrategy = (attempt: number) => Math.min(50 * 2 ** Math.min(attempt, 5), 1_000)
const commonOptions = { connectTimeout: 3_000, retryStrategy } satisfies RedisOptions

const optionsByUse: Record<RedisUse, RedisOptions> = {
  request: {
    ...commonOptions,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 3_000,
    socketTimeout: 10_000
  },
  // The longest command waits ten seconds for a job, so this silence is a connection that is dead without saying so.
  work: { ...commonOptions, maxRetriesPerRequest: null, socketTimeout: 30_000 }
}

/** Opens a client that reconnects for ever; its connection errors are told to `onError`. */
export function connectRedis (address: RedisAddress, use: RedisUse, onError: (error: Error) => void): RedisClient {
  const options = optionsByUse[use]
  const client = open(address, options)
  client.on('error', onError)
  return client
}

function open (address: RedisAddress, options: RedisOptions): RedisClient {
  if ('path' in address) return new Redis(address.path, options)
  const [url, ...more] = address.urls
  if (more.length === 0) return new Redis(url, options)
  const { username, password, protocol } = new URL(url)
  return new Cluster([...address.urls], {
    enableOfflineQueue: options.enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    redisOptions: {
      ...options,
      ...(username && { username: decodeURIComponent(username) }),
      ...(password && { password: decodeURIComponent(password) }),
      ...(protocol === 'rediss:' && { tls: {} })
    }
  })
}

/**
 * Runs the Redis calls of a request; whatever goes wrong there is an outage to the one who asked.
 *
 * @throws PrescaleError 'store-unavailable'.
 */
export async function answered<T> (redis: RedisClient, call: () => Promise<T>): Promise<T> {
  try {
    await connected(redis)
    // BullMQ would wait for the connection, however long that takes.
    if (redis.status !== 'ready') throw new Error('there is no connection')
    return await call()
  } catch (error) {
    if (error instanceof PrescaleError) throw error
    throw new PrescaleError('store-unavailable', `Redis does not answer: ${(error as Error).message}`, { cause: error })
  }
}

/** What Redis or the way to it says when it will serve again later: no connection, loading, failing over, out of memory or disk. */
const passing = [
  /closed|ECONN|ENOENT|EPIPE|ETIMEDOUT|EAI_AGAIN|timed out|timeout|writeable|max retries|slots cache|started cluster/i,
  /\b(LOADING|BUSY|CLUSTERDOWN|TRYAGAIN|MASTERDOWN|READONLY|MISCONF|OOM|NOREPLICAS|MOVED|ASK)\b/
]

/** Whether it is worth waiting for an error to go away. */
export function isPassing (error: unknown): boolean {
  const { message = '', code = '' } = error as { message?: string, code?: string }
  return passing.some((pattern) => pattern.test(message) || pattern.test(code))
}

/** Gives a client that is just connecting a second for it; one that has lost its server fails at once. */
async function connected (redis: RedisClient): Promise<void> {
  if (redis.status !== 'connecting' && redis.status !== 'connect') return
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      redis.off('ready', done).off('close', done)
      resolve()
    }
    const timer = setTimeout(done, 1_000)
    redis.on('ready', done).on('close', done)
  })
}

/** The replies of a pipeline in order; throws the first error among them. */
export async function replies (pipeline: { exec (): Promise<[Error | null, unknown][] | null> }): Promise<unknown[]> {
  const results = await pipeline.exec() ?? []
  return results.map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}
