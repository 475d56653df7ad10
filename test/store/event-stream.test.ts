import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createEventStream, type EventStream, type StreamedEvent } from '../../src/store/event-stream.ts'
import { createKeys } from '../../src/store/keys.ts'
import { openRedis } from '../../src/store/open-redis.ts'
import type { RedisSource } from '../../src/store/redis.ts'
import { hasReached, parsePosition } from '../../src/store/stream-position.ts'
import { createEventWriter, numberOf } from '../support/events.ts'
import { haveRedis, needsRedis, randomPrefix, silent, startRedis, until } from '../support/redis.ts'
import { servicesIn } from '../support/worker.ts'

const servers = [
  { name: 'redis-server', have: haveRedis, open: async () => await startRedis() },
  { name: 'a Redis Cluster', have: haveRedis, open: async () => await startRedis({ cluster: true }) },
  {
    name: 'the server in JavaScript',
    have: true,
    open: async () => {
      const source = await openRedis({ dataDirectory: '/nowhere', log: silent, programs: [] })
      return { open: async () => source, stop: () => source.close() }
    }
  }
]

const sortedNumbers = (events: readonly StreamedEvent[]) => events.map(({ json }) => numberOf(json)).toSorted((a, b) => a - b)

describe.each(servers)('the stream of events on $name', ({ name, have, open }) => {
  describe.skipIf(!have)(needsRedis(name), () => {
    let source: RedisSource
    let stop: () => Promise<void>
    const streams: EventStream[] = []
    beforeAll(async () => {
      const server = await open()
      source = await server.open()
      stop = server.stop
    })
    afterEach(() => { for (const stream of streams.splice(0)) stream.close() })
    afterAll(() => stop())

    const setUp = (options: { eventsLimit?: number } = {}) => {
      const keys = createKeys({ prefix: randomPrefix(), partitions: 4 })
      const redis = source.connect('work')
      const openStream = () => {
        const stream = createEventStream({ source, redis, keys, log: silent })
        streams.push(stream)
        return stream
      }
      return { keys, redis, openStream, stream: openStream(), services: servicesIn(keys, 2), ...createEventWriter({ redis, keys, ...options }) }
    }
    const collect = (stream: EventStream) => {
      const events: StreamedEvent[] = []
      stream.listen((batch) => { events.push(...batch) })
      return events
    }

    it('tells every listener what comes after the start, of all partitions, in the order of each service', async () => {
      const { stream, services, decide } = setUp()
      await decide(services[0])
      await stream.ready()
      const [one, other] = [collect(stream), collect(stream)]
      for (let round = 0; round < 5; round++) for (const service of services) await decide(service)
      await until(() => one.length === 40 && other.length === 40)
      for (const service of services) {
        const numbers = one.filter((event) => event.service === service).map(({ json }) => numberOf(json))
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      }
      expect(one.map(({ json }) => numberOf(json)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 2))
      expect(new Set(one.map(({ kind }) => kind))).toEqual(new Set(['decision']))
      expect(other).toEqual(one)
    })

    it('gives every event a position from which the rest can be read, without the event itself', async () => {
      const { stream, services, decide, keys } = setUp()
      await stream.ready()
      const events = collect(stream)
      for (let round = 0; round < 3; round++) for (const service of services) await decide(service)
      await until(() => events.length === 24)
      for (const index of [0, 7, 22]) {
        const from = parsePosition(events[index].id, keys.partitions)!
        const { events: rest, position, trimmed } = await stream.read(from, stream.position()!, { limit: 100 })
        expect(sortedNumbers(rest)).toEqual(sortedNumbers(events.slice(index + 1)))
        expect(position).toEqual(stream.position())
        expect(trimmed).toBe(false)
      }
    })

    it('reads in pages that end where the next one begins', async () => {
      const { stream, services, decide } = setUp()
      const begin = await stream.ready()
      const events = collect(stream)
      for (let round = 0; round < 5; round++) for (const service of services) await decide(service)
      await until(() => events.length === 40)
      const numbers: number[] = []
      let position = begin
      while (!hasReached(position, stream.position()!)) {
        const page = await stream.read(position, stream.position()!, { limit: 3 })
        expect(page.events.length).toBeLessThanOrEqual(12)
        numbers.push(...page.events.map(({ json }) => numberOf(json)))
        position = page.position
      }
      expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    })

    it('passes over partitions that nobody wants', async () => {
      const { stream, services, decide, keys } = setUp()
      const begin = await stream.ready()
      const events = collect(stream)
      for (const service of services) await decide(service)
      await until(() => events.length === 8)
      const wanted = keys.partitionOf(services[0])
      const page = await stream.read(begin, stream.position()!, { limit: 100, wanted: (partition) => partition === wanted })
      expect(page.events.map(({ service }) => keys.partitionOf(service))).toEqual([wanted, wanted])
      expect(page.position).toEqual(stream.position())
    })

    it('says when Redis has dropped what lay in between', async () => {
      const { stream, services: [service], decide, keys } = setUp({ eventsLimit: 5 })
      await stream.ready()
      const events = collect(stream)
      for (let i = 1; i <= 12; i++) {
        await decide(service)
        await until(() => events.length === i)
      }
      const read = (index: number) => stream.read(parsePosition(events[index].id, keys.partitions)!, stream.position()!, { limit: 100 })
      const late = await read(1)
      expect(late.trimmed).toBe(true)
      expect(late.events.map(({ json }) => numberOf(json))).toEqual([8, 9, 10, 11, 12])
      expect((await read(8)).trimmed).toBe(false)
    })

    it('reads nothing before somebody asks, and nothing after it is closed', async () => {
      const { stream, services: [service], decide } = setUp()
      expect(stream.position()).toBeNull()
      await stream.ready()
      const events = collect(stream)
      stream.close()
      await decide(service)
      expect(events).toEqual([])
    })
  })
})

describe.skipIf(!haveRedis)(needsRedis('the stream of events when Redis goes away'), () => {
  it('goes on where it was when it is back, and loses nothing', async () => {
    const server = await startRedis()
    const source = await server.open()
    const keys = createKeys({ prefix: randomPrefix(), partitions: 2 })
    const redis = source.connect('work')
    const stream = createEventStream({ source, redis, keys, log: silent })
    const { decide } = createEventWriter({ redis, keys })
    await stream.ready()
    const numbers: number[] = []
    stream.listen((batch) => { numbers.push(...batch.map(({ json }) => numberOf(json))) })
    await decide('shop')
    await until(() => numbers.length === 1)
    await server.kill()
    await server.start()
    for (let i = 0; i < 3; i++) await decide('shop')
    await until(() => numbers.length === 4)
    expect(numbers).toEqual([1, 2, 3, 4])
    stream.close()
    await server.stop()
  })
})
