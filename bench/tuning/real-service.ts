import { Agent, createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRandom, normal } from '../../src/ml/random.ts'
import type { Parameter } from '../../src/domain.ts'

/** What an operator would declare for the service below, and what it starts with. */
export const liveParameters: readonly Parameter[] = [
  { name: 'workers', kind: 'integer', low: 1, high: 64, scale: 'log', default: 16, role: 'threads' },
  { name: 'cacheMegabytes', kind: 'integer', low: 1, high: 64, scale: 'log', default: 2, unit: 'MB', role: 'memory' },
  { name: 'timeoutMs', kind: 'integer', low: 10, high: 2000, scale: 'log', default: 1000, unit: 'ms', role: 'timeout' },
  { name: 'batchSize', kind: 'integer', low: 1, high: 32, scale: 'log', default: 8, role: 'batch' },
  { name: 'retries', kind: 'integer', low: 0, high: 4, default: 2, role: 'retries' }
]
export interface LiveConfig { readonly workers: number, readonly cacheMegabytes: number, readonly timeoutMs: number, readonly batchSize: number, readonly retries: number }
export const liveDefaults = Object.fromEntries(liveParameters.map(parameter => [parameter.name, parameter.default])) as unknown as LiveConfig

const itemBytes = 4096
const lingerMs = 15

async function listen (server: Server): Promise<number> {
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  return (server.address() as AddressInfo).port
}
async function close (server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
}

/** A store behind the service: eight calls at once, 10 ms and 0.5 ms an item; of a hundred calls two hang for fifteen times as long, and one fails. */
async function startStore (seed: number) {
  const random = createRandom(seed)
  const parallel = 8
  const waiting: (() => void)[] = []
  let busy = 0
  const server = createServer((request, response) => {
    const items = new URL(request.url!, 'http://store').searchParams.get('ids')!.split(',')
    const run = () => {
      busy++
      const took = (10 + 0.5 * items.length) * Math.exp(0.3 * normal(random)) * (random() < 0.02 ? 15 : 1)
      const fails = random() < 0.01
      setTimeout(() => {
        busy--
        waiting.shift()?.()
        response.writeHead(fails ? 500 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(items))
      }, took)
    }
    if (busy < parallel) run()
    else waiting.push(run)
  })
  return { port: await listen(server), close: () => close(server) }
}

export const get = async (url: string, { agent, timeoutMs }: { agent: Agent, timeoutMs: number }): Promise<number> => await new Promise((resolve, reject) => {
  const asked = httpRequest(url, { agent, signal: AbortSignal.timeout(timeoutMs) }, (response: IncomingMessage) => {
    response.on('error', reject).resume().on('end', () => { resolve(response.statusCode!) })
  })
  asked.on('error', reject).end()
})

/** Thrown away after `timeoutMs` and tried again up to `retries` times. */
async function callStore (port: number, ids: readonly string[], agent: Agent, { timeoutMs, retries }: LiveConfig): Promise<boolean> {
  for (let attempt = 0; attempt <= retries; attempt++) {
    const status = await get(`http://127.0.0.1:${port}/?ids=${ids.join()}`, { agent, timeoutMs }).catch(() => 0)
    if (status === 200) return true
  }
  return false
}

/**
 * A real HTTP service: `GET /ID` is answered by one of `workers` workers, from a cache of least recently used items or from a store behind, which is asked
 * in batches, with a timeout and retries. `apply` changes all of that while it runs.
 */
export async function startLiveService (seed: number) {
  const store = await startStore(seed)
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  let config = liveDefaults
  const cache = new Map<string, true>()
  const queue: (() => Promise<void>)[] = []
  let busy = 0
  let batch: { ids: Set<string>, done: Promise<boolean>, send: () => void } | null = null

  const work = () => {
    while (busy < config.workers && queue.length > 0) {
      busy++
      queue.shift()!().finally(() => { busy--; work() })
    }
  }
  const fetchItem = async (id: string): Promise<boolean> => {
    if (batch === null) {
      const ids = new Set<string>()
      let send = () => {}
      const full = new Promise<void>(resolve => { send = resolve })
      const timer = setTimeout(() => send(), config.batchSize === 1 ? 0 : lingerMs)
      const done = full.then(async () => {
        clearTimeout(timer)
        batch = null
        return await callStore(store.port, [...ids], agent, config)
      })
      batch = { ids, done, send }
    }
    const own = batch
    own.ids.add(id)
    if (own.ids.size >= config.batchSize) own.send()
    return await own.done
  }
  const keep = (id: string) => {
    cache.delete(id)
    cache.set(id, true)
    const most = config.cacheMegabytes * 1024 * 1024 / itemBytes
    for (const oldest of cache.keys()) {
      if (cache.size <= most) break
      cache.delete(oldest)
    }
  }
  const server = createServer((request, response) => {
    queue.push(async () => {
      const id = request.url!.slice(1)
      const found = cache.has(id) || await fetchItem(id)
      if (found) keep(id)
      response.writeHead(found ? 200 : 503).end(found ? 'x'.repeat(256) : '')
    })
    work()
  })
  const port = await listen(server)
  return {
    url: `http://127.0.0.1:${port}`,
    apply: (next: LiveConfig) => { config = next; work() },
    config: () => config,
    /** Workers that are busy, requests that wait. */
    now: () => ({ threadCount: busy, queueLength: queue.length }),
    close: async () => { agent.destroy(); await close(server); await store.close() }
  }
}
export type LiveService = Awaited<ReturnType<typeof startLiveService>>
