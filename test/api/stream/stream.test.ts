import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createEventStream } from '../../../src/store/event-stream.ts'
import { createKeys } from '../../../src/store/keys.ts'
import type { RedisSource } from '../../../src/store/redis.ts'
import { createEventWriter } from '../../support/events.ts'
import { haveRedis, needsRedis, randomPrefix, silent, sleep, startRedis, until, type TestRedis } from '../../support/redis.ts'
import { openEventSource, openSocket, type Heard } from '../../support/stream-clients.ts'
import { servicesIn } from '../../support/worker.ts'
import { call, createTestApp, expectProblem, now } from '../support.ts'

const partitions = 4
const numbers = (heard: readonly Heard[]) => heard.filter(({ event }) => event === 'decision').map(({ data }) => data['decision'].replicas as number)
/** The order between partitions is that of no one. */
const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b)

describe.skipIf(!haveRedis)(needsRedis('the live stream'), () => {
  let server: TestRedis
  let source: RedisSource
  let test: Awaited<ReturnType<typeof openTest>>
  const clients: { close: () => void }[] = []
  beforeAll(async () => {
    server = await startRedis()
    source = await server.open()
  })
  afterAll(() => server.stop())
  beforeEach(async () => { test = await openTest() })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    await test.close()
  })

  async function openTest ({ eventsLimit = 1_000 } = {}) {
    const keys = createKeys({ prefix: randomPrefix(), partitions })
    const redis = source.connect('work')
    const openApi = async () => {
      const events = createEventStream({ source, redis, keys, log: silent })
      const { app, close, telemetry } = await createTestApp('', { events, partitionOf: keys.partitionOf, now: Date.now })
      await app.listen({ host: '127.0.0.1', port: 0 })
      const stop = async () => {
        await close()
        events.close()
      }
      return { app, telemetry, close: stop, address: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}` }
    }
    const api = await openApi()
    return { ...api, openApi, keys, redis, services: servicesIn(keys, 1), ...createEventWriter({ redis, keys, eventsLimit }) }
  }
  const listen = async (query = '', lastEventId?: string, address = test.address) => {
    const client = await openEventSource(`${address}/v1/stream${query}`, { lastEventId })
    clients.push(client)
    await until(() => client.of('hello').length === 1)
    return client
  }
  const connect = async (query = '') => {
    const client = await openSocket(`${test.address}/v1/ws${query}`)
    clients.push(client)
    await until(() => client.of('hello').length === 1)
    return client
  }

  describe('GET /v1/stream', () => {
    it('sends events as they are written, in the form of Server-Sent Events', async () => {
      const client = await listen()
      expect({ status: client.status, type: client.type }).toEqual({ status: 200, type: 'text/event-stream; charset=utf-8' })
      for (const service of test.services) await test.decide(service)
      await until(() => client.of('decision').length === 4)
      expect(client.of('decision').map(({ data }) => data['decision'].service)).toEqual(test.services)
      expect(client.of('decision')[0].data).toMatchObject({ kind: 'decision', decision: { replicas: 1, source: 'forecast' } })
    })

    it('leaves out services and kinds that were not asked for', async () => {
      const [shop, other] = test.services
      const [one, verdicts] = [await listen(`?service=${shop}`), await listen('?kind=verdict,incident')]
      await test.decide(other)
      await test.write(other, {
        kind: 'verdict',
        verdict: {
          service: other,
          asOf: now,
          score: 0.2,
          threshold: 0.7,
          isAnomaly: false,
          severity: 'none',
          causes: [],
          maintenance: { action: 'no_action_needed', probability: 0, reason: '' },
          missingSignals: [],
          modelVersion: 'none'
        }
      })
      await test.decide(shop)
      await until(() => numbers(one.heard).length === 1 && verdicts.of('verdict').length === 1)
      expect(numbers(one.heard)).toEqual([2])
      expect(verdicts.heard.map(({ event }) => event)).toEqual(['hello', 'verdict'])
    })

    it('goes on after Last-Event-ID, without loss and without sending anything twice, also at another process', async () => {
      const first = await listen()
      for (const service of test.services) await test.decide(service)
      await until(() => numbers(first.heard).length === 4)
      const stopped = first.of('decision')[1]
      first.close()
      for (const service of test.services) await test.decide(service)

      const second = await listen('', stopped.id)
      await until(() => numbers(second.heard).length === 6)
      await test.decide(test.services[0])
      await until(() => numbers(second.heard).length === 7)
      const before = numbers(first.heard).slice(0, 2)
      expect(sorted([...before, ...numbers(second.heard)])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])

      const elsewhere = await test.openApi()
      const third = await listen('', second.of('decision')[3].id, elsewhere.address)
      await test.decide(test.services[1])
      await until(() => numbers(third.heard).length === 4)
      expect(sorted(numbers(third.heard))).toEqual(sorted([...numbers(second.heard).slice(4, 7), 10]))
      expect([...second.of('missed'), ...third.of('missed')]).toEqual([])
      await elsewhere.close()
    })

    it('loses and repeats nothing for clients that come and go while events flow', async () => {
      const writing = new AbortController()
      const writer = (async () => { for (let i = 0; !writing.signal.aborted; i++) await test.decide(test.services[i % 4]) })()
      const heard: Heard[] = []
      let client = await listen()
      for (let round = 0; round < 12; round++) {
        await sleep(20)
        client.close()
        heard.push(...client.heard)
        client = await listen('', heard.at(-1)!.id)
      }
      writing.abort()
      await writer
      const last = await test.decide(test.services[0])
      await until(() => numbers(client.heard).includes(last))
      heard.push(...client.heard)
      const all = numbers(heard)
      expect(all.length).toBeGreaterThan(50)
      // Every number from the first heard one to the last, once.
      expect(sorted(all)).toEqual(Array.from({ length: last - Math.min(...all) + 1 }, (_, i) => Math.min(...all) + i))
    })

    it('tells who comes back too late that something is gone, and goes on with what there is', async () => {
      await test.close()
      test = await openTest({ eventsLimit: 5 })
      const [service] = test.services
      const first = await listen()
      await test.decide(service)
      await until(() => numbers(first.heard).length === 1)
      first.close()
      for (let i = 0; i < 12; i++) await test.decide(service)
      const second = await listen('', first.id())
      await until(() => second.of('missed').length === 1)
      expect(second.of('missed')[0].data).toEqual({ late: 0, lost: null })
      expect(numbers(second.heard)).toEqual([9, 10, 11, 12, 13])
    })

    it.each(['rubbish', '999_1_1', 'zzzzzzzzz_0_0_0_0'])('begins now and says so for the id %s that it never gave', async (id) => {
      await test.decide(test.services[0])
      const client = await listen('', id)
      await test.decide(test.services[0])
      await until(() => numbers(client.heard).length === 1)
      expect(client.heard.map(({ event }) => event)).toEqual(['hello', 'missed', 'decision'])
      expect(numbers(client.heard)).toEqual([2])
    })

    it('lets a slow client fall behind without slowing the others, catches it up, and says how many events came late', async () => {
      const [service] = test.services
      const [slow, quick] = [await listen(), await listen()]
      slow.pause()
      // 200 × 100 kB: more than the buffers of both ends of a connection and ours hold together.
      for (let i = 0; i < 200; i++) await test.decide(service, { paddingBytes: 100_000 })
      await until(() => numbers(quick.heard).length === 200)
      expect(numbers(slow.heard).length).toBeLessThan(200)
      slow.resume()
      await until(() => slow.of('missed').length === 1)
      expect(numbers(slow.heard)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
      const { late, lost } = slow.of('missed')[0].data
      expect(lost).toBe(0)
      expect(late).toBeGreaterThan(0)
      expect(late).toBeLessThan(200)
      await test.decide(service)
      await until(() => numbers(slow.heard).length === 201)
    })

    it('counts what a slow client lost for good because Redis dropped it meanwhile', async () => {
      await test.close()
      test = await openTest({ eventsLimit: 20 })
      const [service] = test.services
      const slow = await listen()
      slow.pause()
      for (let i = 0; i < 200; i++) await test.decide(service, { paddingBytes: 100_000 })
      slow.resume()
      await until(() => slow.of('missed').length === 1)
      const { lost } = slow.of('missed')[0].data
      expect(lost).toBeGreaterThan(0)
      expect(numbers(slow.heard).length + lost).toBe(200)
      expect(numbers(slow.heard).at(-1)).toBe(200)
    })

    it('is a problem when Redis is away', async () => {
      const away = await createTestApp()
      away.fakes.down = true
      expectProblem(await call(away.app, 'GET', '/v1/stream'), { status: 503, code: 'store-unavailable' })
      expectProblem(await call(away.app, 'GET', '/v1/stream?colour=blue'), { status: 400, code: 'invalid-request' })
      await away.close()
    })

    it('ends for its clients when the service is closed, and counts those it has', async () => {
      const [client, socket] = [await listen(), await connect()]
      expect(await test.telemetry.registry.getSingleMetricAsString('prescale_stream_clients')).toMatch(/transport="sse"\} 1\n.*transport="websocket"\} 1/)
      await test.close()
      await until(() => client.ended() && socket.code() !== null)
      expect(socket.code()).toBe(1001)
      test = await openTest()
    })
  })

  describe('/v1/ws', () => {
    it('sends the same events as texts of JSON, and goes on after lastEventId', async () => {
      const first = await connect(`?kind=decision&service=${test.services.join(',')}`)
      for (const service of test.services) await test.decide(service)
      await until(() => first.of('decision').length === 4)
      expect(first.of('decision')[2]).toMatchObject({ id: expect.stringMatching(/^[0-9a-z._-]+$/), kind: 'decision', decision: { service: test.services[2], replicas: 3 } })
      const second = await connect(`?lastEventId=${first.of('decision')[2]['id']}`)
      await until(() => second.of('decision').length === 1)
      expect(second.of('decision')[0]['decision']).toMatchObject({ replicas: 4 })
    })

    it('is refused to pages of somebody else, whom browsers do not stop', async () => {
      await expect(openSocket(`${test.address}/v1/ws`, { origin: 'https://evil.example' })).rejects.toThrow('400')
      const own = await openSocket(`${test.address}/v1/ws`, { origin: test.address })
      clients.push(own)
      await until(() => own.of('hello').length === 1)
    })
  })
})
