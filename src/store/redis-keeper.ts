import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import type { Logger } from 'pino'

/** Every prescale process that uses the server holds one connection named like this; the last one to leave ends the server. */
const keeperNames = 'prescale-keeper-'

/** `silent`: somebody listens but does not answer, or answers that it is loading. */
export async function probe (socket: string): Promise<'up' | 'silent' | 'absent'> {
  const client = shortLived(socket)
  try {
    await client.connect()
    await client.ping()
    return 'up'
  } catch (error) {
    return /ECONNREFUSED|ENOENT|closed/i.test((error as Error).message) ? 'absent' : 'silent'
  } finally {
    client.disconnect()
  }
}

/** Holds the connection that says that the server is in use, and starts the server again when it dies. Returns how to let go. */
export function keepServer (socket: string, ensure: () => Promise<void>, log: Logger): () => Promise<void> {
  let closing = false
  let reviving: Promise<void> | null = null
  const name = keeperNames + randomUUID()
  const keeper = new Redis(socket, { connectionName: name, retryStrategy: () => 500, maxRetriesPerRequest: 0, enableOfflineQueue: false })
  keeper.on('error', () => {})
  keeper.on('close', () => {
    if (closing) return
    reviving ??= ensure()
      .catch((err: unknown) => log.error({ err }, 'the Redis server died and cannot be started again; trying on'))
      .finally(() => { reviving = null })
  })

  return async () => {
    closing = true
    await reviving
    keeper.disconnect()
    await endUnlessKept(socket, name)
  }
}

/** Ends the server, unless somebody else keeps it or it is gone already. */
async function endUnlessKept (socket: string, ownName: string): Promise<void> {
  const client = shortLived(socket)
  try {
    await client.connect()
    const names = (await client.client('LIST') as string).match(/(?<= name=)\S+/g) ?? []
    if (names.some((name) => name.startsWith(keeperNames) && name !== ownName)) return
    // The answer is the end of the connection, which comes as an error.
    await client.shutdown()
  } catch {
    // Gone.
  } finally {
    client.disconnect()
  }
}

/** A client that does not try twice. */
function shortLived (socket: string): Redis {
  const client = new Redis(socket, {
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
    commandTimeout: 1_000
  })
  client.on('error', () => {})
  return client
}
