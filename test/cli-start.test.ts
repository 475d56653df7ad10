import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startPrescale, startProgram, temporaryFolder } from './support/program.ts'
import { haveRedis, needsRedis, startRedis, until, type TestRedis } from './support/redis.ts'

const folders: ReturnType<typeof temporaryFolder>[] = []
const newFolder = () => {
  const folder = temporaryFolder('start')
  folders.push(folder)
  return folder.path
}
const running: { stop: () => Promise<unknown> }[] = []
const start = async (...parameters: Parameters<typeof startPrescale>) => {
  const prescale = await startPrescale(...parameters)
  running.push(prescale)
  return prescale
}
afterEach(async () => { await Promise.all(running.splice(0).map(({ stop }) => stop())) })
afterAll(() => { for (const { remove } of folders) remove() })

const shopYaml = 'services: { shop: { mode: act, target: { requestsPerSecond: 100 }, minReplicas: 1, maxReplicas: 40 } }\n'
const minutes = (count: number, load: number) => {
  const last = Math.floor(Date.now() / 60_000) * 60_000
  return Array.from({ length: count }, (_, i) => ({ service: 'shop', at: last - (count - 1 - i) * 60_000, signals: { requestsPerSecond: load, readyReplicas: 4 } }))
}

describe.skipIf(!haveRedis)(needsRedis('prescale start'), () => {
  it('decides on samples that were sent, ends on Ctrl-C with its Redis, and goes on from the kept state', { timeout: 60_000 }, async () => {
    const cwd = newFolder()
    writeFileSync(join(cwd, 'prescale.yaml'), shopYaml)
    const first = await start(['--no-demo'], { cwd })
    const samples = minutes(10, 370)
    expect(await first.ask('/v1/samples', { method: 'POST', body: samples })).toMatchObject({ status: 202, body: { accepted: 10, rejected: 0 } })
    await until(async () => (await first.ask('/v1/services/shop/decision')).status === 200)
    const { body: decision } = await first.ask('/v1/services/shop/decision')
    expect(decision).toMatchObject({ service: 'shop', asOf: samples[9].at, load: 370, capacity: 100, currentReplicas: 4, missingSignals: [] })
    expect(decision['reason']).toMatch(/replicas/)
    expect((await first.ask('/v1/services/shop/keda')).body).toMatchObject({ value: decision['replicas'], target: 1, active: true })

    // Closing takes at most five seconds, or the program gives up with 1.
    expect(await first.stop()).toMatchObject({ code: 0 })
    await expect(fetch(first.address)).rejects.toThrow()

    const second = await start(['--no-demo'], { cwd })
    expect((await second.ask('/v1/services/shop/decisions?limit=1')).body['decisions']).toEqual([decision])
    // What the state knows already changes nothing: the newest decision stays the same, and then a newer sample makes a new one.
    await second.ask('/v1/samples', { method: 'POST', body: [samples[9], { ...samples[9], at: samples[9].at + 1000 }] })
    await until(async () => (await second.ask('/v1/services/shop/decision')).body['asOf'] > samples[9].at)
    expect((await second.ask('/v1/services/shop/decisions?limit=2')).body['decisions'].map(({ asOf }: { asOf: number }) => asOf)).toEqual([samples[9].at + 1000, samples[9].at])
  })

  it('leaves no Redis behind when it is ended while it starts', { timeout: 60_000 }, async () => {
    const program = startProgram(['start', '--port', '0', '--no-demo'], { cwd: newFolder(), environment: { PRESCALE_LOG_LEVEL: 'info' } })
    const [, redis] = await program.printed(/"redisPid":(\d+)/)
    program.child.kill('SIGINT')
    expect(await program.ended).toMatchObject({ code: 0 })
    await until(() => !existsSync(`/proc/${redis}`))
  })

  it('without any configuration watches its own metrics and plays a demonstration, marked as one, with a forecast and its reasons', { timeout: 90_000 }, async () => {
    const { ask } = await start([], { cwd: newFolder() })
    await until(async () => (await ask('/v1/services/demo-shop/decision')).body['source'] === 'forecast')
    const { body: decision } = await ask('/v1/services/demo-shop/decision')
    expect(decision).toMatchObject({ demo: true, forecast: { horizonSeconds: 3 } })
    expect(decision.reason).toMatch(/replicas? can carry [\d.]+, and the load of the next 3 s stays below that with probability/)
    expect(decision['rawRecommendations'].map(({ source }: { source: string }) => source)).toContain('reactive')
    expect(decision['topFeatures'].length).toBeGreaterThan(0)
    for (const path of ['keda', 'verdict', 'forecast', 'suggestion', '']) {
      expect({ path, demo: (await ask(`/v1/services/demo-shop${path && '/'}${path}`)).body['demo'] }).toEqual({ path, demo: true })
    }

    await until(async () => (await ask('/v1/services/prescale/decision')).status === 200)
    const { body: own } = await ask('/v1/services/prescale/decision')
    expect(own).toMatchObject({ service: 'prescale', replicas: 1, missingSignals: [] })
    expect(own).not.toHaveProperty('demo')
  })

  it('reads its file again on SIGHUP and on request, and refuses a bad one', { timeout: 60_000 }, async () => {
    const cwd = newFolder()
    const file = join(cwd, 'prescale.yaml')
    writeFileSync(file, shopYaml)
    const { ask, child, output } = await start([], { cwd })
    const maxReplicas = async () => (await ask('/v1/services/shop')).body['policy'].maxReplicas
    expect(await maxReplicas()).toBe(40)

    writeFileSync(file, shopYaml.replace('40', '50'))
    child.kill('SIGHUP')
    await until(async () => await maxReplicas() === 50)

    writeFileSync(file, shopYaml.replace('40', 'many'))
    expect(await ask('/v1/config/reload', { method: 'POST' })).toMatchObject({ status: 400, body: { errors: [{ path: 'services.shop.maxReplicas', value: 'many' }] } })
    child.kill('SIGHUP')
    await until(() => output().includes('the configuration was not changed'))
    expect(await maxReplicas()).toBe(50)
  })

  it('learns from a service by itself, and knows of it after it was killed', { timeout: 180_000 }, async () => {
    const cwd = newFolder()
    const first = await start([], { cwd })
    const learning = async ({ ask }: typeof first) => (await ask('/v1/services/demo-shop')).body['learning'] as { outcome: string, triedAt: number } | null
    await until(async () => (await learning(first))?.outcome.includes('that neither had seen') ?? false)
    expect((await first.ask('/metrics')).text).toMatch(/^prescale_trainings_total\{result="(learned|not-better)"\} 1$/m)
    const before = await learning(first)
    await first.stop('SIGKILL')

    const second = await start([], { cwd })
    expect(await learning(second)).toEqual(before)
  })

  it('takes newer models into use when it reads its file again, and tells the stream', { timeout: 60_000 }, async () => {
    const cwd = newFolder()
    writeFileSync(join(cwd, 'prescale.yaml'), `modelsDirectory: models\n${shopYaml}`)
    const shipped = join(import.meta.dirname, '../models/forecast/1')
    const install = (version: string) => {
      const folder = join(cwd, 'models/forecast', version)
      cpSync(shipped, folder, { recursive: true })
      const manifest = join(folder, 'manifest.json')
      writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')) as object, version }))
    }
    install('1')
    const { ask, address } = await start([], { cwd })
    expect((await ask('/v1/models')).body['active']).toEqual({ forecast: 'forecast 1', anomaly: null, config: null })
    const stream = (await fetch(`${address}/v1/stream?kind=model`)).body!.pipeThrough(new TextDecoderStream()).getReader()
    let told = ''
    const read = async () => {
      for (let part = await stream.read(); !part.done; part = await stream.read()) told += part.value
    }
    read().catch(() => {})
    await until(() => told.includes('event: hello'))
    install('2')
    expect((await ask('/v1/config/reload', { method: 'POST' })).status).toBe(200)
    expect((await ask('/v1/models')).body['active']).toMatchObject({ forecast: 'forecast 2' })
    await until(() => told.includes('event: model'))
    expect(told).toContain('{"kind":"model","model":{"name":"forecast","before":"forecast 1","version":"forecast 2"}}')

    // A version that is broken is left alone.
    install('3')
    writeFileSync(join(cwd, 'models/forecast/3', 'manifest.json'), '{}')
    await ask('/v1/config/reload', { method: 'POST' })
    expect((await ask('/v1/models')).body['active']).toMatchObject({ forecast: 'forecast 2' })
    await stream.cancel()
  })

  it('refuses to be reachable by others without being told so', async () => {
    const cwd = newFolder()
    const { code, stderr } = await startProgram(['start', '--host', '0.0.0.0', '--port', '0'], { cwd }).ended
    expect(code).toBe(1)
    expect(stderr).toContain('listen.host is "0.0.0.0", expected a loopback address')
    expect(existsSync(join(cwd, 'var'))).toBe(false)
  })

  it('says in one line when its port is taken', { timeout: 60_000 }, async () => {
    const { address } = await start(['--no-demo'], { cwd: newFolder() })
    const { code, stderr } = await startProgram(['start', '--no-demo', '--port', new URL(address).port], { cwd: newFolder() }).ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^prescale: Port \d+ of 127\.0\.0\.1 cannot be listened on: it is in use; --port chooses another one\.\n$/)
  })
})

describe.skipIf(!haveRedis)(needsRedis('prescale start on a given Redis'), () => {
  let redis: TestRedis
  beforeAll(async () => { redis = await startRedis() })
  afterAll(() => redis?.stop())

  it('answers 503 while its Redis is not there yet, and works once it is', { timeout: 60_000 }, async () => {
    await redis.kill()
    const cwd = newFolder()
    writeFileSync(join(cwd, 'prescale.yaml'), shopYaml.replaceAll('shop', 'early'))
    const { ask } = await start([], { cwd, environment: { REDIS_URL: redis.url } })
    expect((await ask('/v1/services')).status).toBe(503)
    await redis.start()
    const [sample] = minutes(1, 100)
    await until(async () => (await ask('/v1/samples', { method: 'POST', body: { ...sample, service: 'early' } })).status === 202)
    await until(async () => (await ask('/v1/services/early/decision')).status === 200)
  })

  it('does the work of the API and of the worker in two processes, and outlives its Redis', { timeout: 90_000 }, async () => {
    const cwd = newFolder()
    writeFileSync(join(cwd, 'prescale.yaml'), shopYaml)
    const environment = { REDIS_URL: redis.url }
    const api = await start(['--role', 'api'], { cwd, environment })
    const worker = startProgram(['start', '--role', 'worker'], { cwd, environment })
    running.push({ stop: async () => { worker.child.kill('SIGTERM'); await worker.ended } })
    const samples = minutes(3, 200)
    // A process that is behind with its work says 503: then it is asked again.
    await until(async () => (await api.ask('/v1/samples', { method: 'POST', body: samples.slice(0, 1) })).status === 202)
    await until(async () => (await api.ask('/v1/services/shop/decision')).status === 200)

    await redis.kill()
    // An answer read a moment before may be given once more; after that there is none.
    await until(async () => (await api.ask('/v1/services/shop/decision')).body['type'] === 'urn:prescale:problem:store-unavailable')
    expect((await api.ask('/v1/services/shop/decision')).status).toBe(503)
    expect((await api.ask('/v1/samples', { method: 'POST', body: samples.slice(1, 2) })).status).toBe(503)
    await until(async () => String((await api.ask('/readyz')).body['detail']).includes('Redis'))
    expect((await api.ask('/healthz')).status).toBe(200)

    await redis.start()
    await until(async () => (await api.ask('/v1/samples', { method: 'POST', body: samples.slice(1) })).status === 202)
    await until(async () => (await api.ask('/v1/services/shop/decision')).body['asOf'] === samples[2].at)
    let history: { asOf: number }[] | undefined
    await until(async () => (history = (await api.ask('/v1/services/shop/decisions')).body['decisions']) !== undefined)
    expect(history!.map(({ asOf }) => asOf)).toEqual(samples.map(({ at }) => at).reverse())
  })
})
