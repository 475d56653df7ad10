import { spawn } from 'node:child_process'
import { access, constants, mkdir, open, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { PrescaleError } from '../errors.ts'
import { endLeftover, shortPath, whileAlone } from './redis-directory.ts'
import { keepServer, probe } from './redis-keeper.ts'
import type { RedisSource } from './redis.ts'
import { createRedisSource } from './redis-source.ts'

export interface RedisChildOptions {
  /** `redis-server` or `valkey-server`. */
  readonly program: string
  /** Holds the append-only file, the socket, the log and the number of the process. */
  readonly directory: string
  readonly log: Logger
}

/**
 * A Redis server of our own on a unix socket, with an append-only file that is written before each answer.
 *
 * It outlives us when we are killed, and its next user finds it by its socket; one directory never has two servers. When it dies
 * under us it is started again.
 *
 * @throws PrescaleError 'store-unavailable' with the last line of its log when it does not start; 'invalid-config' for a folder that cannot be written to.
 */
export async function openRedisChild ({ program, directory: wished, log }: RedisChildOptions): Promise<RedisSource> {
  const directory = await usableFolder(wished)
  const { path: socket, dispose } = await shortPath(directory, 'redis.sock')
  const ensure = () => ensureServer({ program, directory, socket, log })
  await ensure()
  const letGo = keepServer(socket, ensure, log)
  return createRedisSource({
    mode: 'child',
    durable: true,
    description: `${program} of our own in ${directory}`,
    address: { path: socket },
    log,
    stop: async () => {
      await letGo()
      await dispose()
    }
  })
}

async function usableFolder (path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    await access(path, constants.W_OK)
    return await realpath(path)
  } catch (error) {
    throw new PrescaleError('invalid-config', `The folder ${path} cannot be written to, and our Redis keeps its data there: ${(error as Error).message}. --data-dir names another one, and REDIS_URL another Redis.`, { cause: error })
  }
}

interface Server { readonly program: string, readonly directory: string, readonly socket: string, readonly log: Logger }

async function ensureServer (server: Server): Promise<void> {
  const { directory, socket, log } = server
  await whileAlone(join(directory, 'starting.lock'), async () => {
    if (await probe(socket) !== 'absent') {
      log.info(`a Redis server for ${directory} runs already and is used`)
      return await untilUp(socket, () => null)
    }
    await endLeftover(directory, log)
    await start(server)
  })
}

/** Waits while the server loads its file, however long that is, but not long for one that is there and says nothing. */
async function untilUp (socket: string, failure: () => string | null): Promise<void> {
  for (let waits = 0; ; waits++) {
    const state = await probe(socket)
    if (state === 'up') return
    const failed = failure()
    if (failed !== null) throw new PrescaleError('store-unavailable', failed)
    if (waits === 3_000) throw new PrescaleError('store-unavailable', `The Redis server on ${socket} does not answer.`)
    await new Promise((resolve) => setTimeout(resolve, waits < 50 ? 10 : 100))
  }
}

async function start ({ program, directory, socket, log }: Server): Promise<void> {
  const logPath = join(directory, 'redis.log')
  const logFile = await open(logPath, 'a', 0o600)
  try {
    // In a session of its own, so that Ctrl-C reaches us and not the server, which has to be the last to go.
    const child = spawn(program, serverArguments(directory, socket), { cwd: directory, detached: true, stdio: ['ignore', logFile.fd, logFile.fd] })
    let end: string | null = null
    child.on('error', (error) => { end = error.message })
    child.on('exit', (code, signal) => { end ??= `it ended with ${signal ?? `code ${code}`}` })
    child.unref()
    await untilUp(socket, () => end).catch(async (error: PrescaleError) => {
      child.kill()
      const lastLine = (await readFile(logPath, 'utf8')).trimEnd().split('\n').at(-1)
      throw new PrescaleError('store-unavailable', `${program} does not start in ${directory}: ${error.message}; its log ends with "${lastLine}".`, { cause: error })
    })
    log.info({ redisPid: child.pid }, `started ${program} in ${directory}`)
  } finally {
    await logFile.close()
  }
}

/**
 * `appendfsync always`: an answer comes after the write is on the disk, for all commands of one turn together. `everysec` would
 * answer before writing while a slow flush is under way, and then losing the server would lose what was acknowledged.
 */
function serverArguments (directory: string, socket: string): string[] {
  return [
    '--port', '0', '--unixsocket', socket, '--unixsocketperm', '700',
    '--dir', directory, '--pidfile', join(directory, 'redis.pid'), '--daemonize', 'no',
    '--appendonly', 'yes', '--appendfsync', 'always', '--save', '', '--maxmemory-policy', 'noeviction'
  ]
}
