import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from 'pino'
import { PrescaleError } from '../errors.ts'
import type { RedisAddress, RedisSource } from './redis.ts'
import { openRedisChild } from './redis-child.ts'
import { createRedisSource } from './redis-source.ts'

export interface OpenRedisOptions {
  /** `redis://`, `rediss://` or `unix://`; several with commas between them are the nodes of a Redis Cluster. */
  readonly url?: string
  readonly dataDirectory: string
  readonly log: Logger
  /** Programs to look for on PATH. */
  readonly programs?: readonly string[]
  /** Whether a server in JavaScript, which keeps nothing, may stand in where there is no program. */
  readonly allowInProcess?: boolean
}

/**
 * Finds or starts Redis: the given address, else a server program as a child that keeps its data, else one inside this process.
 *
 * A given address need not answer yet: requests get 503 until it does.
 *
 * @throws PrescaleError 'store-unavailable' in one line when there is none of them, or the program that is there does not start.
 */
export async function openRedis ({ url, dataDirectory, log, programs = ['redis-server', 'valkey-server'], allowInProcess = true }: OpenRedisOptions): Promise<RedisSource> {
  if (url) return openUrl(url, log)
  for (const program of programs) {
    const version = await versionOf(program)
    if (version === null) continue
    if (isOlderThan(version, [6, 2])) {
      log.warn(`${program} ${version} on PATH is older than 6.2 and is not used`)
      continue
    }
    return await openRedisChild({ program, directory: resolve(dataDirectory, 'redis'), log })
  }
  if (allowInProcess) return await openInProcess(log)
  throw new PrescaleError('store-unavailable', `There is no Redis: set REDIS_URL, or install one of ${programs.join(', ')} on PATH.`)
}

function openUrl (url: string, log: Logger): RedisSource {
  const urls = url.split(',').map((part) => part.trim())
  const description = urls.map(withoutPassword).join(', ')
  return createRedisSource({ mode: 'url', durable: true, description, address: addressOf(urls), log })
}

function addressOf (urls: readonly string[]): RedisAddress {
  return urls.length === 1 && urls[0].startsWith('unix://') ? { path: urls[0].slice('unix://'.length) } : { urls }
}

function withoutPassword (url: string): string {
  if (!URL.canParse(url)) throw new PrescaleError('invalid-config', 'The address of Redis is not a URL such as redis://127.0.0.1:6379.', { details: [{ path: 'redis.url', expected: 'an address such as redis://127.0.0.1:6379' }] })
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}

/** The version of a server program on PATH, or null when there is no such program. */
async function versionOf (program: string): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 5_000 })
    return /v=(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null
  } catch {
    return null
  }
}

function isOlderThan (version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor, ownMinor] = version.split('.').map(Number)
  return ownMajor < major || (ownMajor === major && ownMinor < minor)
}

async function openInProcess (log: Logger): Promise<RedisSource> {
  const { createRedisMock } = await import('js-redis-server')
  const server = await createRedisMock()
  log.warn('Redis runs inside this process: DEVELOPMENT MODE, nothing is kept when it ends. Install redis-server or set REDIS_URL to keep state.')
  return createRedisSource({
    mode: 'in-process',
    durable: false,
    description: 'in this process, development mode, keeps nothing',
    address: { urls: [server.url] },
    log,
    stop: () => server.close()
  })
}
