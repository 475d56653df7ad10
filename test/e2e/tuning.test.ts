import { writeFileSync } from 'node:fs'
import { Agent, createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLiveLoad } from '../../bench/tuning/live-load.ts'
import { get, liveDefaults, liveParameters, startLiveService, type LiveConfig, type LiveService } from '../../bench/tuning/real-service.ts'
import { startPrescale, temporaryFolder } from '../support/program.ts'
import { haveRedis, needsRedis, until } from '../support/redis.ts'

type Config = Record<string, number | string | boolean>
interface Client { start (): void, stop (): Promise<void>, step (): Promise<void>, readonly running: Config | null, readonly unsent: number }
// An example for any Node service is plain JavaScript, without types of its own.
const clientPath: string = resolve(import.meta.dirname, '../../deploy/examples/tuning-client.mjs')
const { createTuningClient } = await import(clientPath) as { createTuningClient: (options: Record<string, unknown>) => Client }

describe.skipIf(!haveRedis)(needsRedis('a real service, tuned by the running program'), () => {
  const folder = temporaryFolder('tuning-live')
  let prescale: Awaited<ReturnType<typeof startPrescale>>
  let service: LiveService
  beforeAll(async () => {
    // JSON is YAML.
    writeFileSync(join(folder.path, 'prescale.yaml'), JSON.stringify({ services: { live: { tuning: { parameters: liveParameters, proofShare: 0 } } } }))
    prescale = await startPrescale(['--no-demo', '--data-dir', join(folder.path, 'var')], { cwd: folder.path })
    service = await startLiveService(1)
  }, 60_000)
  afterAll(async () => {
    await service.close()
    await prescale.stop()
    folder.remove()
  })

  it('is asked, changed, measured and learned from, and goes on with what it has when prescale ends', { timeout: 120_000 }, async () => {
    const load = createLiveLoad([service], { seed: 1, periodSeconds: 0.3, requestsPerSecond: () => 60 })
    const applied: LiveConfig[] = []
    const errors: string[] = []
    const performances: number[] = []
    const client = createTuningClient({
      url: prescale.address,
      service: 'live',
      periodSeconds: 0.3,
      apply: (config: LiveConfig) => { applied.push(config); service.apply(config) },
      measure: async () => {
        const [period] = await load.run()
        performances.push(period.performance)
        return period
      },
      onError: (error: Error) => { errors.push(error.message) }
    })
    for (let i = 0; i < 16; i++) await client.step()
    expect(errors).toEqual([])
    expect(applied[0]).toEqual(liveDefaults)
    expect(applied.length).toBeGreaterThan(2)
    expect(service.config()).toEqual(client.running)
    for (const { name, low, high } of liveParameters as readonly { name: keyof LiveConfig, low: number, high: number }[]) {
      expect(applied.every(config => config[name] >= low && config[name] <= high)).toBe(true)
    }
    const suggestion = async () => (await prescale.ask('/v1/services/live/suggestion')).body
    await until(async () => (await suggestion())['observations'] === 16)
    expect(await suggestion()).toMatchObject({ source: 'results', expected: { performance: expect.any(Number) }, undo: expect.any(Object) })
    expect(Math.min(...performances)).toBeGreaterThan(0)

    await prescale.stop()
    const before = client.running
    await client.step()
    expect(errors.length).toBeGreaterThan(0)
    expect(client.unsent).toBe(1)
    expect(client.running).toEqual(before)
    load.close()
  })

  it('really works: it caches, batches, and takes another configuration while it runs', async () => {
    const agent = new Agent({ keepAlive: true })
    const ask = async (id: number) => await get(`${service.url}/${id}`, { agent, timeoutMs: 5000 })
    service.apply({ ...liveDefaults, batchSize: 4, retries: 4 })
    expect(await Promise.all([1, 2, 3, 4, 5].map(ask))).toEqual([200, 200, 200, 200, 200])
    // A store that is given no time answers nothing, but what is cached needs no store.
    service.apply({ ...liveDefaults, timeoutMs: 1, retries: 0 })
    expect(await ask(1)).toBe(200)
    expect(await ask(999)).toBe(503)
    agent.destroy()
  })
})

describe('the client', () => {
  const requests: { method: string, url: string, headers: Record<string, unknown>, body: any }[] = []
  let answer: (request: typeof requests[number]) => { status: number, body?: unknown, etag?: string }
  let server: Server
  let url = ''
  beforeEach(async () => {
    requests.length = 0
    answer = ({ method }) => method === 'GET' ? { status: 200, body: { config: { workers: 4 } }, etag: 'W/"a"' } : { status: 202, body: {} }
    server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk: Buffer) => { text += chunk.toString() }).on('end', () => {
        const seen = { method: request.method!, url: request.url!, headers: request.headers, body: text === '' ? null : JSON.parse(text) }
        requests.push(seen)
        const { status, body, etag } = answer(seen)
        response.writeHead(status, { ...(etag && { etag }) }).end(body === undefined ? '' : JSON.stringify(body))
      })
    })
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const create = (more: Record<string, unknown> = {}) => {
    const applied: Config[] = []
    const errors: string[] = []
    const client = createTuningClient({
      url,
      service: 'my shop',
      periodSeconds: 0.01,
      apply: (config: Config) => { applied.push(config) },
      measure: async () => ({ performance: 70 }),
      onError: (error: Error) => { errors.push(error.message) },
      ...more
    })
    return { client, applied, errors }
  }

  it('asks with the ETag of the last answer, and applies nothing while it is the same', async () => {
    const { client, applied } = create({ token: 'secret' })
    await client.step()
    answer = ({ method }) => ({ status: method === 'GET' ? 304 : 202 })
    await client.step()
    expect(applied).toEqual([{ workers: 4 }])
    const asked = requests.filter(({ method }) => method === 'GET')
    expect(asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, 'W/"a"'])
    expect(asked[0]).toMatchObject({ url: '/v1/services/my%20shop/suggestion', headers: { authorization: 'Bearer secret' } })
  })

  it('reports each period under an id of its own, and what was not taken again with the next', async () => {
    const { client, errors } = create()
    answer = ({ method }) => method === 'GET' ? { status: 200, body: { config: { workers: 4 } }, etag: '"a"' } : { status: 503, body: {} }
    await client.step()
    expect(client.unsent).toBe(1)
    answer = ({ method }) => ({ status: method === 'GET' ? 304 : 202 })
    await client.step()
    const reported = requests.filter(({ method }) => method === 'POST').map(({ body }) => body as { id: string, config: Config, performance: number }[])
    expect(reported.map(list => list.length)).toEqual([1, 2])
    expect(reported[1][0]).toEqual(reported[0][0])
    expect(new Set(reported[1].map(({ id }) => id)).size).toBe(2)
    expect(reported[1][1]).toMatchObject({ config: { workers: 4 }, performance: 70 })
    expect(errors).toHaveLength(1)
    expect(client.unsent).toBe(0)
  })

  it('does not repeat what is refused as wrong', async () => {
    const { client } = create()
    answer = ({ method }) => method === 'GET' ? { status: 200, body: { config: { workers: 4 } } } : { status: 400, body: {} }
    await client.step()
    expect(client.unsent).toBe(0)
  })

  it('keeps what runs where the next cannot be applied, and says nothing of a period that says nothing', async () => {
    let broken = false
    const applied: Config[] = []
    const { client, errors } = create({
      apply: (config: Config) => {
        if (broken && config['workers'] === 8) throw new Error('no room for 8')
        applied.push(config)
      },
      measure: async () => null
    })
    await client.step()
    broken = true
    answer = () => ({ status: 200, body: { config: { workers: 8 } }, etag: '"b"' })
    await client.step()
    expect(client.running).toEqual({ workers: 4 })
    expect(applied.at(-1)).toEqual({ workers: 4 })
    expect(errors).toEqual(['no room for 8'])
    expect(requests.filter(({ method }) => method === 'POST')).toEqual([])
  })

  it('goes on by itself until it is stopped', async () => {
    const { client } = create()
    client.start()
    await until(async () => requests.filter(({ method }) => method === 'POST').length >= 3)
    await client.stop()
    const seen = requests.length
    await new Promise(resolve => setTimeout(resolve, 60))
    expect(requests.length).toBe(seen)
  })
})
