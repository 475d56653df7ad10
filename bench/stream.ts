import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import fastify from 'fastify'
import { pino } from 'pino'
import type { Api, ApiContext } from '../src/api/context.ts'
import { streamRoutes } from '../src/api/stream/routes.ts'
import { createEventStream } from '../src/store/event-stream.ts'
import { createKeys, type Keys } from '../src/store/keys.ts'
import { openRedis } from '../src/store/open-redis.ts'
import type { RedisClient } from '../src/store/redis.ts'
import { createTelemetry } from '../src/telemetry.ts'

/**
 * Milliseconds from the commit of a decision until a client of GET /v1/stream has it, with many clients on one process. The clients
 * live in a second process, so that the time of the server alone is not shared with theirs; `probe` is the same with one client.
 * `node dist/bench/stream.js [--clients 2000] [--events 400] [--rate 20] [--services 100]` prints JSON.
 */
const { values: args } = parseArgs({
  options: {
    clients: { type: 'string', default: '2000' },
    events: { type: 'string', default: '400' },
    rate: { type: 'string', default: '20' },
    services: { type: 'string', default: '100' },
    listen: { type: 'string' }
  }
})
const [clientCount, eventCount, eventsPerSecond, serviceCount] = [args.clients, args.events, args.rate, args.services].map(Number)
const now = () => performance.timeOrigin + performance.now()
const sleep = (ms: number) => new Promise((resolve) => { setTimeout(resolve, ms) })

interface Result { readonly received: number, readonly latenciesMs: readonly number[] }

/** The second process: raw sockets that look for `"asOf":` and nothing else. */
function listenAsClients (port: number, clients: number, events: number): void {
  const latenciesMs: number[] = []
  let received = 0
  let connected = 0
  for (let i = 0; i < clients; i++) {
    const socket = connect(port, '127.0.0.1', () => { socket.write('GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n') })
    let rest = ''
    let greeted = false
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      const at = now()
      rest += chunk
      if (!greeted && rest.includes('event: hello')) {
        greeted = true
        if (++connected === clients) process.send!('connected')
      }
      for (let found; (found = /"asOf":([\d.]+),/.exec(rest)) !== null; rest = rest.slice(found.index + found[0].length)) {
        received++
        latenciesMs.push(at - Number(found[1]))
        if (received === clients * events) report()
      }
    })
  }
  const report = () => process.send!({ received, latenciesMs: sample(latenciesMs) } satisfies Result, () => process.exit(0))
  process.on('message', report)
}

/** Sorted, and at most 10,000 of them: enough for percentiles. */
function sample (values: number[]): number[] {
  const sorted = values.sort((a, b) => a - b)
  const stride = Math.max(1, sorted.length / 10_000)
  return Array.from({ length: Math.floor(sorted.length / stride) }, (_, i) => sorted[Math.floor(i * stride)])
}

/** About as much as the worker says in a decision. */
function decisionJson (service: string): string {
  const quantiles = Array.from({ length: 19 }, (_, i) => ({ quantile: (i + 1) / 20, load: 800 + 12.345678 * i }))
  const decision = { service, asOf: now(), replicas: 14, reason: 'a sentence for an engineer '.repeat(6), forecast: { horizonSeconds: 180, quantiles, modelVersion: 'forecast 1' } }
  return JSON.stringify({ kind: 'decision', decision })
}

async function writeEvents (redis: RedisClient, keys: Keys): Promise<void> {
  const begin = now()
  for (let i = 0; i < eventCount; i++) {
    const service = `service-${i % serviceCount}`
    await redis.xadd(keys.events(keys.partitionOf(service)), 'MAXLEN', '~', 1_000, '*', 'service', service, 'event', decisionJson(service))
    await sleep(Math.max(0, begin + 1000 * (i + 1) / eventsPerSecond - now()))
  }
}

const nextMessage = <T>(child: ChildProcess) => new Promise<T>((resolve, reject) => {
  child.once('message', (message) => { resolve(message as T) }).once('exit', () => { reject(new Error('The process of the clients ended.')) })
})

async function measure (clients: number, { port, redis, keys }: { port: number, redis: RedisClient, keys: Keys }) {
  const child = fork(fileURLToPath(import.meta.url), ['--listen', String(port), '--clients', String(clients), '--events', String(eventCount)])
  await nextMessage(child)
  const busyBefore = process.cpuUsage()
  const begin = now()
  const result = nextMessage<Result>(child)
  await writeEvents(redis, keys)
  const seconds = (now() - begin) / 1000
  const { received, latenciesMs } = await result
  const { user, system } = process.cpuUsage(busyBefore)
  const percentile = (share: number) => round(latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(share * latenciesMs.length))])
  return {
    clients,
    eventsPerSecond: round(eventCount / seconds),
    received,
    lost: clients * eventCount - received,
    latencyMs: { p50: percentile(0.5), p90: percentile(0.9), p99: percentile(0.99), max: percentile(1) },
    cpuMicrosecondsPerEventAndClient: round((user + system) / received)
  }
}

const round = (value: number) => Number(value.toPrecision(3))

async function main (): Promise<void> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'prescale-bench-'))
  const log = pino({ level: 'silent' })
  const source = await openRedis({ dataDirectory, log })
  const keys = createKeys({ prefix: `bench-${process.pid}` })
  const redis = source.connect('work')
  const events = createEventStream({ source, redis, keys, log })
  const app = fastify()
  try {
    const context = { events, partitionOf: keys.partitionOf, telemetry: createTelemetry({ log, processMetrics: false }), now: Date.now }
    await streamRoutes(app as unknown as Api, context as unknown as ApiContext)
    await app.listen({ host: '127.0.0.1', port: 0 })
    const setting = { port: (app.server.address() as AddressInfo).port, redis, keys }
    const probe = await measure(1, setting)
    const many = await measure(clientCount, setting)
    process.stdout.write(JSON.stringify({ probe, many, p50Ratio: round(many.latencyMs.p50 / probe.latencyMs.p50) }, null, 2) + '\n')
  } finally {
    await app.close()
    events.close()
    await source.close()
    rmSync(dataDirectory, { recursive: true, force: true })
  }
}

if (args.listen !== undefined) listenAsClients(Number(args.listen), clientCount, eventCount)
else await main()
