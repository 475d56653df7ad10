import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeys } from '../../src/store/keys.ts'
import { createSampleQueue, openSamplesQueue } from '../../src/store/sample-queue.ts'
import type { RedisSource } from '../../src/store/redis.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { haveRedis, needsRedis, randomPrefix, silent, sleep, startRedis, type TestRedis } from '../support/redis.ts'
import { sample, servicesIn } from '../support/worker.ts'

const samplesOf = (service: string, ...ats: number[]) => ({ kind: 'samples' as const, service, samples: ats.map((at) => sample(service, at)) })

describe.skipIf(!haveRedis)(needsRedis('the queue of samples'), () => {
  let redis: TestRedis
  let source: RedisSource
  beforeAll(async () => {
    redis = await startRedis()
    source = await redis.open()
  })
  afterAll(() => redis.stop())
  const open = ({ partitions = 2, maxWaiting = 2_500 } = {}) => {
    const keys = createKeys({ prefix: randomPrefix(), partitions })
    return { keys, queue: createSampleQueue({ redis: source.connect('request'), keys, maxWaiting }) }
  }

  it('has everything in Redis when it says so, each service in its partition and in its order', async () => {
    const { keys, queue } = open()
    const [a, b] = servicesIn(keys, 1)
    await queue.enqueue([samplesOf(a, 1, 2), samplesOf(b, 1), samplesOf(a, 3)])
    const jobsIn = async (partition: number) => {
      const bull = openSamplesQueue(source.connect('work'), keys, partition)
      const jobs = await bull.getWaiting()
      await bull.close()
      return jobs.sort((one, other) => Number(one.id) - Number(other.id)).map(({ data, opts }) => ({ data: data as unknown, attempts: opts.attempts }))
    }
    expect(await jobsIn(keys.partitionOf(a))).toEqual([{ data: samplesOf(a, 1, 2), attempts: 1 }, { data: samplesOf(a, 3), attempts: 1 }])
    expect(await jobsIn(keys.partitionOf(b))).toEqual([{ data: samplesOf(b, 1), attempts: 1 }])
    await queue.close()
  })

  it('takes nothing of a request when one of its partitions is full, and goes on with the other ones', async () => {
    const { keys, queue } = open({ maxWaiting: 3 })
    const [a, b] = servicesIn(keys, 1)
    await queue.enqueue([samplesOf(a, 1), samplesOf(a, 2), samplesOf(a, 3)])
    await expect(queue.enqueue([samplesOf(b, 1), samplesOf(a, 4)])).rejects.toMatchObject({
      code: 'overloaded', status: 503, message: `3 batches wait in partition ${keys.partitionOf(a)}, at most 3 may.`
    })
    await queue.enqueue([samplesOf(b, 1)])
    const waiting = await queue.waiting()
    expect([waiting[keys.partitionOf(a)], waiting[keys.partitionOf(b)]]).toEqual([3, 1])
    await queue.close()
  })

  it('sees what others put there and what the worker took away', async () => {
    const { keys, queue } = open({ partitions: 1, maxWaiting: 2 })
    const other = createSampleQueue({ redis: source.connect('request'), keys, maxWaiting: 10 })
    await other.enqueue([samplesOf('a', 1), samplesOf('b', 1)])
    await expect(queue.enqueue([samplesOf('c', 1)])).rejects.toMatchObject({ code: 'overloaded' })
    const bull = openSamplesQueue(source.connect('work'), keys, 0)
    await bull.drain()
    // The count may be a quarter of a second old.
    await sleep(300)
    await queue.enqueue([samplesOf('c', 1)])
    await Promise.all([queue.close(), other.close(), bull.close()])
  })

  it('has nothing to do for an empty request', async () => {
    const { queue } = open()
    await queue.enqueue([])
    await queue.enqueue([{ kind: 'samples', service: 'shop', samples: [] }])
    expect(await queue.waiting()).toEqual([0, 0])
    await queue.close()
  })

  it('shows in the metrics what waits, and nothing while Redis is away', async () => {
    const { keys, queue } = open()
    const [a] = servicesIn(keys, 1)
    await queue.enqueue([samplesOf(a, 1)])
    const { registry, watchQueue } = createTelemetry({ log: silent, processMetrics: false })
    watchQueue(queue.waiting)
    expect(await registry.getSingleMetricAsString('prescale_queue_waiting')).toContain(`prescale_queue_waiting{partition="${keys.partitionOf(a)}"} 1`)
    await redis.kill()
    expect(await registry.getSingleMetricAsString('prescale_queue_waiting')).not.toContain('{')
    await expect(queue.enqueue([samplesOf(a, 2)])).rejects.toMatchObject({ code: 'store-unavailable', status: 503 })
    await redis.start()
    await queue.close()
  })
})
