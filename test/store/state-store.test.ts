import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Decision, Incident, ServiceEvent, Verdict } from '../../src/domain.ts'
import { createDeadLetters } from '../../src/store/dead-letters.ts'
import { createDecisionStore } from '../../src/store/decision-store.ts'
import { createIncidentStore } from '../../src/store/incident-store.ts'
import { addLoads } from '../../src/features/load-history.ts'
import { createKeys } from '../../src/store/keys.ts'
import { createLoadStore } from '../../src/store/load-store.ts'
import { createSettingsStore } from '../../src/store/settings-store.ts'
import { createStateStore, type Changes } from '../../src/store/state-store.ts'
import type { RedisClient } from '../../src/store/redis.ts'
import { openRedis } from '../../src/store/open-redis.ts'
import { incidentOf } from '../support/incidents.ts'
import { haveRedis, needsRedis, randomPrefix, silent, startRedis } from '../support/redis.ts'

interface State { readonly version: 1, readonly lastAt: number, readonly window: Float64Array, readonly counts: Map<string, number> }
interface Series { readonly known: readonly number[] }

const state = (lastAt: number): State => ({ version: 1, lastAt, window: Float64Array.of(1.5, NaN, -Infinity), counts: new Map([['__proto__', 1]]) })
const decision = (asOf: number, replicas = 3): Decision => ({
  service: 'shop',
  mode: 'act',
  asOf,
  validUntil: asOf + 60_000,
  replicas,
  currentReplicas: 2,
  source: 'reactive',
  rawRecommendations: [],
  adjustments: [],
  reason: 'shop: naïve ✓',
  load: 100,
  capacity: 40,
  forecast: null,
  topFeatures: [],
  missingSignals: [],
  modelVersion: 'none'
})
const verdict = (asOf: number, score: number): Verdict => ({
  service: 'shop',
  asOf,
  score,
  threshold: 0.7,
  isAnomaly: score > 0.7,
  severity: 'none',
  causes: [],
  maintenance: { action: 'no_action_needed', probability: 0.1, reason: 'fine' },
  missingSignals: [],
  modelVersion: 'none'
})
const changes = (id: number, more: Partial<Changes<State, Series>> = {}): Changes<State, Series> => ({
  job: { id, at: id * 1000 }, decisions: [], events: [], putAside: [], feedbackIds: [], ...more
})

const tenEvents = (from: number): ServiceEvent[] => Array.from({ length: 10 }, (_, i) => ({ kind: 'decision', decision: decision(10 * from + i) }))

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

describe.each(servers)('state on $name', ({ name, have, open }) => {
  describe.skipIf(!have)(needsRedis(name), () => {
    let redis: RedisClient
    let stop: () => Promise<void>
    beforeAll(async () => {
      const server = await open()
      redis = (await server.open()).connect('work')
      stop = server.stop
    })
    afterAll(() => stop())

    const stores = () => {
      const keys = createKeys({ prefix: randomPrefix(), partitions: 4 })
      return {
        keys,
        states: createStateStore<State, Series>({ redis, keys, historyLimit: 3, eventsLimit: 5, incidentsLimit: 3 }),
        decisions: createDecisionStore({ redis, keys }),
        incidents: createIncidentStore({ redis, keys }),
        settings: createSettingsStore({ redis, keys }),
        letters: createDeadLetters({ redis, keys })
      }
    }

    it('gives back what was committed, typed arrays, infinities and Maps included', async () => {
      const { states, settings } = stores()
      await settings.put('shop', { minReplicas: 2 })
      const before = await states.load('shop')
      const nothing = { version: 0, lastJob: null, state: null, series: null, network: null, summary: null, chain: null, loads: null, overrides: [], localModels: [] }
      expect(before).toEqual({ ...nothing, settings: { minReplicas: 2 } })

      const network = Uint8Array.from({ length: 256 }, (_, byte) => byte)
      expect(await states.commit('shop', before, changes(7, { state: state(5_000), series: { known: [1, 2] }, network }))).toBe(true)

      const after = await states.load('shop')
      expect(after).toMatchObject({ version: 1, lastJob: { id: 7, at: 7_000 }, series: { known: [1, 2] }, network })
      expect(after.state).toEqual(state(5_000))
    })

    it('remembers the numbers of each verdict, and the causes of abnormal ones', async () => {
      const { states, decisions } = stores()
      const causes = [{ signal: 'errorRatio', value: 0.2, expectedLow: 0, expectedHigh: 0.01, share: 0.8, text: 'errors' }]
      const verdicts = [verdict(1, 0.1), verdict(2, 0.2), { ...verdict(3, 0.9), causes }, { ...verdict(4, 0.3), causes }]
      await states.commit('shop', await states.load('shop'), changes(1, { verdict: verdicts[3], events: verdicts.map((one) => ({ kind: 'verdict', verdict: one })) }))
      // Three of them are kept, as many as decisions.
      expect(await decisions.verdicts('shop', { limit: 10 })).toEqual([
        { asOf: 4, score: 0.3, threshold: 0.7, isAnomaly: false, severity: 'none' },
        { asOf: 3, score: 0.9, threshold: 0.7, isAnomaly: true, severity: 'none', causes },
        { asOf: 2, score: 0.2, threshold: 0.7, isAnomaly: false, severity: 'none' }
      ])
      await states.remove('shop')
      expect(await decisions.verdicts('shop', { limit: 10 })).toEqual([])
    })

    it('keeps the newest incidents of each service, tells the open ones, and forgets them with the service', async () => {
      const { states, incidents } = stores()
      const commit = async (service: string, ...changed: Incident[]) => {
        await states.commit(service, await states.load(service), changes(1, { incidents: new Map(changed.map((one) => [one.id, one])) }))
      }
      const ids = async (query = {}) => (await incidents.list({ limit: 10, ...query })).map(({ id }) => id)
      const [first, second, third, fourth] = [10, 20, 30, 40].map((startedAt) => incidentOf({ startedAt, lastAnomalyAt: startedAt, state: 'closed', endedAt: startedAt }))
      await commit('shop', { ...first, state: 'open', endedAt: null }, second)
      await commit('my.mail', incidentOf({ service: 'my.mail', startedAt: 25, lastAnomalyAt: 35 }))
      expect(await ids()).toEqual(['my.mail.25', 'shop.20', 'shop.10'])
      expect(await ids({ state: 'open' })).toEqual(['my.mail.25', 'shop.10'])
      // The oldest by its newest anomaly goes; that one moves on, and closes.
      await commit('shop', { ...first, lastAnomalyAt: 50 }, third, fourth)
      expect((await incidents.ofService('shop', { limit: 10 })).map(({ id }) => id)).toEqual(['shop.10', 'shop.40', 'shop.30'])
      expect(await ids({ state: 'open' })).toEqual(['my.mail.25'])
      expect(await ids({ since: 35, limit: 1 })).toEqual(['shop.10'])
      expect(await ids({ wanted: (service: string) => service === 'my.mail' })).toEqual(['my.mail.25'])
      expect(await incidents.find('shop.10')).toEqual({ ...first, lastAnomalyAt: 50 })
      expect([await incidents.find('shop.20'), await incidents.find('nonsense')]).toEqual([null, null])
      await states.remove('my.mail')
      expect(await ids()).toEqual(['shop.10', 'shop.40', 'shop.30'])
      expect(await ids({ state: 'open' })).toEqual([])
    })

    it('refuses the second of two writers that loaded the same version, and writes nothing of it', async () => {
      const { states, decisions, letters } = stores()
      const [first, second] = [await states.load('shop'), await states.load('shop')]
      expect(await states.commit('shop', first, changes(1, { state: state(1), decisions: [decision(1)] }))).toBe(true)
      const late = changes(2, { state: state(2), decisions: [decision(2)], putAside: [{ kind: 'samples', reason: 'x', payload: {} }] })
      expect(await states.commit('shop', second, late)).toBe(false)
      expect((await decisions.history('shop', { limit: 10 })).map(({ asOf }) => asOf)).toEqual([1])
      expect(await letters.count()).toBe(0)
      expect((await states.load('shop')).state?.lastAt).toBe(1)
    })

    it('loses nothing when eight writers count to 40 together', async () => {
      const { states, decisions } = stores()
      const increment = async () => {
        for (;;) {
          const stored = await states.load('shop')
          const lastAt = (stored.state?.lastAt ?? 0) + 1
          if (await states.commit('shop', stored, changes(lastAt, { state: state(lastAt), decisions: [decision(lastAt)] }))) return
        }
      }
      await Promise.all(Array.from({ length: 8 }, async () => { for (let i = 0; i < 5; i++) await increment() }))
      expect((await states.load('shop'))).toMatchObject({ version: 40, state: { lastAt: 40 } })
      // 3 are kept.
      expect((await decisions.history('shop', { limit: 10 })).map(({ asOf }) => asOf)).toEqual([40, 39, 38])
    })

    it('keeps what results taught beside the state, with the commit or not at all, until the service is forgotten', async () => {
      const { states } = stores()
      const record = (learned: number) => ({ learned, newestAt: -Infinity, memory: [Float32Array.of(0.5, NaN)], config: { codec: 'gzip', keepAlive: false } })
      expect(await states.readRecord('shop')).toBeNull()
      const stored = await states.load('shop')
      expect(stored).not.toHaveProperty('record')
      expect(await states.commit('shop', stored, changes(1, { record: record(1) }))).toBe(true)
      expect(await states.commit('shop', stored, changes(2, { record: record(2) }))).toBe(false)
      expect(await states.commit('shop', await states.load('shop'), changes(3))).toBe(true)
      expect(await states.readRecord('shop')).toEqual(record(1))
      await states.remove('shop')
      expect(await states.readRecord('shop')).toBeNull()
    })

    it('keeps the loads of the past in a ring, which goes with the service', async () => {
      const { states, keys } = stores()
      const loads = createLoadStore({ redis, keys })
      const ring = { stepMs: 1_000, slots: 4 }
      const commit = async (id: number, ...measured: number[]) => {
        const stored = await states.load('shop')
        const change = addLoads(stored.loads, measured.map((load, i) => ({ at: (id + i) * 1_000, load })), ring)
        return await states.commit('shop', stored, changes(id, { loads: change }))
      }
      expect(await loads.read('shop')).toBeNull()
      await commit(1, 10, 20)
      await commit(3, 30, 40, 50)

      const kept = await loads.read('shop')
      expect(kept).toMatchObject({ stepSeconds: 1, startAt: 2_000 })
      expect([...kept!.loads].map(Math.round)).toEqual([20, 30, 40, 50])
      await states.remove('shop')
      expect(await loads.read('shop')).toBeNull()
    })

    it('keeps what a later batch does not say anew', async () => {
      const { states, decisions } = stores()
      await states.commit('shop', await states.load('shop'), changes(1, {
        state: state(1), decisions: [decision(1, 4), decision(2, 5)], verdict: verdict(2, 0.9), network: Uint8Array.of(9)
      }))
      await states.commit('shop', await states.load('shop'), changes(2, { verdict: verdict(3, 0.2) }))
      const stored = await states.load('shop')
      expect(stored).toMatchObject({ version: 2, state: { lastAt: 1 }, network: Uint8Array.of(9) })
      expect(await decisions.latest('shop')).toEqual(decision(2, 5))
      expect(await decisions.verdict('shop')).toEqual(verdict(3, 0.2))
      expect(await decisions.services()).toEqual([{
        service: 'shop',
        asOf: 3,
        decision: { mode: 'act', asOf: 2, validUntil: 60_002, replicas: 5, currentReplicas: 2, source: 'reactive' },
        verdict: { asOf: 3, score: 0.2, isAnomaly: false, severity: 'none' }
      }])
    })

    it('hands decisions out newest first, newer than a time, and no more than asked for', async () => {
      const { states, decisions } = stores()
      await states.commit('shop', await states.load('shop'), changes(1, { decisions: [10, 20, 30].map((asOf) => decision(asOf)) }))
      const asOfs = async (options: { since?: number, limit: number }) => (await decisions.history('shop', options)).map(({ asOf }) => asOf)
      expect(await asOfs({ limit: 2 })).toEqual([30, 20])
      expect(await asOfs({ since: 10, limit: 5 })).toEqual([30, 20])
      expect(await asOfs({ limit: 0 })).toEqual([])
      expect(await decisions.latestJson('shop')).toBe(JSON.stringify(decision(30)))
    })

    it('knows nothing of a service that nobody sent anything for', async () => {
      const { decisions } = stores()
      expect(await decisions.snapshot('nobody')).toEqual({ known: false, decision: null, verdict: null, suggestion: null, savings: null })
      expect(await decisions.latest('nobody')).toBe(null)
      expect(await decisions.services()).toEqual([])
    })

    it('lists the services of all partitions by name', async () => {
      const { states, decisions, keys } = stores()
      const names = ['delta', 'alpha', 'echo', 'bravo', 'charlie', 'foxtrot']
      for (const service of names) await states.commit(service, await states.load(service), changes(1))
      expect(new Set(names.map(keys.partitionOf)).size).toBeGreaterThan(1)
      expect((await decisions.services()).map(({ service }) => service)).toEqual(['alpha', 'bravo', 'charlie', 'delta', 'echo', 'foxtrot'])
    })

    it('bounds the events and adds them in the order of the batch', async () => {
      const { states, keys } = stores()
      for (let id = 1; id <= 30; id++) {
        await states.commit('shop', await states.load('shop'), changes(id, { events: tenEvents(id) }))
      }
      const events = await redis.xrange(keys.events(keys.partitionOf('shop')), '-', '+')
      // Redis trims whole nodes of 100 entries, so up to 104 of the 5 that are asked for are there.
      expect(events.length).toBeGreaterThanOrEqual(5)
      expect(events.length).toBeLessThanOrEqual(105)
      const last = new Map([[events.at(-1)![1][2], events.at(-1)![1][3]]])
      expect(JSON.parse(last.get('event')!)).toEqual({ kind: 'decision', decision: decision(309) })
    })

    it('forgets a service without its settings, and settings without the service', async () => {
      const { states, decisions, settings } = stores()
      await settings.put('shop', { maxReplicas: 9 })
      await states.commit('shop', await states.load('shop'), changes(1, { decisions: [decision(1)] }))
      expect(await states.remove('shop')).toBe(true)
      expect(await states.remove('shop')).toBe(false)
      expect(await decisions.history('shop', { limit: 5 })).toEqual([])
      expect(await decisions.services()).toEqual([])
      expect(await settings.list()).toEqual([{ service: 'shop', settings: { maxReplicas: 9 } }])
      expect(await settings.remove('shop')).toBe(true)
      expect(await settings.remove('shop')).toBe(false)
      expect(await settings.get('shop')).toBe(null)
    })

    it('remembers which feedback it has learned from', async () => {
      const { states } = stores()
      await states.commit('shop', await states.load('shop'), changes(1, { feedbackIds: [{ id: 'a', at: 1 }, { id: 'b', at: 2 }] }))
      expect(await states.knownFeedback('shop', ['a', 'c', 'b'])).toEqual(new Set(['a', 'b']))
      expect(await states.knownFeedback('shop', [])).toEqual(new Set())
      expect(await states.knownFeedback('cart', ['a'])).toEqual(new Set())
    })
  })
})
