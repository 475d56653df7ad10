import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createRandom, normal } from '../src/ml/random.ts'
import { startPrescale, temporaryFolder } from './support/program.ts'
import { haveRedis, needsRedis, until } from './support/redis.ts'

const second = 1000
const yaml = `
services:
  shop:
    tuning:
      parameters:
        - { name: workers, kind: integer, low: 1, high: 64, scale: log, default: 4 }
        - { name: batch, kind: integer, low: 1, high: 32, default: 8 }
        - { name: codec, kind: choice, choices: [none, gzip, br], default: none }
      proofShare: 0.2
  cart: { tuning: { mode: 'off' } }
  till:
    tuning: { objective: 100 - 1000 * responseTimeSeconds, proofShare: 0 }
  cron: { tuning: { mode: apply, strategy: bluefin, proofShare: 0 } }
  plain: {}
  careful: { tuning: { explorationShare: 1, proofShare: 0, mode: apply } }
`
const webhook = (url: string) => `push: { webhooks: [{ url: '${url}/hook', secret: 'a secret of the tests', events: [suggestion.changed] }] }\n`

describe.skipIf(!haveRedis)(needsRedis('tuning a service over HTTP'), () => {
  const folder = temporaryFolder('tuning')
  let prescale: Awaited<ReturnType<typeof startPrescale>>
  const start = async () => { prescale = await startPrescale(['--no-demo', '--data-dir', join(folder.path, 'var')], { cwd: folder.path }) }
  const told: Record<string, any>[] = []
  const receiver = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('end', () => {
      told.push(JSON.parse(text) as Record<string, any>)
      response.writeHead(204).end()
    })
  })
  beforeAll(async () => {
    await new Promise<void>((resolve) => { receiver.listen(0, '127.0.0.1', resolve) })
    writeFileSync(join(folder.path, 'prescale.yaml'), yaml + webhook(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}`))
    await start()
  }, 30_000)
  afterAll(async () => {
    await prescale.stop()
    receiver.close()
    folder.remove()
  })

  const get = (path: string) => prescale.ask(`/v1/services/${path}`)
  const post = (path: string, body: unknown) => prescale.ask(`/v1/services/${path}`, { method: 'POST', body })
  const put = (service: string, body: unknown) => prescale.ask(`/v1/services/${service}`, { method: 'PUT', body })
  /** Waits for what is reported to be learned from; usually it is when the next question comes, but not on a machine that is busy. */
  const learned = (service: string, count: number) => until(async () => (await get(`${service}/suggestion`)).body['observations'] === count)
  const state = { requestsPerSecond: 400, cpuUsageRatio: 0.5, errorRatio: 0.01, responseTimeSeconds: 0.05 }

  /** Best at 24 workers, batches of 20 and gzip; the defaults come to 100 · (1 − 0.8 · 0.43 − 0.3 · 0.39 − 0.05), about 49. */
  const performance = ({ workers, batch, codec }: Record<string, any>) =>
    100 * (1 - 0.8 * Math.abs(Math.log(workers / 24)) / Math.log(64) - 0.3 * Math.abs(batch - 20) / 31 - (codec === 'gzip' ? 0 : 0.05))

  it('suggests the defaults before anything is known', async () => {
    expect(await get('shop/suggestion')).toMatchObject({
      status: 200, body: { source: 'results', config: { workers: 4, batch: 8, codec: 'none' }, changed: [], observations: 0, expected: null, proof: { outcome: 'too-few-periods' } }
    })
  })

  it('finds better configurations from what came of those that ran, explains them, and proves the gain', { timeout: 60_000 }, async () => {
    const random = createRandom(3)
    const ran: number[] = []
    const begin = Date.now() - 3_600 * second
    for (let i = 0; i < 120; i++) {
      const { body: { config } } = await post('shop/suggestion', { state })
      ran.push(performance(config))
      await post('shop/feedback', { id: `run-${i}`, at: begin + 10 * second * i, state, config, performance: performance(config) + normal(random) })
    }
    await learned('shop', 120)
    const { body } = await get('shop/suggestion')
    expect(body).toMatchObject({ observations: 120, source: 'results', mode: 'suggest', modelVersion: 'results+120', undo: expect.any(Object) })
    expect(ran.slice(-30).reduce((sum, value) => sum + value, 0) / 30).toBeGreaterThan(performance({ workers: 4, batch: 8, codec: 'none' }) + 10)
    const proof = (await get('shop/suggestion/proof')).body
    expect(proof).toMatchObject({ service: 'shop', outcome: 'gain', gain: { mean: expect.any(Number), low: expect.any(Number) } })
    expect(proof['gain'].low).toBeGreaterThan(0)
  })

  it('gives the same answer to the same question', async () => {
    expect((await post('shop/suggestion', { state })).body['config']).toEqual((await post('shop/suggestion', { state })).body['config'])
  })

  it('learns from an id once', async () => {
    const { body: { config } } = await get('shop/suggestion')
    await post('shop/feedback', { id: 'run-0', state, config, performance: -1e6 })
    await post('shop/feedback', [{ id: 'once', state, config, performance: 60 }, { id: 'once', state, config: { workers: 1 }, performance: -1e6 }])
    await learned('shop', 121)
    expect((await get('shop/suggestion')).body['undo']).toEqual(config)
  })

  it('answers 304 to who has the configuration already', async () => {
    const address = `${prescale.address}/v1/services/shop/suggestion`
    const first = await fetch(address)
    const etag = first.headers.get('etag')!
    expect(etag).toMatch(/^W\/"[\w-]{22}"$/)
    const again = await fetch(address, { headers: { 'if-none-match': `"other", ${etag}` } })
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
    expect((await fetch(address, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })

  it('goes on with what it knows when parameters are added, removed and tightened', async () => {
    const parameters = [
      { name: 'workers', kind: 'integer', low: 1, high: 10, scale: 'log', default: 4 },
      { name: 'batch', kind: 'integer', low: 1, high: 32, default: 8 },
      { name: 'keepAlive', kind: 'boolean', default: true }
    ]
    expect((await put('shop', { tuning: { parameters, proofShare: 0 } })).status).toBe(201)
    const { body } = await get('shop/suggestion')
    expect(Object.keys(body['config'])).toEqual(['workers', 'batch', 'keepAlive'])
    expect(body['config'].workers).toBeLessThanOrEqual(10)
    expect(body['undo']).toEqual({ workers: expect.toSatisfy((value: number) => value <= 10), batch: expect.any(Number), keepAlive: true })
    expect(body['observations']).toBe(121)
    const refused = await post('shop/feedback', { config: { workers: 24 }, performance: 70, state })
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: 'config', expected: expect.stringContaining('workers is 24, expected a whole number, 1 to 10') }] } })
  })

  it('knows all of it after a restart', { timeout: 30_000 }, async () => {
    await prescale.stop()
    await start()
    expect((await get('shop/suggestion')).body['observations']).toBe(121)
  })

  it('computes the performance and takes the state from the samples since the last change where a feedback does not say them', async () => {
    const at = Math.floor(Date.now() / 60_000) * 60_000 - 600_000
    const sample = (minute: number, responseTimeSeconds: number) => ({ service: 'till', at: at + minute * 60_000, signals: { requestsPerSecond: 100, responseTimeSeconds } })
    await post('till/feedback', { id: 'none', at, config: { batchSize: 4 } })
    await prescale.ask('/v1/samples', { method: 'POST', body: { samples: [sample(1, 0.02), sample(2, 0.04)] } })
    await until(async () => (await get('till')).body['verdict']?.asOf === at + 120_000)
    await post('till/feedback', { id: 'a', at: at + 121_000, config: { batchSize: 8 } })
    await learned('till', 1)
    const { body } = await get('till/suggestion')
    // 100 − 1000 · (0.02 + 0.04) / 2; the one without samples is put aside with the reason.
    expect(body).toMatchObject({ observations: 1, expected: { performance: expect.any(Number) } })
    const letters = (await prescale.ask('/v1/dead-letters')).body['deadLetters'] as { reason: string }[]
    expect(letters.map(({ reason }) => reason)).toContainEqual('feedback none: it says no performance, and no sample since the last change says what tuning.objective needs')
  })

  it('suggests by the network again as soon as somebody says what would have been best', async () => {
    await post('plain/feedback', { config: { batchSize: 8 }, performance: 60, state: { ...state, memoryUsageRatio: 0.4, threadCount: 20, queueLength: 3 } })
    await until(async () => (await get('plain/suggestion')).body['source'] === 'results')
    const told = { ...state, memoryUsageRatio: 0.4, threadCount: 20, queueLength: 3 }
    await post('plain/feedback', { state: told, optimal: { threadPoolSize: 32 } })
    await until(async () => (await post('plain/suggestion', { state: told })).body['source'] === 'network')
    expect((await post('plain/suggestion', { state: told })).body['reason']).toContain('learned from 1 reported best configuration')
  })

  it('takes turns in both directions with the two-point method', async () => {
    const kinds: string[] = []
    for (let i = 0; i < 4; i++) {
      const { body } = await post('cron/suggestion', { state })
      kinds.push(String(body['reason']).slice(0, 17))
      expect(body).toMatchObject({ source: 'bluefin', mode: 'apply', kind: 'exploration' })
      await post('cron/feedback', { config: body['config'], performance: 50 + i, state })
      await learned('cron', i + 1)
    }
    // Each change is pushed, because the mode is apply; to services in the mode suggest nothing is.
    await until(() => told.length >= 3)
    expect(told[0]).toMatchObject({ type: 'suggestion.changed', data: { service: 'cron', config: expect.any(Object), suggestion: { mode: 'apply' } } })
    expect(new Set(told.map(({ data }) => data.service))).toEqual(new Set(['cron']))
    expect(kinds).toEqual(['Half 1 of round 1', 'Half 2 of round 1', 'Half 1 of round 2', 'Half 2 of round 2'])
  })

  it('has no suggestion any more in the description of a service whose tuning is turned off', async () => {
    await put('brief', { tuning: { proofShare: 0 } })
    await post('brief/feedback', { state, config: { batchSize: 8 }, performance: 60 })
    await until(async () => (await get('brief')).body['suggestion']?.source === 'results')
    expect((await put('brief', { tuning: { mode: 'off' } })).body).toMatchObject({ suggestion: null, policy: { tuning: { mode: 'off' } } })
  })

  it('stops trying as soon as a sample says that all is not well', async () => {
    const suggestion = async () => (await get('careful/suggestion')).body
    for (let i = 0; (await suggestion())['kind'] !== 'exploration'; i++) {
      await post('careful/feedback', { at: Date.now() - 600_000 + 1000 * i, state, config: (await suggestion())['config'], performance: 60 })
    }
    await prescale.ask('/v1/samples', { method: 'POST', body: { samples: [{ service: 'careful', at: Date.now(), signals: { ...state, errorRatio: 0.6 } }] } })
    await until(async () => (await suggestion())['kind'] !== 'exploration')
    expect((await suggestion())['reason']).toContain('Nothing is tried: 60 % of requests fail.')
  })

  it('lets one instance try beside the others where it is asked to', async () => {
    expect((await put('pair', { tuning: { canary: true, performanceRange: 100 } })).status).toBe(201)
    const tried: unknown[] = []
    for (let i = 0; i < 12; i++) {
      const { body: { config, canary } } = await post('pair/suggestion', { state })
      const at = Date.now() - 600_000 + 1000 * i
      const own = { at, state, config, performance: 60 }
      if (canary !== null) tried.push(canary.config)
      await post('pair/feedback', canary === null ? own : [own, { ...own, config: canary.config, performance: 61, canary: true }])
      await learned('pair', i + 1 + tried.length)
    }
    expect(tried.length).toBeGreaterThan(0)
    await learned('pair', 12 + tried.length)
    expect((await get('pair/suggestion')).body['kind']).toMatch(/^(defaults|incumbent)$/)
  })

  it('says how to turn it on where it is off', async () => {
    for (const answer of [await get('cart/suggestion'), await post('cart/suggestion', { state }), await get('cart/suggestion/proof'), await post('cart/feedback', { config: { batchSize: 8 }, performance: 1 })]) {
      expect(answer).toMatchObject({ status: 409, body: { detail: 'Tuning of cart is off: set tuning.mode of the service to suggest or apply.' } })
    }
  })

  it.each([
    ['an unknown parameter', { config: { colour: 3 }, performance: 1 }, 'config', 'the parameter colour is unknown'],
    ['a value of another kind', { config: { batchSize: 'large' }, performance: 1 }, 'config', 'batchSize is large, expected a whole number, 1 to 64'],
    ['a performance without a configuration', { performance: 1 }, 'config', 'config, what ran'],
    ['no performance where it has to be reported', { config: { batchSize: 8 } }, 'performance', 'tuning.objective is "reported"'],
    ['feedback of the day before yesterday', { config: { batchSize: 8 }, performance: 1, at: Date.now() - 172_800_000 }, 'at', ''],
    ['a performance that is no number', { config: { batchSize: 8 }, performance: 'NaN' }, 'performance', 'a number'],
    ['a performance beyond all numbers', { config: { batchSize: 8 }, performance: 1e300 }, 'performance', '1000000000000000']
  ])('refuses %s', async (_, feedback, path, expected) => {
    const { status, body } = await post('plain/feedback', feedback)
    expect(status).toBe(400)
    expect((body['errors'] as { path: string, expected: string }[]).find((one) => one.path === path)?.expected).toContain(expected)
  })

  it('takes the constraints for more than the network, which does not know them', async () => {
    await put('narrow', { tuning: { constraints: ['batchSize <= 4'] } })
    const told = { ...state, memoryUsageRatio: 0.4, threadCount: 20, queueLength: 3 }
    for (let i = 0; i < 8; i++) await post('narrow/feedback', { state: told, optimal: { batchSize: 4, threadPoolSize: 16 } })
    const { body } = await post('narrow/suggestion', { state: told })
    expect(body['config'].batchSize).toBeLessThanOrEqual(4)
    expect(await post('narrow/feedback', { state: told, optimal: { batchSize: 5 } })).toMatchObject({ status: 400 })
  })

  it('refuses a best configuration of parameters that the network does not know', async () => {
    expect(await post('shop/feedback', { optimal: { workers: 3 } })).toMatchObject({ status: 400, body: { errors: [{ path: 'optimal', expected: expect.stringContaining('five parameters of the preset') }] } })
  })
})
