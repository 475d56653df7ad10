import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelStanding } from '../../src/domain.ts'
import { createKeys } from '../../src/store/keys.ts'
import { createLocalModelStore, hashOf, type LearningRecord, type LocalModel } from '../../src/store/local-model-store.ts'
import type { RedisClient } from '../../src/store/redis.ts'
import { createStateStore, type Changes } from '../../src/store/state-store.ts'
import { haveRedis, needsRedis, randomPrefix, sleep, startRedis, type TestRedis } from '../support/redis.ts'

const bytesOf = (fill: number) => new Uint8Array(50_000).fill(fill)
const modelOf = (version: string, bytes: Uint8Array): LocalModel => ({
  version,
  kind: 'load-forecaster',
  trainedAt: 1,
  rows: 100,
  range: { from: 0, to: 1 },
  seed: 1,
  horizonSteps: 3,
  heldBack: { forecasts: 200, loss: 0.01, rival: 'forecast 1', rivalLoss: 0.02 },
  sha256: hashOf(bytes),
  bytes: bytes.length,
  storedBytes: 100
})
const recordOf = (...models: LocalModel[]): LearningRecord => ({ format: 1, service: 'shop', learned: models.length, triedAt: 1, nextAt: 2, outcome: 'learned', models })
const standing = (version: string, life: ModelStanding['life']): ModelStanding => ({ version, life, since: 1, forecasts: 5, loss: 0.1, rival: 'forecast 1', rivalLoss: 0.2 })

const servers = [{ name: 'redis-server', cluster: false }, { name: 'a Redis Cluster', cluster: true }]
describe.each(servers)('models of single services on $name', ({ name, cluster }) => {
  describe.skipIf(!haveRedis)(needsRedis(name), () => {
    let server: TestRedis
    let redis: RedisClient
    beforeAll(async () => {
      server = await startRedis({ cluster })
      redis = (await server.open()).connect('work')
    })
    afterAll(() => server.stop())

    const open = async () => {
      const keys = createKeys({ prefix: randomPrefix(), partitions: 4 })
      const states = createStateStore<object, object>({ redis, keys })
      const commit = async (more: Partial<Changes<object, object>> = {}) => {
        const stored = await states.load('shop')
        await states.commit('shop', stored, { job: { id: stored.version + 1, at: 1 }, decisions: [], events: [], putAside: [], feedbackIds: [], ...more })
      }
      await commit()
      return { keys, states, commit, store: createLocalModelStore({ redis, keys }) }
    }

    it('are kept with all that is known of them, and the worker reads of them with the state', async () => {
      const { store, states } = await open()
      const record = recordOf(modelOf('local/1', bytesOf(1)))
      const lock = await store.lock('shop', { ms: 60_000 })
      expect(await store.save(lock!, null, { record, model: { version: 'local/1', bytes: bytesOf(1), inUse: null } })).toBe(true)

      expect(await store.read('shop')).toEqual(record)
      expect(await store.list()).toEqual([record])
      expect(await store.bytes('shop', record.models[0])).toEqual(bytesOf(1))
      expect((await states.load('shop')).localModels).toEqual(record.models)
    })

    it('are learned by one at a time, who loses the right to when it is not extended', async () => {
      const { store } = await open()
      const first = await store.lock('shop', { ms: 100 })
      expect(await store.lock('shop', { ms: 100 })).toBeNull()
      expect(await first!.extend()).toBe(true)
      await sleep(250)
      const second = await store.lock('shop', { ms: 60_000 })
      expect(second).not.toBeNull()

      expect(await first!.extend()).toBe(false)
      expect(await store.save(first!, null, { record: recordOf() })).toBe(false)
      await first!.release()
      expect(await store.lock('shop', { ms: 1 })).toBeNull()
      await second!.release()
      expect(await store.lock('shop', { ms: 1 })).not.toBeNull()
    })

    it('are at most those that the record names', async () => {
      const { store } = await open()
      const lock = await store.lock('shop', { ms: 60_000 })
      const [one, two] = [modelOf('local/1', bytesOf(1)), modelOf('local/2', bytesOf(2))]
      await store.save(lock!, null, { record: recordOf(one), model: { version: 'local/1', bytes: bytesOf(1), inUse: null } })
      await store.save(lock!, recordOf(one), { record: recordOf(two), model: { version: 'local/2', bytes: bytesOf(2), inUse: null } })
      expect(await store.bytes('shop', one)).toBeNull()
      expect(await store.bytes('shop', two)).toEqual(bytesOf(2))
    })

    it('are not changed when another one came into use meanwhile, nor for a service that was forgotten', async () => {
      const { store, states, commit } = await open()
      const lock = await store.lock('shop', { ms: 60_000 })
      await commit({ contest: { standings: [standing('local/1', 'canary')], inUse: 'local/1' } })
      const model = modelOf('local/2', bytesOf(2))
      const saved = (inUse: string | null) => ({ record: recordOf(model), model: { version: 'local/2', bytes: bytesOf(2), inUse } })
      expect(await store.save(lock!, null, saved(null))).toBe(false)
      expect(await store.read('shop')).toBeNull()
      expect(await store.save(lock!, null, saved('local/1'))).toBe(true)

      await states.remove('shop')
      expect(await store.read('shop')).toBeNull()
      expect(await store.bytes('shop', model)).toBeNull()
      expect(await store.save(lock!, null, saved(null))).toBe(false)
    })

    it('say how they do, and which life the one has that is furthest', async () => {
      const { store, commit } = await open()
      expect((await store.standings(['shop', 'cart'])).get('shop')).toEqual([])
      const lock = await store.lock('shop', { ms: 60_000 })
      await store.save(lock!, null, { record: recordOf(modelOf('local/1', bytesOf(1))) })
      expect(await store.lives()).toEqual(['shadow'])
      const standings = [standing('local/1', 'active'), standing('local/2', 'shadow')]
      await commit({ contest: { standings, inUse: 'local/1' } })
      expect((await store.standings(['shop'])).get('shop')).toEqual(standings)
      expect(await store.lives()).toEqual(['active'])
    })

    it('that were altered are refused', async () => {
      const { store, keys } = await open()
      const lock = await store.lock('shop', { ms: 60_000 })
      const model = modelOf('local/1', bytesOf(1))
      await store.save(lock!, null, { record: recordOf(model), model: { version: 'local/1', bytes: bytesOf(1), inUse: null } })
      await redis.set(keys.localModel('shop', 'local/1'), 'nonsense')
      await expect(store.bytes('shop', model)).rejects.toThrow('The kept model local/1 of shop was altered.')
    })
  })
})
