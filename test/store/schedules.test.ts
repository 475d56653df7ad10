import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeys } from '../../src/store/keys.ts'
import { createScheduleWorker, createSchedules, type ScheduledSource } from '../../src/store/schedules.ts'
import type { RedisSource } from '../../src/store/redis.ts'
import { haveRedis, needsRedis, randomPrefix, silent, sleep, startRedis, until, type TestRedis } from '../support/redis.ts'

describe.skipIf(!haveRedis)(needsRedis('schedules'), () => {
  let redis: TestRedis
  let source: RedisSource
  beforeAll(async () => {
    redis = await startRedis()
    source = await redis.open()
  })
  afterAll(() => redis.stop())

  const open = () => {
    const keys = createKeys({ prefix: randomPrefix() })
    const schedules = createSchedules({ redis: source.connect('request'), keys })
    const fetched: string[] = []
    const startWorker = (handle = async ({ id }: ScheduledSource) => { fetched.push(id) }) =>
      createScheduleWorker({ redis: source.connect('work'), keys, handle, log: silent })
    return { schedules, fetched, startWorker }
  }
  const every = (everySeconds: number, id: string, data: unknown = {}): ScheduledSource => ({ id, everySeconds, data })

  it('fetch each source at once and then again and again, once over all workers', async () => {
    const { schedules, fetched, startWorker } = open()
    const workers = [startWorker(), startWorker()]
    await schedules.replaceAll([every(1, 'node'), every(3_600, 'rare')])
    await until(() => fetched.filter((id) => id === 'node').length >= 3)
    expect(fetched.filter((id) => id === 'rare')).toEqual(['rare'])
    await Promise.all([...workers.map((worker) => worker.close()), schedules.close()])
  })

  it('stop what is no longer wanted, and keep the rhythm of what did not change', async () => {
    const { schedules, fetched, startWorker } = open()
    const worker = startWorker()
    await schedules.replaceAll([every(1, 'old'), every(3_600, 'kept')])
    await until(() => fetched.includes('old') && fetched.includes('kept'))
    await schedules.replaceAll([every(3_600, 'kept'), every(3_600, 'new')])
    await until(() => fetched.includes('new'))
    const before = fetched.length
    await sleep(1_500)
    expect(fetched.slice(before)).toEqual([])
    expect(fetched.filter((id) => id === 'kept')).toEqual(['kept'])
    await Promise.all([worker.close(), schedules.close()])
  })

  it('go on with the next turn after one that failed, and hand the data over', async () => {
    const { schedules, startWorker } = open()
    const seen: unknown[] = []
    const worker = startWorker(async ({ data }) => {
      seen.push(data)
      throw new Error('unreachable')
    })
    await schedules.replaceAll([every(1, 'node', { url: 'http://127.0.0.1:9100/metrics' })])
    await until(() => seen.length >= 2)
    expect(seen[1]).toEqual({ url: 'http://127.0.0.1:9100/metrics' })
    await Promise.all([worker.close(), schedules.close()])
  })

  it('say that Redis is away, and are set when it is back', async () => {
    const { schedules, fetched, startWorker } = open()
    const worker = startWorker()
    await redis.kill()
    await expect(schedules.replaceAll([every(3_600, 'node')])).rejects.toMatchObject({ code: 'store-unavailable' })
    await redis.start()
    await until(() => schedules.replaceAll([every(3_600, 'node')]).then(() => true, () => false))
    await until(() => fetched.includes('node'))
    await Promise.all([worker.close(), schedules.close()])
  })
})
