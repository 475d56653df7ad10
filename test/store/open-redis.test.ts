import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openRedis } from '../../src/store/open-redis.ts'
import type { RedisSource } from '../../src/store/redis.ts'
import { haveRedis, needsRedis, silent, until } from '../support/redis.ts'
import { endProcess } from '../support/worker.ts'

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

let dataDirectory: string
const sources: RedisSource[] = []
beforeEach(() => { dataDirectory = mkdtempSync(join(tmpdir(), 'prescale-test-')) })
afterEach(async () => {
  await Promise.all(sources.splice(0).map((source) => source.close()))
  rmSync(dataDirectory, { recursive: true, force: true })
})
const open = async (options: Partial<Parameters<typeof openRedis>[0]> = {}) => {
  const source = await openRedis({ dataDirectory, log: silent, ...options })
  sources.push(source)
  return source
}
const serverPid = () => Number(readFileSync(join(dataDirectory, 'redis/redis.pid'), 'utf8'))
const acknowledged = async (source: RedisSource) => await source.connect('work').lrange('acknowledged', 0, -1)

describe('where Redis comes from', () => {
  it('says a given address without its password', async () => {
    const source = await open({ url: 'redis://user:secret@127.0.0.1:1/2' })
    expect(source).toMatchObject({ mode: 'url', durable: true, description: 'redis://127.0.0.1:1/2' })
    expect(await source.ping()).toBe(false)
  })

  it.skipIf(!haveRedis)('names the folder that cannot be written to, and the ways out', async () => {
    writeFileSync(join(dataDirectory, 'file'), '')
    const path = join(dataDirectory, 'file')
    await expect(open({ dataDirectory: path })).rejects.toThrow(`The folder ${path}/redis cannot be written to`)
    await expect(open({ dataDirectory: path })).rejects.toThrow('--data-dir names another one')
  })

  it('refuses an address that is none, without showing it', async () => {
    await expect(open({ url: 'secret@nowhere' })).rejects.toThrow('The address of Redis is not a URL such as redis://127.0.0.1:6379.')
  })

  it('says in one line what to do when there is none', async () => {
    await expect(open({ programs: ['no-such-server'], allowInProcess: false })).rejects
      .toThrow('There is no Redis: set REDIS_URL, or install one of no-such-server on PATH.')
  })

  it('runs one in this process when there is no program, which keeps nothing', async () => {
    const source = await open({ programs: ['no-such-server'] })
    expect(source).toMatchObject({ mode: 'in-process', durable: false })
    expect(await source.ping()).toBe(true)
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const redis = source.connect('work')
    await redis.eval("return redis.call('HSET', KEYS[1], 'bytes', ARGV[1])", 1, 'hash', bytes)
    expect(await redis.hgetBuffer('hash', 'bytes')).toEqual(bytes)
  })
})

describe.skipIf(!haveRedis)(needsRedis('a Redis server of our own'), () => {
  it('keeps what was written for the next start, and ends with its user', async () => {
    const first = await open({ programs: ['no-such-server', 'redis-server'] })
    expect(first).toMatchObject({ mode: 'child', durable: true, description: `redis-server of our own in ${realpathSync(dataDirectory)}/redis` })
    await first.connect('work').rpush('acknowledged', 'one')
    const pid = serverPid()
    await first.close()
    await until(() => !isAlive(pid))
    expect(await first.ping()).toBe(false)

    const second = await open()
    expect(await acknowledged(second)).toEqual(['one'])
  })

  it('is taken over with its data when its user was killed', async () => {
    const user = fork(fileURLToPath(new URL('../support/redis-user-process.mjs', import.meta.url)), [dataDirectory, 'one'])
    await once(user, 'message')
    const orphan = serverPid()
    await endProcess(user, 'SIGKILL')
    expect(isAlive(orphan)).toBe(true)

    const next = await open()
    expect(serverPid()).toBe(orphan)
    expect(await acknowledged(next)).toEqual(['one'])
    await next.close()
    await until(() => !isAlive(orphan))
  })

  it('has what it acknowledged when user and server are killed', async () => {
    const user = fork(fileURLToPath(new URL('../support/redis-user-process.mjs', import.meta.url)), [dataDirectory, 'one'])
    await once(user, 'message')
    const server = serverPid()
    await endProcess(user, 'SIGKILL')
    process.kill(server, 'SIGKILL')
    await until(() => !isAlive(server))

    const next = await open()
    expect(serverPid()).not.toBe(server)
    expect(await acknowledged(next)).toEqual(['one'])
  })

  it('is ended first when it can no longer be reached, so that two never write one file', async () => {
    const user = fork(fileURLToPath(new URL('../support/redis-user-process.mjs', import.meta.url)), [dataDirectory, 'one'])
    await once(user, 'message')
    const orphan = serverPid()
    await endProcess(user, 'SIGKILL')
    unlinkSync(join(dataDirectory, 'redis/redis.sock'))

    const next = await open()
    expect(isAlive(orphan)).toBe(false)
    expect(await acknowledged(next)).toEqual(['one'])
  })

  it('is one for all who open it at once, and ends with the last of them', async () => {
    const [first, second, third] = await Promise.all([open(), open(), open()])
    const pid = serverPid()
    await first.connect('work').rpush('acknowledged', 'one')
    await first.close()
    await second.close()
    expect(isAlive(pid)).toBe(true)
    expect(await acknowledged(third)).toEqual(['one'])
    await third.close()
    await until(() => !isAlive(pid))
  })

  it('is started again when it dies, and its clients come back by themselves', async () => {
    const source = await open()
    const redis = source.connect('work')
    await redis.rpush('acknowledged', 'one')
    const pid = serverPid()
    process.kill(pid, 'SIGKILL')
    await until(() => !isAlive(pid))
    await redis.rpush('acknowledged', 'two')
    expect(serverPid()).not.toBe(pid)
    expect(await acknowledged(source)).toEqual(['one', 'two'])
  })

  it('serves a directory whose path is too long for a socket', async () => {
    dataDirectory = join(dataDirectory, 'a'.repeat(60), 'b'.repeat(60))
    mkdirSync(dataDirectory, { recursive: true })
    const first = await open()
    await first.connect('work').rpush('acknowledged', 'one')
    await first.close()
    expect(existsSync(join(dataDirectory, 'redis/appendonlydir'))).toBe(true)
    expect(await acknowledged(await open())).toEqual(['one'])
  })

  it('says with the last line of its log why it does not start', async () => {
    mkdirSync(join(dataDirectory, 'redis/appendonlydir'), { recursive: true })
    writeFileSync(join(dataDirectory, 'redis/appendonlydir/appendonly.aof.manifest'), 'no manifest\n')
    const error = await open().catch((reason: Error) => reason) as Error
    expect(error).toMatchObject({ code: 'store-unavailable' })
    expect(error.message).toMatch(/^redis-server does not start in .*: it ended with code 1; its log ends with ".+"\.$/)
    expect(error.message).not.toContain('\n')
  })
})
