import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TimedOverride } from '../../src/domain.ts'
import { createKeys } from '../../src/store/keys.ts'
import { createOverrideStore } from '../../src/store/override-store.ts'
import type { RedisClient } from '../../src/store/redis.ts'
import { createStateStore } from '../../src/store/state-store.ts'
import { haveRedis, needsRedis, randomPrefix, startRedis, type TestRedis } from '../support/redis.ts'

const now = Date.now()
const hold = (id: string, more: Partial<TimedOverride> = {}): TimedOverride => ({ kind: 'hold', reason: 'sale', id, at: now, until: now + 60_000, by: 'ann', ...more }) as TimedOverride

describe.skipIf(!haveRedis)(needsRedis('overrides for a while'), () => {
  let server: TestRedis
  let redis: RedisClient
  beforeAll(async () => {
    server = await startRedis()
    redis = (await server.open()).connect('work')
  })
  afterAll(() => server.stop())
  const open = () => {
    const keys = createKeys({ prefix: randomPrefix(), partitions: 2 })
    return { keys, overrides: createOverrideStore({ redis, keys }), states: createStateStore({ redis, keys }) }
  }

  it('are there until their time is over, oldest first, also for the worker', async () => {
    const { overrides, states } = open()
    await overrides.add('shop', hold('b', { at: now + 1, until: now + 90_000 }))
    await overrides.add('shop', hold('a'))
    const ids = async (at: number) => (await overrides.list('shop', at)).map(({ id }) => id)
    expect(await ids(now)).toEqual(['a', 'b'])
    expect(await ids(now + 60_000)).toEqual(['b'])
    expect(await ids(now + 90_000)).toEqual([])
    expect((await states.load('shop')).overrides.map(({ id }) => id)).toEqual(['a', 'b'])
    expect((await states.load('cart')).overrides).toEqual([])
  })

  it('are forgotten by Redis when the last one is over', async () => {
    const { overrides, keys } = open()
    await overrides.add('shop', hold('a', { until: now + 90_000 }))
    await overrides.add('shop', hold('b', { until: now + 60_000 }))
    expect(await redis.pexpiretime(keys.overrides('shop'))).toBe(now + 90_000)
  })

  it('are at most sixteen at once; those that are over make room', async () => {
    const { overrides, keys } = open()
    for (let i = 0; i < 16; i++) await overrides.add('shop', hold(`old${i}`))
    await expect(overrides.add('shop', hold('new'))).rejects.toThrow('shop has 16 overrides already, which is the limit; DELETE lifts one.')
    await overrides.add('shop', hold('new', { at: now + 60_000, until: now + 120_000 }))
    expect(await redis.hkeys(keys.overrides('shop'))).toEqual(['new'])
  })

  it('can be lifted once, and go with the service', async () => {
    const { overrides, states } = open()
    await overrides.add('shop', hold('a'))
    await overrides.add('shop', hold('b'))
    expect(await overrides.remove('shop', 'a')).toEqual(hold('a'))
    expect(await overrides.remove('shop', 'a')).toBeNull()
    await states.remove('shop')
    expect(await overrides.list('shop', now)).toEqual([])
  })
})
