import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Feedback, ServiceEvent } from '../src/domain.ts'
import { createWorker, type WorkerOptions } from '../src/worker.ts'
import type { LearnInput } from '../src/process-envelope.ts'
import { createDeadLetters } from '../src/store/dead-letters.ts'
import { createDecisionStore } from '../src/store/decision-store.ts'
import { createIncidentStore } from '../src/store/incident-store.ts'
import { createKeys, type Keys } from '../src/store/keys.ts'
import { openRedis } from '../src/store/open-redis.ts'
import { createOverrideStore } from '../src/store/override-store.ts'
import { createSampleQueue, openSamplesQueue } from '../src/store/sample-queue.ts'
import { createStateStore } from '../src/store/state-store.ts'
import { createTelemetry } from '../src/telemetry.ts'
import type { ServiceState } from '../src/pipeline.ts'
import type { RedisSource } from '../src/store/redis.ts'
import { constantModel, signals as allSignals } from './policy/tuning-fixture.ts'
import { haveRedis, needsRedis, randomPrefix, silent, startRedis, until, type TestRedis } from './support/redis.ts'
import { endProcess, noModels, resolved, sample, servicesIn, startWorkerProcess } from './support/worker.ts'

/** Everything that a process with all roles has, on keys of its own. */
function assemblyOn (source: RedisSource, keys: Keys, options: Partial<WorkerOptions> = {}) {
  const redis = source.connect('request')
  const telemetry = createTelemetry({ log: silent, processMetrics: false })
  const queue = createSampleQueue({ redis, keys })
  const stores = {
    decisions: createDecisionStore({ redis, keys }),
    letters: createDeadLetters({ redis, keys }),
    states: createStateStore<ServiceState, unknown>({ redis, keys })
  }
  const startWorker = () => createWorker({ source, keys, telemetry, models: () => noModels, resolve: () => resolved, ...options })
  const asOfs = async (service: string) => (await stores.decisions.history(service, { limit: 10_000 })).map(({ asOf }) => asOf).reverse()
  const count = async (result: string) => (await telemetry.samples.get()).values.find(({ labels }) => labels.result === result)?.value ?? 0
  return { source, keys, queue, telemetry, startWorker, asOfs, count, ...stores }
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)
const samplesOf = (service: string, ats: readonly number[]) => ({ kind: 'samples' as const, service, samples: ats.map((at) => sample(service, at)) })

describe.skipIf(!haveRedis)(needsRedis('the worker'), () => {
  let redis: TestRedis
  let source: RedisSource
  beforeAll(async () => {
    redis = await startRedis()
    source = await redis.open()
  })
  afterAll(() => redis.stop())
  const assembly = (options: Partial<WorkerOptions> & { partitions?: number } = {}) =>
    assemblyOn(source, createKeys({ prefix: randomPrefix(), partitions: options.partitions ?? 2 }), options)

  it('decides on every sample in its order, and hands the last decision out', async () => {
    const { queue, startWorker, asOfs, decisions } = assembly()
    const worker = startWorker()
    // 250 samples are three jobs.
    await queue.enqueue([samplesOf('shop', upTo(250))])
    await until(async () => (await decisions.latest('shop'))?.asOf === 250)
    expect(await asOfs('shop')).toEqual(upTo(250))
    // 100 requests per second at 50 per replica.
    expect(await decisions.latest('shop')).toMatchObject({ service: 'shop', replicas: 2, source: 'reactive' })
    expect(await decisions.services()).toMatchObject([{ service: 'shop', asOf: 250, decision: { asOf: 250, replicas: 2 } }])
    await worker.close()
  })

  it('does from the next sample on what operators say for a while, beside what the settings say', async () => {
    const minute = 60_000
    const [first, second] = [Date.now(), Date.now() + minute]
    const { queue, startWorker, decisions, keys } = assembly()
    const overrides = createOverrideStore({ redis: source.connect('request'), keys })
    const worker = startWorker()
    const decisionOn = async (at: number) => {
      await queue.enqueue([{ kind: 'samples', service: 'shop', samples: [sample('shop', at)] }])
      await until(async () => (await decisions.latest('shop'))?.asOf === at)
      return (await decisions.latest('shop'))!
    }
    expect(await decisionOn(first)).toMatchObject({ replicas: 2 })
    const common = { at: first, by: 'ann' }
    await overrides.add('shop', { id: 'a', kind: 'force', replicas: 7, reason: 'sale', until: second + minute, ...common })
    await overrides.add('shop', { id: 'b', kind: 'force', replicas: 3, reason: 'thrift', until: second + minute, ...common })
    expect(await decisionOn(second)).toMatchObject({
      replicas: 7,
      notices: ['OverridesContradict: Forced (thrift) asks for 3, Forced (sale) for 7; the most replicas count']
    })
    // Their time is over.
    expect(await decisionOn(second + 20 * minute)).toMatchObject({ replicas: 2 })
    await worker.close()
  })

  it('scales nothing in while a service that this one depends on is in trouble', async () => {
    const minute = 60_000
    const asked: string[] = []
    const upstreams = async (service: string) => {
      asked.push(service)
      return [{ service: 'login', trouble: 'incident' as const, since: 5 * minute, asOf: 30 * minute }]
    }
    const { queue, startWorker, decisions } = assembly({ upstreams })
    const worker = startWorker()
    // Twenty of 50 each, then two: after two minutes nothing else would hold them.
    const loads = [...Array<number>(10).fill(1000), ...Array<number>(20).fill(600)]
    const samples = loads.map((requestsPerSecond, i) => ({ service: 'shop', at: (i + 1) * minute, signals: { requestsPerSecond } }))
    await queue.enqueue([{ kind: 'samples', service: 'shop', samples }])
    await until(async () => (await decisions.latest('shop'))?.asOf === 30 * minute)
    expect(asked).toEqual(['shop'])
    const { replicas, adjustments } = (await decisions.latest('shop'))!
    expect(replicas).toBe(20)
    expect(adjustments.find(({ stage }) => stage === 'outage')?.reason).toMatch(/^OutageHold: login, on which it depends, has an incident/)
    await worker.close()
  })

  it('lets samples that are late, stale or sent twice change nothing', async () => {
    const { queue, startWorker, asOfs, count, decisions, states } = assembly()
    const worker = startWorker()
    await queue.enqueue([samplesOf('shop', [10, 20, 20, 15, 30])])
    await queue.enqueue([samplesOf('shop', [10, 20, 30]), samplesOf('shop', [29, 40])])
    await until(async () => (await decisions.latest('shop'))?.asOf === 40)
    expect(await asOfs('shop')).toEqual([10, 20, 30, 40])
    expect((await states.load('shop')).state?.lastAt).toBe(40)
    // 20 and 15, then 10, 20 and 30, then 29.
    await until(async () => await count('stale') === 6)
    expect(await count('decided')).toBe(4)
    await worker.close()
  })

  it('has the effect of a job once when the job is delivered twice', async () => {
    const { queue, startWorker, keys, source, states } = assembly({ partitions: 1 })
    await queue.enqueue([samplesOf('shop', upTo(5))])
    const first = startWorker()
    await until(async () => (await states.load('shop')).version === 1)
    await first.close()
    // The same job id, as after a worker that died between its commit and its word to BullMQ.
    const bull = openSamplesQueue(source.connect('work'), keys, 0)
    await source.connect('work').set(`${keys.queuePrefix(0)}:samples:id`, 0)
    await bull.add('samples', samplesOf('shop', [6, 7]), { timestamp: 1 })
    await queue.enqueue([samplesOf('shop', [8])])
    const second = startWorker()
    await until(async () => (await states.load('shop')).version === 2)
    expect((await states.load('shop')).state?.lastAt).toBe(8)
    await Promise.all([second.close(), bull.close()])
  })

  it('turns raw points into samples before it decides', async () => {
    const { queue, startWorker, decisions } = assembly()
    const worker = startWorker()
    const points = [1, 2, 3].map((minute) => ({ metric: 'requests_per_second', labels: [['instance', 'a']] as const, at: minute * 60_000 - 1, value: 500 }))
    await queue.enqueue([{ kind: 'points', service: 'shop', points: [...points, { ...points[0], at: 181_000, value: NaN, stale: true }] }])
    // The third step is closed by the point that comes after its end. 500 requests per second at 50 per replica.
    await until(async () => (await decisions.latest('shop'))?.asOf === 180_000)
    expect(await decisions.latest('shop')).toMatchObject({ load: 500 })
    await worker.close()
  })

  it('puts a sample aside that cannot be evaluated, goes on with the rest, and can try it again', async () => {
    let broken = true
    const { queue, startWorker, asOfs, decisions, letters, telemetry } = assembly({
      models: () => ({ ...noModels, forecast: null, get anomaly (): null { if (broken) throw new Error('the model is broken'); return null } })
    })
    const worker = startWorker()
    await queue.enqueue([samplesOf('shop', [1, 2])])
    await until(async () => await letters.count() === 2)
    broken = false
    await queue.enqueue([samplesOf('cart', [1]), samplesOf('shop', [3])])
    await until(async () => (await decisions.latest('shop'))?.asOf === 3)

    const [newest, oldest] = await letters.list({ limit: 10 })
    expect(newest).toMatchObject({ service: 'shop', kind: 'samples', reason: 'the model is broken', payload: samplesOf('shop', [2]) })
    expect(oldest).toMatchObject({ payload: samplesOf('shop', [1]) })
    expect(await telemetry.registry.getSingleMetricAsString('prescale_dead_letters_total')).toContain('{kind="samples"} 2')

    // Older than sample 3, so it is stale now; an unknown id is said to be missing.
    expect(await letters.replay([newest.id, '0-1-1'], queue)).toEqual({ replayed: [newest.id], missing: ['0-1-1'] })
    expect((await letters.list({ limit: 10 })).map(({ id }) => id)).toEqual([oldest.id])
    expect(await letters.remove([oldest.id])).toBe(1)
    expect(await asOfs('shop')).toEqual([3])
    await worker.close()
  })

  it('works a dead letter in when it is tried again before anything newer came', async () => {
    let broken = true
    const { queue, startWorker, asOfs, letters } = assembly({ resolve: () => { if (broken) throw new Error('no such preset'); return resolved } })
    const worker = startWorker()
    await queue.enqueue([samplesOf('shop', [1, 2])])
    await until(async () => await letters.count() === 1)
    broken = false
    const [{ id, reason }] = await letters.list({ limit: 1 })
    expect(reason).toBe('no such preset')
    await letters.replay([id], queue)
    await until(async () => (await asOfs('shop')).length === 2)
    expect(await letters.count()).toBe(0)
    await worker.close()
  })

  it('puts a job aside that nobody can read', async () => {
    const { startWorker, keys, source, letters, queue, decisions } = assembly({ partitions: 1 })
    const bull = openSamplesQueue(source.connect('work'), keys, 0)
    await bull.add('samples', { hello: 'world' })
    await queue.enqueue([samplesOf('shop', [1])])
    const worker = startWorker()
    await until(async () => await letters.count() === 1 && await decisions.latest('shop') !== null)
    expect(await letters.list({ limit: 1 })).toMatchObject([{ service: null, kind: 'unreadable', payload: { hello: 'world' } }])
    expect(await bull.getFailedCount()).toBe(0)
    await Promise.all([worker.close(), bull.close()])
  })

  it('puts a job aside that takes every worker down with it', async () => {
    const { startWorker, keys, source, letters, queue, decisions } = assembly({ partitions: 1 })
    await queue.enqueue([samplesOf('shop', [1])])
    await queue.enqueue([samplesOf('shop', [2])])
    // What BullMQ notes at a job whose workers died five times.
    await source.connect('work').hset(`${keys.queuePrefix(0)}:samples:1`, 'defa', 'job stalled more than allowable limit')
    const worker = startWorker()
    await until(async () => await letters.count() === 1 && (await decisions.latest('shop'))?.asOf === 2)
    expect(await letters.list({ limit: 1 })).toMatchObject([{ service: 'shop', kind: 'samples', reason: 'job stalled more than allowable limit', payload: samplesOf('shop', [1]) }])
    await worker.close()
  })

  it('learns from a feedback once, however often it is sent, and evaluates with what was learned', async () => {
    const taught: Feedback[][] = []
    const learn = async ({ feedback, state, network }: LearnInput) => {
      taught.push([...feedback])
      return { state, network: Uint8Array.from([...(network ?? []), feedback.length]) }
    }
    const { queue, startWorker, states } = assembly({ learn })
    const worker = startWorker()
    const feedback = (id: string): Feedback => ({ id, service: 'shop', at: 5, performance: 0.8 })
    await queue.enqueue([{ kind: 'feedback', service: 'shop', feedback: [feedback('a'), feedback('b'), feedback('a')] }])
    await queue.enqueue([{ kind: 'feedback', service: 'shop', feedback: [feedback('b'), feedback('c')] }])
    await until(async () => (await states.load('shop')).version === 2)
    expect(taught.map((batch) => batch.map(({ id }) => id))).toEqual([['a', 'b'], ['c']])
    expect((await states.load('shop')).network).toEqual(Uint8Array.of(2, 1))
    await worker.close()
  })

  it('puts a feedback that nothing can be learned from aside, with the reason', async () => {
    const learn = async ({ state, network }: LearnInput) => ({ state, network, ignored: [{ id: 'b', reason: 'there is neither a result nor an optimum' }] })
    const { queue, startWorker, letters } = assembly({ learn })
    const worker = startWorker()
    const feedback = (id: string): Feedback => ({ id, service: 'shop', at: 5 })
    await queue.enqueue([{ kind: 'feedback', service: 'shop', feedback: [feedback('a'), feedback('b')] }])
    await until(async () => await letters.count() === 1)
    expect(await letters.list({ limit: 1 })).toMatchObject([{
      service: 'shop', kind: 'feedback', reason: 'feedback b: there is neither a result nor an optimum', payload: { feedback: [{ id: 'b' }] }
    }])
    await worker.close()
  })

  it('takes an answer to a suggestion in between the samples, and says at once what is suggested then', async () => {
    const { queue, startWorker, decisions, states } = assembly({ models: () => ({ ...noModels, config: constantModel([0.5, 0.5, 0.5, 0.5, 0.5]) }) })
    const worker = startWorker()
    await queue.enqueue([{ kind: 'samples', service: 'shop', samples: [sample('shop', 1, allSignals)] }])
    await until(async () => (await decisions.suggestion('shop')) !== null)
    const { config, changed } = (await decisions.suggestion('shop'))!
    expect(changed.length).toBeGreaterThan(0)
    await queue.enqueue([{ kind: 'answers', service: 'shop', answers: [{ answer: 'accepted', config, at: 2, by: 'ann' }] }])
    await until(async () => (await decisions.suggestion('shop'))?.accepted !== undefined)
    expect(await decisions.suggestion('shop')).toMatchObject({ config, changed: [], accepted: { by: 'ann' } })
    expect((await states.load('shop')).state?.tuning?.running).toEqual(config)
    await worker.close()
  })

  it('tells each change of an incident once, in the same commit as the sample that made it, also when a job comes twice', async () => {
    const { queue, startWorker, keys, source, states } = assembly({ partitions: 1 })
    const incidents = createIncidentStore({ redis: source.connect('request'), keys })
    const minute = 60_000
    // 160 calm minutes, three bad ones, then calm again; 5 minutes later it is over.
    const load = (i: number) => i >= 160 && i < 163 ? 10_000 : 100 + i % 5
    const lived = (from: number, to: number) => ({ kind: 'samples' as const, service: 'shop', samples: Array.from({ length: to - from }, (_, i) => sample('shop', (from + i + 1) * minute, { requestsPerSecond: load(from + i) })) })
    await queue.enqueue([lived(0, 162), lived(100, 162), lived(162, 175)])
    const worker = startWorker()
    await until(async () => (await states.load('shop')).state?.lastAt === 175 * minute)
    const events = await source.connect('work').xrange(keys.events(0), '-', '+')
    const told = events.map(([, fields]) => JSON.parse(fields[3]) as ServiceEvent).flatMap((event) => event.kind === 'incident' ? [[event.change, event.incident.id]] : [])
    expect(told).toEqual([['opened', 'shop.9660000'], ['closed', 'shop.9660000']])
    expect(await incidents.list({ limit: 10 })).toMatchObject([{ id: 'shop.9660000', state: 'closed', startedAt: 161 * minute, causes: [{ signal: 'requestsPerSecond', direction: 'up', value: 10_000 }] }])
    await worker.close()
  })

  it('remembers what somebody said about an incident between two samples: the same is normal from then on, and a larger one is not', async () => {
    const { queue, startWorker, keys, source, states } = assembly({ partitions: 1 })
    const incidents = createIncidentStore({ redis: source.connect('request'), keys })
    const worker = startWorker()
    const lived = (from: number, peak: number) => {
      const load = (i: number) => i === 300 ? peak : 100 + i % 5
      const samples = Array.from({ length: 400 }, (_, i) => sample('shop', (from + i + 1) * 60_000, { requestsPerSecond: load(i) }))
      return { kind: 'samples' as const, service: 'shop', samples }
    }
    const remark = (incident: string, verdict: 'normal' | null) => ({ kind: 'remarks' as const, service: 'shop', remarks: [{ incident, verdict, at: 1, by: 'ann' }] })
    const [first, larger, again] = [301, 801 + 300, 1201 + 300].map((i) => `shop.${i * 60_000}`)
    // The same peak at minutes 301 and 701, a larger one at 1101; said to be normal after the first, and taken back before the last one.
    await queue.enqueue([
      lived(0, 1000), remark(first, 'normal'), remark('shop.1', 'normal'), lived(400, 1000), lived(800, 10_000), remark(first, null), lived(1200, 1000)
    ])
    await until(async () => (await states.load('shop')).state?.lastAt === 1600 * 60_000)
    expect((await incidents.list({ limit: 10 })).map(({ id }) => id)).toEqual([again, larger, first])
    expect(await incidents.find(first)).toMatchObject({ feedback: null, revision: 4, state: 'closed' })
    await worker.close()
  })

  it('asks for the models with every sample, so that a swap needs no restart', async () => {
    let asked = 0
    const { queue, startWorker, decisions } = assembly({ models: () => { asked++; return noModels } })
    const worker = startWorker()
    await queue.enqueue([samplesOf('shop', upTo(20))])
    await until(async () => (await decisions.latest('shop'))?.asOf === 20)
    expect(asked).toBe(20)
    await worker.close()
  })

  it('gives each service what was set for it', async () => {
    const seen: unknown[] = []
    const { queue, startWorker, keys, decisions } = assembly({ resolve: (service, settings) => { seen.push([service, settings]); return resolved } })
    await source.connect('work').hset(keys.settings(keys.partitionOf('shop')), 'shop', JSON.stringify({ minReplicas: 4 }))
    const worker = startWorker()
    await queue.enqueue([samplesOf('shop', [1])])
    await until(async () => await decisions.latest('shop') !== null)
    expect(seen).toEqual([['shop', { minReplicas: 4 }]])
    await worker.close()
  })

  it('leaves the queue as it was for the next worker when it is closed', async () => {
    const { queue, startWorker, asOfs, keys } = assembly()
    const services = servicesIn(keys, 2)
    for (let at = 1; at <= 30; at++) await queue.enqueue(services.map((service) => samplesOf(service, [at])))
    const first = startWorker()
    await until(async () => (await asOfs(services[0])).length >= 3)
    await first.close()
    const second = startWorker()
    await until(async () => (await Promise.all(services.map(asOfs))).every(({ length }) => length === 30))
    for (const service of services) expect(await asOfs(service)).toEqual(upTo(30))
    await second.close()
  })

  it('keeps the order of each service while two worker processes share the work', async () => {
    const { queue, asOfs, keys, states } = assembly({ partitions: 4 })
    const prefix = keys.queuePrefix(0).slice(1, -3)
    const workers = await Promise.all([1, 2].map(() => startWorkerProcess({ url: redis.url, prefix, partitions: 4, jobMs: 2 })))
    const services = servicesIn(keys, 2)
    for (let at = 1; at <= 40; at++) await queue.enqueue(services.map((service) => samplesOf(service, [at])))
    await until(async () => (await Promise.all(services.map(asOfs))).every(({ length }) => length === 40))
    for (const service of services) {
      expect(await asOfs(service)).toEqual(upTo(40))
      expect((await states.load(service)).version).toBe(40)
    }
    await Promise.all(workers.map((worker) => endProcess(worker, 'SIGTERM')))
  })

  it('loses no acknowledged sample and no decision when a worker is killed in the middle of a stream', async () => {
    const { queue, asOfs, keys, states } = assembly({ partitions: 2 })
    const prefix = keys.queuePrefix(0).slice(1, -3)
    const services = servicesIn(keys, 2)
    const processed = async () => (await Promise.all(services.map(asOfs))).reduce((sum, { length }) => sum + length, 0)

    const victim = await startWorkerProcess({ url: redis.url, prefix, partitions: 2, jobMs: 15 })
    const killed = until(async () => await processed() >= 60).then(() => endProcess(victim, 'SIGKILL'))
    // 4 services × 30 jobs of 3 samples.
    for (let job = 0; job < 30; job++) await queue.enqueue(services.map((service) => samplesOf(service, [1, 2, 3].map((i) => 3 * job + i))))
    await killed
    expect(await processed()).toBeLessThan(360)

    const heir = await startWorkerProcess({ url: redis.url, prefix, partitions: 2, jobMs: 0 })
    await until(async () => await processed() >= 360)
    for (const service of services) {
      expect(await asOfs(service)).toEqual(upTo(90))
      // One commit for each of the 30 jobs: the one that the victim had in hand was not done twice.
      expect(await states.load(service)).toMatchObject({ version: 30, state: { lastAt: 90 } })
    }
    await endProcess(heir, 'SIGTERM')
  })
})

describe.skipIf(!haveRedis)(needsRedis('when Redis goes away'), () => {
  let redis: TestRedis
  beforeAll(async () => { redis = await startRedis() })
  afterAll(() => redis.stop())

  it('takes nothing meanwhile, loses nothing that it took, and goes on by itself', async () => {
    const { queue, startWorker, asOfs, decisions } = assemblyOn(await redis.open(), createKeys({ prefix: randomPrefix(), partitions: 2 }))
    const worker = startWorker()
    const acknowledged: number[] = []
    const refused: string[] = []
    const send = async (at: number) => {
      for (;;) {
        try {
          await queue.enqueue([samplesOf('shop', [at])])
          acknowledged.push(at)
          return
        } catch (error) {
          refused.push((error as { code: string }).code)
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
    }
    for (let at = 1; at <= 30; at++) await send(at)
    await redis.kill()
    const sending = send(31)
    await until(() => refused.length >= 3)
    await expect(decisions.latest('shop')).rejects.toMatchObject({ code: 'store-unavailable', status: 503 })
    await redis.start()
    await sending
    for (let at = 32; at <= 60; at++) await send(at)
    await until(async () => (await asOfs('shop').catch(() => [])).length === 60)
    expect(await asOfs('shop')).toEqual(acknowledged)
    expect(new Set(refused)).toEqual(new Set(['store-unavailable']))
    await worker.close()
  })

  it('waits for a Redis that is not there when it starts', async () => {
    await redis.kill()
    const source = await redis.open()
    expect(await source.ping()).toBe(false)
    const { queue, startWorker, asOfs } = assemblyOn(source, createKeys({ prefix: randomPrefix(), partitions: 2 }))
    const worker = startWorker()
    await expect(queue.enqueue([samplesOf('shop', [1])])).rejects.toMatchObject({ code: 'store-unavailable' })
    await redis.start()
    await until(() => source.ping())
    await until(() => queue.enqueue([samplesOf('shop', [1])]).then(() => true, () => false))
    await until(async () => (await asOfs('shop')).length === 1)
    await worker.close()
  })

  it('does not keep a request waiting for a Redis that hangs', async () => {
    const { queue, startWorker, asOfs, decisions } = assemblyOn(await redis.open(), createKeys({ prefix: randomPrefix(), partitions: 2 }))
    const worker = startWorker()
    await until(() => queue.enqueue([samplesOf('shop', [1])]).then(() => true, () => false))
    await until(async () => (await asOfs('shop')).length === 1)
    redis.signal('SIGSTOP')
    await expect(decisions.latest('shop')).rejects.toMatchObject({ code: 'store-unavailable' })
    await expect(queue.enqueue([samplesOf('shop', [2])])).rejects.toMatchObject({ code: 'store-unavailable' })
    redis.signal('SIGCONT')
    await until(() => queue.enqueue([samplesOf('shop', [2])]).then(() => true, () => false))
    await until(async () => (await asOfs('shop')).length === 2)
    await worker.close()
  })

  it('closes while Redis is away', async () => {
    const { startWorker, queue, asOfs } = assemblyOn(await redis.open(), createKeys({ prefix: randomPrefix(), partitions: 2 }))
    const worker = startWorker()
    await until(() => queue.enqueue([samplesOf('shop', [1])]).then(() => true, () => false))
    await until(async () => (await asOfs('shop')).length === 1)
    await redis.kill()
    await worker.close()
    await queue.close()
    await redis.start()
  })
})

const otherServers = [
  {
    name: 'a Redis Cluster',
    have: haveRedis,
    open: async () => {
      const server = await startRedis({ cluster: true })
      return { source: await server.open(), stop: server.stop }
    }
  },
  {
    name: 'the server in JavaScript',
    have: true,
    open: async () => {
      const source = await openRedis({ dataDirectory: '/nowhere', log: silent, programs: [] })
      return { source, stop: source.close }
    }
  }
]

describe.each(otherServers)('the worker on $name', ({ name, have, open }) => {
  it.skipIf(!have)(needsRedis(`does the same on ${name}`), async () => {
    const { source, stop } = await open()
    const { queue, startWorker, asOfs, keys } = assemblyOn(source, createKeys({ prefix: randomPrefix(), partitions: 2 }))
    const worker = startWorker()
    const services = servicesIn(keys, 1)
    const batches = [[1, 2, 3], [4, 5], [6]].map((ats) => services.map((service) => samplesOf(service, ats)))
    for (const batch of batches) await until(() => queue.enqueue(batch).then(() => true, () => false))
    await until(async () => (await Promise.all(services.map(asOfs))).every(({ length }) => length === 6))
    for (const service of services) expect(await asOfs(service)).toEqual(upTo(6))
    await worker.close()
    await queue.close()
    await stop()
  })
})
