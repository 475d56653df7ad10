import type { Logger } from 'pino'
import { connectRedis, type RedisAddress, type RedisClient, type RedisSource } from './redis.ts'

export interface RedisSourceOptions extends Pick<RedisSource, 'mode' | 'durable' | 'description'> {
  readonly address: RedisAddress
  readonly log: Logger
  /** Runs after all clients are closed. */
  readonly stop?: () => Promise<void>
}

/** Opens clients on one address, and says once when its server goes away and once when it is back. */
export function createRedisSource ({ address, log, mode, durable, description, stop }: RedisSourceOptions): RedisSource {
  const clients: RedisClient[] = []
  let away = false
  let closed = false

  const onError = (error: Error) => {
    if (away || closed) return
    away = true
    log.warn({ err: error }, `Redis (${description}) does not answer; requests get 503 and the worker waits until it is back`)
  }
  const onReady = () => {
    if (!away) return
    away = false
    log.info(`Redis (${description}) is back`)
  }

  const connect: RedisSource['connect'] = (use) => {
    const client = connectRedis(address, use, onError)
    client.on('ready', onReady)
    clients.push(client)
    return client
  }

  let pinging: RedisClient | null = null
  const ping = async () => {
    if (closed) return false
    pinging ??= connect('request')
    return await firstAnswer(pinging)
  }

  const close = async () => {
    if (closed) return
    closed = true
    for (const client of clients) client.disconnect()
    await stop?.()
  }

  return { mode, durable, description, connect, ping, close }
}

async function firstAnswer (client: RedisClient): Promise<boolean> {
  const ping = () => client.ping().then(() => true, () => false)
  if (client.status === 'ready') return await ping()
  // A client that was opened a moment ago; one that is between two attempts does not get ready in this time, and that is the answer.
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 500)
    client.once('ready', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  return await ping()
}
