import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { openRedis } from '../../src/store/open-redis.ts'
import type { RedisSource } from '../../src/store/redis.ts'

export const haveRedis = spawnSync('redis-server', ['--version']).status === 0
/** For `describe.skipIf(!haveRedis)(…)`: a skipped block says what is missing. */
export const needsRedis = (subject: string) => haveRedis ? subject : `${subject} (skipped: redis-server is not installed)`

export const silent = pino({ level: 'silent' })

export interface TestRedis {
  readonly url: string
  /** A source on this server; closed by `stop`. */
  open (): Promise<RedisSource>
  /** SIGSTOP and SIGCONT: a server that is there and says nothing. */
  signal (signal: NodeJS.Signals): void
  /** As `kill -9` does it. */
  kill (): Promise<void>
  start (): Promise<void>
  /** Ends the server and removes its data. */
  stop (): Promise<void>
}

/** A real server on a unix socket, with an append-only file, in a directory of its own. */
export async function startRedis ({ cluster = false } = {}): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'prescale-test-'))
  const path = join(directory, 'redis.sock')
  const sources: RedisSource[] = []
  let server: ChildProcess

  const start = async () => {
    const options = ['--unixsocket', path, '--dir', directory, '--appendonly', 'yes', '--appendfsync', 'no', '--save', '']
    const address = cluster ? ['--port', String(clusterPort), '--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] : ['--port', '0']
    server = spawn('redis-server', [...options, ...address], { stdio: 'ignore' })
    const client = new Redis(path, { maxRetriesPerRequest: null, retryStrategy: () => 20 })
    client.on('error', () => {})
    await client.ping()
    if (cluster && (await client.cluster('INFO')).includes('cluster_state:fail')) {
      await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
      while ((await client.cluster('INFO')).includes('cluster_state:fail')) await sleep(50)
    }
    client.disconnect()
  }
  const kill = async () => {
    if (server.exitCode !== null || server.signalCode !== null) return
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
  const open = async () => {
    // One node with all slots checks that the keys of a command share one slot, as any other cluster does.
    const url = cluster ? `redis://127.0.0.1:${clusterPort},redis://127.0.0.1:${clusterPort}` : `unix://${path}`
    const source = await openRedis({ url, dataDirectory: directory, log: silent })
    sources.push(source)
    return source
  }
  const stop = async () => {
    await Promise.all(sources.map((source) => source.close()))
    await kill()
    rmSync(directory, { recursive: true, force: true })
  }

  await start()
  const signal = (signal: NodeJS.Signals) => { server.kill(signal) }
  return { url: `unix://${path}`, open, signal, kill, start, stop }
}
const clusterPort = 20_000 + process.pid % 10_000

let prefixes = 0
/** Keys that no other test uses. */
export const randomPrefix = () => `test${process.pid.toString(36)}x${(prefixes++).toString(36)}`

export const sleep = (ms: number) => new Promise<void>((resolve) => { setTimeout(resolve, ms) })

/** Waits until something holds, and fails by the test's own time limit when it never does. */
export async function until (holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!await holds()) await sleep(25)
}
