import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import fastify from 'fastify'
import { pino } from 'pino'
import { hashToken, newToken } from '../src/access/tokens.ts'
import { chained } from '../src/chain.ts'
import type { Decision } from '../src/domain.ts'
import { createKeys } from '../src/store/keys.ts'
import { openRedis } from '../src/store/open-redis.ts'
import { createStateStore } from '../src/store/state-store.ts'

/**
 * Requests per second of `…/decision` and `…/keda` of a whole `prescale start` with tokens on a real Redis, beside a bare Fastify route
 * that returns the same bytes out of memory, in turns on the same machine. Then the latency at half of each one's maximum, sent by the
 * clock and counted from the time at which a request was due; and the same while many connections do nothing, some send one byte a second
 * and never end, some ask and never read, and some send headers that are too large again and again. `node dist/bench/decision-read.js [--rounds 5] [--seconds 2] [--connections 32] [--idle 2000] [--slow 200]` prints JSON.
 */
const { values: args } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '32' },
    idle: { type: 'string', default: '2000' },
    slow: { type: 'string', default: '200' },
    bare: { type: 'boolean', default: false }
  }
})
const [rounds, seconds, connections, idleCount, slowCount] = [args.rounds, args.seconds, args.connections, args.idle, args.slow].map(Number)
const sleep = (ms: number) => new Promise((resolve) => { setTimeout(resolve, ms) })
const service = 'shop'

interface Target { readonly name: string, readonly port: number, readonly request: Buffer }

/** One connection that sends a request when it is told to, and says when the whole answer is there. */
function openClient ({ port, request }: Target, onAnswer: (client: Client) => void) {
  const socket = connect(port, '127.0.0.1').setNoDelay(true)
  let received = 0
  let expected = 0
  const client = { dueMs: 0, send: () => { socket.write(request) }, close: () => { socket.destroy() }, ready: once(socket, 'connect') }
  socket.on('data', (chunk: Buffer) => {
    // All answers are the same, so the first one says how long they are.
    if (expected === 0) expected = lengthOf(chunk)
    received += chunk.length
    if (received < expected) return
    received = 0
    onAnswer(client)
  })
  return client
}
type Client = ReturnType<typeof openClient>

function lengthOf (chunk: Buffer): number {
  const head = chunk.toString('latin1')
  if (!head.startsWith('HTTP/1.1 200')) throw new Error(`Expected 200, got ${head.slice(0, 300)}`)
  return head.indexOf('\r\n\r\n') + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1])
}

async function openClients (target: Target, onAnswer: (client: Client) => void): Promise<Client[]> {
  const clients = Array.from({ length: connections }, () => openClient(target, onAnswer))
  await Promise.all(clients.map(({ ready }) => ready))
  return clients
}

/** Requests per second when every connection asks again as soon as it is answered. */
async function throughput (target: Target): Promise<number> {
  let answers = 0
  const clients = await openClients(target, (client) => {
    answers++
    client.send()
  })
  for (const client of clients) client.send()
  await sleep(200)
  const before = answers
  const start = performance.now()
  await sleep(seconds * 1000)
  const perSecond = (answers - before) / ((performance.now() - start) / 1000)
  for (const client of clients) client.close()
  return perSecond
}

/** Latencies when requests are due by the clock; one that waits for a free connection waits on its own account. */
async function latencies (target: Target, perSecond: number): Promise<number[]> {
  const found: number[] = []
  const queue: number[] = []
  const free: Client[] = []
  const give = (client: Client, dueMs: number) => {
    client.dueMs = dueMs
    client.send()
  }
  const clients = await openClients(target, (client) => {
    found.push(performance.now() - client.dueMs)
    const next = queue.shift()
    if (next === undefined) free.push(client)
    else give(client, next)
  })
  free.push(...clients)
  const start = performance.now()
  const total = Math.floor(perSecond * seconds * 2)
  for (let sent = 0; sent < total;) {
    for (; sent < total && start + sent / perSecond * 1000 <= performance.now(); sent++) {
      const client = free.pop()
      const dueMs = start + sent / perSecond * 1000
      if (client === undefined) queue.push(dueMs)
      else give(client, dueMs)
    }
    // Not a busy loop: it would take the second core from the server.
    await sleep(1)
  }
  while (found.length < total) await sleep(5)
  for (const client of clients) client.close()
  return found
}

const [deafCount, boastCount] = [100, 20]

/** Connections of those who mean no good, or have forgotten us. */
async function openBurden (port: number): Promise<{ sockets: Socket[], close: () => void }> {
  const sockets: Socket[] = []
  for (let i = 0; i < idleCount + slowCount; i++) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    sockets.push(socket)
    if (i % 100 === 99) await sleep(10)
  }
  const slow = sockets.slice(idleCount)
  for (const socket of slow) socket.write('GET /v1/services/shop/decision HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  const deaf = Array.from({ length: deafCount }, () => connect(port, '127.0.0.1').on('error', () => {}).pause())
  for (const socket of deaf) socket.write('GET /v1/services HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20))
  const boast = () => connect(port, '127.0.0.1').on('error', () => {}).on('data', () => {}).end(`GET / HTTP/1.1\r\nHost: x\r\nX-Huge: ${'x'.repeat(100_000)}\r\n\r\n`)
  const timer = setInterval(() => {
    for (const socket of slow) if (!socket.destroyed) socket.write('x')
    for (let i = 0; i < boastCount; i++) boast()
  }, 1000)
  await sleep(500)
  return { sockets, close: () => { clearInterval(timer); for (const socket of [...sockets, ...deaf]) socket.destroy() } }
}

const rounded = (value: number, digits = 2) => Number(value.toFixed(digits))
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
function percentiles (values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => rounded(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))])
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

const decision: Decision = chained({
  service,
  mode: 'act' as const,
  asOf: Date.now(),
  validUntil: Date.now() + 3_600_000,
  replicas: 14,
  currentReplicas: 12,
  source: 'forecast' as const,
  rawRecommendations: [
    { source: 'forecast' as const, replicas: 14, reason: 'load stays below 980 for 180 s with probability 0.95: 14 replicas' },
    { source: 'reactive' as const, replicas: 12, reason: 'present load 800 at 70 per replica: 12 replicas' }
  ],
  adjustments: [{ stage: 'stabilize', from: 13, to: 14, reason: 'ScaleDownStabilized: 14 replicas were recommended within the last 300 s' }],
  reason: 'load stays below 980 for 180 s with probability 0.95: 14 replicas',
  load: 800,
  capacity: 70,
  forecast: { horizonSeconds: 180, quantiles: [0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99].map((quantile) => ({ quantile, load: 700 + 300 * quantile })), modelVersion: '1' },
  topFeatures: ['lag1', 'mean5', 'slope10', 'sameTimeYesterday'].map((name, i) => ({ name, value: i / 3, importance: 0.2 })),
  missingSignals: [],
  modelVersion: '1'
}, null)

/** The second kind of server: one route, the bytes in memory. */
async function serveBare (): Promise<void> {
  const app = fastify()
  process.on('message', (bodies: Record<string, string>) => {
    for (const [name, body] of Object.entries(bodies)) app.get(`/v1/services/:service/${name}`, async (_request, reply) => reply.type('application/json; charset=utf-8').send(body))
    app.listen({ host: '127.0.0.1', port: 0 }).then(() => { process.send!((app.server.address() as AddressInfo).port) })
  })
  process.on('disconnect', () => { process.exit() })
}

async function startPrescale (directory: string, redisUrl: string, token: string): Promise<{ child: ChildProcess, port: number }> {
  writeFileSync(join(directory, 'tokens.yaml'), `- ${JSON.stringify({ name: 'keda', sha256: hashToken(token), scopes: ['read'] })}\n`)
  writeFileSync(join(directory, 'prescale.yaml'), `access: { tokensFile: tokens.yaml }\nservices: { ${service}: {} }\n`)
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, 'start', '--role', 'api', '--port', '0'], { cwd: directory, env: { ...process.env, REDIS_URL: redisUrl, PRESCALE_LOG_LEVEL: 'warn' }, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout!.on('data', (chunk: Buffer) => { output += chunk.toString() })
  for (;;) {
    const port = /API +http:\/\/127\.0\.0\.1:(\d+)/.exec(output)?.[1]
    if (port !== undefined) return { child, port: Number(port) }
    if (child.exitCode !== null) throw new Error(`prescale ended with ${child.exitCode}: ${output}`)
    await sleep(50)
  }
}

async function run (): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'prescale-bench-'))
  const children: ChildProcess[] = []
  const source = await openRedis({ dataDirectory: directory, log: pino({ level: 'silent' }) })
  try {
    const states = createStateStore<object, object>({ redis: source.connect('work'), keys: createKeys() })
    await states.commit(service, await states.load(service), { job: { id: 1, at: decision.asOf }, decisions: [decision], events: [], putAside: [], feedbackIds: [] })
    const token = newToken()
    const { child, port } = await startPrescale(directory, `unix://${join(directory, 'redis', 'redis.sock')}`, token)
    children.push(child)
    const paths = ['decision', 'keda']
    const bodies = Object.fromEntries(await Promise.all(paths.map(async (path) => {
      const response = await fetch(`http://127.0.0.1:${port}/v1/services/${service}/${path}`, { headers: { authorization: `Bearer ${token}` } })
      if (response.status !== 200) throw new Error(`${path} answers ${response.status}: ${await response.text()}`)
      return [path, await response.text()] as const
    })))
    const bare = fork(fileURLToPath(import.meta.url), ['--bare'])
    children.push(bare)
    bare.send(bodies)
    const [barePort] = await once(bare, 'message') as [number]
    const requestOf = (path: string) => Buffer.from(`GET /v1/services/${service}/${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    const results: Record<string, object> = {}
    for (const path of paths) {
      const ours: Target = { name: path, port, request: requestOf(path) }
      const theirs: Target = { ...ours, port: barePort }
      const found: { ours: number, theirs: number }[] = []
      // The first round of each warms it up.
      for (let round = 0; round <= rounds; round++) {
        const pair = { ours: await throughput(ours), theirs: await throughput(theirs) }
        if (round > 0) found.push(pair)
      }
      const [mine, bareOne] = [median(found.map((pair) => pair.ours)), median(found.map((pair) => pair.theirs))]
      const healthy = await latencies(ours, mine / 2)
      const bareLatency = await latencies(theirs, bareOne / 2)
      const burden = await openBurden(port)
      const burdened = await latencies(ours, mine / 2)
      const connected = burden.sockets.filter((socket) => !socket.destroyed && !socket.connecting).length
      burden.close()
      results[path] = {
        bodyBytes: Buffer.byteLength(bodies[path]),
        requestsPerSecond: Math.round(mine),
        bareRequestsPerSecond: Math.round(bareOne),
        ratio: rounded(median(found.map((pair) => pair.ours / pair.theirs))),
        ratios: found.map((pair) => rounded(pair.ours / pair.theirs)),
        latencyMsAtHalf: percentiles(healthy),
        latencyMsAt1000: percentiles(await latencies(ours, 1000)),
        bareLatencyMsAtHalf: percentiles(bareLatency),
        latencyMsAtHalfWithBurden: { connections: connected, slow: slowCount, ...percentiles(burdened) }
      }
    }
    process.stdout.write(JSON.stringify({ node: process.version, rounds, seconds, connections, ...results }, null, 2) + '\n')
  } finally {
    for (const child of children) child.kill()
    await source.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

await (args.bare ? serveBare() : run())
