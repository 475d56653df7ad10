import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Config } from '../src/config.ts'
import type { Sample } from '../src/domain.ts'
import { createLearner, type LearnerOptions } from '../src/learner.ts'
import { createLocalForecasters } from '../src/local-forecasters.ts'
import type { LocalTask } from '../src/learning/train-local.ts'
import { LoadForecaster } from '../src/ml/forecaster.ts'
import { createRandom } from '../src/ml/random.ts'
import type { Models } from '../src/pipeline.ts'
import { createDecisionStore } from '../src/store/decision-store.ts'
import { createKeys } from '../src/store/keys.ts'
import { createLoadStore, type KeptLoads } from '../src/store/load-store.ts'
import { createLocalModelStore } from '../src/store/local-model-store.ts'
import { createSampleQueue } from '../src/store/sample-queue.ts'
import { createSettingsStore } from '../src/store/settings-store.ts'
import { createTelemetry } from '../src/telemetry.ts'
import { createWorker } from '../src/worker.ts'
import { generateWorkload } from '../training/generate-workloads.ts'
import { configOf } from './api/support.ts'
import { minute, noModels, policy, smallWorkload, trainedOn } from './support/scaling.ts'
import { haveRedis, needsRedis, randomPrefix, silent, startRedis, until, type TestRedis } from './support/redis.ts'

const { loads, startAt } = smallWorkload()
const shipped = LoadForecaster.fromBytes(trainedOn(generateWorkload('other', { seed: 11, steps: 1000 }), { steps: 300 }).toBytes(), 'forecast 1')
const models: Models = { ...noModels, forecast: shipped }
const at = (step: number) => startAt * 1000 + (step + 1) * minute
const samplesOf = (service: string, [from, to]: [number, number]): Sample[] => Array.from(loads.subarray(from, to), (load, i) => ({
  service, at: at(from + i), signals: Number.isFinite(load) ? { requestsPerSecond: load } : {}
} as Sample))
const yaml = (learning = 'rows: 800') => `defaults: { target: { requestsPerSecond: 70, utilization: 0.7 }, startUpSeconds: 120, maxReplicas: 50 }\nlearning: { ${learning} }`

describe.skipIf(!haveRedis)(needsRedis('learning from services'), () => {
  let server: TestRedis
  beforeAll(async () => { server = await startRedis() })
  afterAll(() => server.stop())

  /** One Redis, any number of workers and learners on it; the clock is that of the newest sample. */
  async function open ({ learning }: { learning?: string } = {}) {
    const source = await server.open()
    const redis = source.connect('request')
    const keys = createKeys({ prefix: randomPrefix(), partitions: 1 })
    const queue = createSampleQueue({ redis, keys, maxWaiting: 1000 })
    const telemetry = createTelemetry({ log: silent, processMetrics: false })
    const stores = {
      decisions: createDecisionStore({ redis, keys }),
      settings: createSettingsStore({ redis, keys }),
      loads: createLoadStore({ redis, keys }),
      localModels: createLocalModelStore({ redis, keys })
    }
    let config: Config = configOf(yaml(learning))
    let now = at(0)
    const closers: (() => Promise<void>)[] = []
    const startWorker = async () => {
      const openLocal = createLocalForecasters({ store: stores.localModels, mostBytes: () => 50e6, telemetry })
      const resolved = { service: '', policy: { ...policy, mode: 'act' as const }, mappings: [], lateSeconds: 0 }
      const worker = createWorker({ source, keys, telemetry, models: () => models, resolve: () => resolved, openLocal })
      await worker.started
      return worker
    }
    let worker = await startWorker()
    const learnerOf = (more: Partial<LearnerOptions> = {}) => {
      const learner = createLearner({ ...stores, config: () => config, models: () => models, telemetry, now: () => now, tickMs: 3_600_000, firstTickMs: 3_600_000, ...more })
      closers.push(learner.close)
      return learner
    }
    const live = async (service: string, range: [number, number]) => {
      const last = Number.isFinite(loads[range[1] - 1]) ? range[1] : range[1] - 1
      await queue.enqueue([{ kind: 'samples', service, samples: samplesOf(service, range) }])
      await until(async () => (await stores.decisions.latest(service))?.asOf === at(range[1] - 1))
      now = at(last - 1)
    }
    const close = async () => {
      await Promise.all(closers.map((closer) => closer()))
      await worker.close()
      await queue.close()
    }
    const restartWorker = async () => {
      await worker.close()
      worker = await startWorker()
    }
    const results = async () => Object.fromEntries((await telemetry.trainings.get()).values.map(({ labels, value }) => [labels['result'], value]))
    const setConfig = (text: string) => { config = configOf(text) }
    const later = (ms: number) => { now += ms }
    return { ...stores, learnerOf, live, close, restartWorker, results, setConfig, later }
  }

  it('begins when enough is kept, and the model takes over after it has shown to be better, also across a restart', { timeout: 120_000 }, async () => {
    const { learnerOf, live, localModels, decisions, restartWorker, results, later, close } = await open()
    try {
      const learner = learnerOf()
      await live('shop', [0, 1000])
      await learner.tick()
      expect(await localModels.read('shop')).toMatchObject({ learned: 0, models: [], outcome: expect.stringMatching(/^\d+ of 1440 steps of load are kept\.$/) })
      // A history may be on its way, so it is looked at again soon, and then less and less often.
      const waits: number[] = []
      for (let i = 0; i < 10; i++) {
        const { triedAt, nextAt } = (await localModels.read('shop'))!
        waits.push((nextAt - triedAt) / 1000)
        later(nextAt - triedAt)
        await learner.tick()
      }
      expect(waits).toEqual([15, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600])

      await live('shop', [1000, 2000])
      await learner.tick()
      const record = await localModels.read('shop')
      expect(record).toMatchObject({ learned: 1, models: [{ version: 'local/1', rows: 800, horizonSteps: 3, heldBack: { rival: 'forecast 1' } }] })
      expect(record!.outcome).toMatch(/^local\/1 was learned from 2000 steps: on \d+ forecasts that neither had seen, its loss was \d+ % below that of forecast 1\.$/)
      expect(await results()).toEqual({ learned: 1 })
      expect((await decisions.latest('shop'))!.modelVersion).toBe('forecast 1')

      await live('shop', [2000, 2050])
      expect((await localModels.standings(['shop'])).get('shop')).toMatchObject([{ version: 'local/1', life: 'shadow', rival: 'forecast 1' }])
      await restartWorker()
      await live('shop', [2050, 2900])
      expect((await localModels.standings(['shop'])).get('shop')).toMatchObject([{ version: 'local/1', life: 'active' }])
      expect(await decisions.latest('shop')).toMatchObject({ modelVersion: 'local/1', reason: expect.stringContaining('learned from this service and active') })

      // 900 steps later: a successor has to beat the one in use on what that has not seen.
      await learner.tick()
      const again = (await localModels.read('shop'))!
      expect(again.outcome).toContain('local/1')
      expect(again.models.map(({ version }) => version)).toContain('local/1')
      expect(again.nextAt).toBeGreaterThan(record!.nextAt)
    } finally {
      await close()
    }
  })

  it('takes what Prometheus remembers from before, where too little is kept', { timeout: 60_000 }, async () => {
    const { learnerOf, live, localModels, results, later, close } = await open()
    try {
      await live('shop', [1700, 2000])
      const asked: KeptLoads[] = []
      const extend = async (_: string, kept: KeptLoads) => {
        asked.push(kept)
        return { stepSeconds: 60, startAt: at(0), loads: loads.slice(0, 2000) }
      }
      await learnerOf({ earlier: { extend } }).tick()
      expect(asked.map(({ startAt: first, loads: own }) => [first, own.length])).toEqual([[at(1700), 300]])
      expect(await results()).toEqual({ learned: 1 })
      expect((await localModels.read('shop'))!.models[0].range).toEqual({ from: at(0) - minute, to: at(1999) })

      later(365 * 24 * 60 * minute)
      await learnerOf({ earlier: { extend: async (_: string, kept: KeptLoads) => kept } }).tick()
      expect((await localModels.read('shop'))!.outcome).toMatch(/ of 1440 steps of load are kept\.$/)
    } finally {
      await close()
    }
  })

  it('is done by one of several at a time, and again only when it is due', { timeout: 60_000 }, async () => {
    const { learnerOf, live, localModels, results, later, close } = await open()
    try {
      const learners = [learnerOf(), learnerOf(), learnerOf()]
      await live('shop', [0, 2000])
      await Promise.all(learners.map((learner) => learner.tick()))
      expect(await results()).toEqual({ learned: 1 })
      const { nextAt, triedAt } = (await localModels.read('shop'))!
      // 7 % of 2,000 steps are 140, but the model needs twice 180 forecasts.
      expect(nextAt - triedAt).toBe(360 * minute)

      await learners[1].tick()
      expect(await results()).toEqual({ learned: 1 })
      later(360 * minute)
      await learners[2].tick()
      expect((await localModels.read('shop'))!.triedAt).toBe(triedAt + 360 * minute)
    } finally {
      await close()
    }
  })

  it('is given up when the process ends, and done by the next one', { timeout: 60_000 }, async () => {
    const { learnerOf, live, localModels, results, close } = await open()
    try {
      await live('shop', [0, 2000])
      let begun = () => {}
      const hasBegun = new Promise<void>((resolve) => { begun = resolve })
      const stuck = learnerOf({
        train: (_: LocalTask, { signal }) => new Promise((_resolve, reject) => {
          begun()
          signal.addEventListener('abort', () => { reject(new Error('given up', { cause: signal.reason })) })
        })
      })
      const round = stuck.tick()
      await hasBegun
      await stuck.close()
      await round
      expect(await localModels.read('shop')).toBeNull()
      await learnerOf().tick()
      expect(await results()).toEqual({ learned: 1 })
    } finally {
      await close()
    }
  })

  it('says why nothing was learned: turned off, no room, an error', { timeout: 60_000 }, async () => {
    const { learnerOf, live, localModels, setConfig, later, results, close } = await open({ learning: 'enabled: false' })
    try {
      await live('shop', [0, 2000])
      await learnerOf().tick()
      expect(await localModels.read('shop')).toBeNull()

      setConfig(yaml('rows: 500, megabytes: 1'))
      const random = createRandom(1)
      const large = new Uint8Array(2e6).map(() => 256 * random())
      const heldBack = { forecasts: 300, loss: 1, rivalLoss: 2 }
      await learnerOf({ train: async () => ({ status: 'learned', bytes: large, rows: 5, heldBack }) }).tick()
      expect(await localModels.read('shop')).toMatchObject({ learned: 0, models: [], outcome: expect.stringMatching(/There is no room for it: learning.megabytes is 1\.$/) })

      later(24 * 3600_000)
      await learnerOf({ train: async () => { throw new Error('no') } }).tick()
      expect(await results()).toMatchObject({ failed: 1 })
      // Not at once again.
      expect(await localModels.read('shop')).toMatchObject({ outcome: 'It failed: no', nextAt: at(1999) + 25 * 3600_000 })
    } finally {
      await close()
    }
  })
})
