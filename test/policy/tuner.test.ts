import * as tf from '@tensorflow/tfjs-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Feedback } from '../../src/domain.ts'
import { presetParameters } from '../../src/policy/parameters.ts'
import { emptyTuningState, suggest, type ConfigModel } from '../../src/policy/suggest.ts'
import { createTuner, type Learned } from '../../src/policy/tuner.ts'
import { lessonsKept, openTuningRecord, readTuningRecord } from '../../src/policy/tuning-record.ts'
import { createTuningThread } from '../../src/threads/tuning-thread.ts'
import { freshModel, signals } from './tuning-fixture.ts'

const service = 'shop'
const optimal = { threadPoolSize: 24, cacheMegabytes: 2000, timeoutMs: 100, batchSize: 1, retryCount: 1 }
const tuner = createTuner()
let model: ConfigModel
beforeAll(async () => { model = await freshModel() })

const feedback = (id: string, rest: Partial<Feedback>): Feedback => ({ id, service, at: 1000, state: signals, ...rest })
const nothing = { service, network: null, state: null }

/** Feeds one feedback after the other, as a service would. */
async function teach (items: readonly Feedback[]): Promise<Learned> {
  let learned: Learned = { network: null, state: emptyTuningState(), suggestion: null, ignored: [] }
  for (const item of items) learned = await tuner.learn({ service, network: learned.network, state: learned.state, feedback: [item], model })
  return learned
}

function suggested ({ network, state }: Learned) {
  return suggest(state, { service, at: 2000, signals }, network ? openTuningRecord(network) : model).suggestion!
}

describe('learning from known best configurations', () => {
  it('arrives at them', async () => {
    const learned = await teach(Array.from({ length: 60 }, (_, i) => feedback(`f${i}`, { optimal })))
    const { config, observations, modelVersion } = suggested(learned)
    expect(observations).toBe(60)
    expect(modelVersion).toMatch(/^1\.0\.0\+\d+$/)
    for (const { name, low, high, scale } of presetParameters) {
      const [told, found] = [optimal[name as keyof typeof optimal], Number(config[name])].map(value => scale === 'log' ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low))
      expect(Math.abs(told - found), name).toBeLessThan(0.05)
    }
  })

  it('leaves a parameter alone that nobody told', async () => {
    const before = suggested({ network: null, state: emptyTuningState(), suggestion: null, ignored: [] }).config
    const { config } = suggested(await teach(Array.from({ length: 30 }, (_, i) => feedback(`f${i}`, { optimal: { cacheMegabytes: 6000 } }))))
    expect(config.cacheMegabytes).toBeGreaterThan(3000)
    expect(Math.abs(Number(config.retryCount) - Number(before.retryCount))).toBeLessThanOrEqual(1)
  })

  it('gives the same bytes for the same feedback, and leaves no tensors behind', async () => {
    const items = [feedback('a', { optimal }), feedback('b', { optimal })]
    const first = await tuner.learn({ ...nothing, feedback: items, model })
    const tensors = tf.memory().numTensors
    const second = await tuner.learn({ ...nothing, feedback: items, model })
    expect(second).toEqual(first)
    expect(tf.memory().numTensors).toBe(tensors)
  })

  it('remembers the newest lessons only, in less than 64 KiB', async () => {
    const items = Array.from({ length: lessonsKept + 20 }, (_, i) => feedback(`f${i}`, { optimal: { retryCount: i % 6 } }))
    const { network } = await tuner.learn({ ...nothing, feedback: items, model })
    const { lessons } = readTuningRecord(network!)
    expect(lessons).toHaveLength(lessonsKept)
    expect(lessons[0].places[4]).toBeCloseTo((20 % 6) / 5, 12)
    expect(network!.length).toBeLessThan(64 * 1024)
  })

  it('begins anew when the record is of no use to this release', async () => {
    const broken = new Uint8Array(100)
    const learned = await tuner.learn({ ...nothing, network: broken, feedback: [feedback('a', { optimal })], model })
    expect(readTuningRecord(learned.network!).lessons).toHaveLength(1)
  })
})

describe('feedback', () => {
  it('without a state speaks of the newest sample', async () => {
    const { state } = suggest(null, { service, at: 500, signals }, model)
    const told = await tuner.learn({ ...nothing, feedback: [feedback('a', { optimal })], model })
    const implied = await tuner.learn({ ...nothing, state, feedback: [feedback('a', { optimal, state: undefined })], model })
    expect(implied.network).toEqual(told.network)
    expect(implied.suggestion).toMatchObject({ service, asOf: 500, observations: 1 })
  })

  it.each([
    { problem: 'without a best configuration', rest: { config: optimal, performance: 3 }, reason: 'it names no optimal configuration' },
    { problem: 'with an unknown parameter', rest: { optimal: { heap: 3 } }, reason: /the parameter heap is unknown/ },
    { problem: 'out of bounds', rest: { optimal: { retryCount: 9 } }, reason: 'retryCount is 9, expected 0 to 5' },
    { problem: 'with a value of another kind', rest: { optimal: { retryCount: '3' } }, reason: 'retryCount is 3, expected 0 to 5' },
    { problem: 'with too few signals', rest: { optimal, state: { cpuUsageRatio: 0.5 } }, reason: /its state has 1 of 10 signals, 7 are needed/ },
    { problem: 'without any state', rest: { optimal, state: undefined }, reason: /names no state and no sample with enough signals came before it/ }
  ])('$problem is left out with the reason, and the rest is learned', async ({ rest, reason }) => {
    const { state, ignored } = await tuner.learn({ ...nothing, feedback: [feedback('bad', rest as Partial<Feedback>), feedback('good', { optimal })], model })
    expect(ignored).toEqual([{ id: 'bad', reason: expect.stringMatching(reason) }])
    expect(state.optima).toBe(1)
  })

  it('teaches nothing without a network, and says so', async () => {
    const { network, ignored } = await tuner.learn({ ...nothing, feedback: [feedback('a', { optimal })], model: null })
    expect(network).toBeNull()
    expect(ignored).toEqual([{ id: 'a', reason: 'no configuration network is loaded' }])
  })
})

describe('learning on a thread', () => {
  const { teach: teachThere, close } = createTuningThread()
  afterAll(close)

  it('is the same to the byte as in place, and goes on from what was learned', async () => {
    const first = { ...nothing, feedback: [feedback('a', { optimal })], model }
    const [here, there] = [await tuner.learn(first), await teachThere(first)]
    expect(there).toEqual(here)
    const next = { ...first, network: there.network, state: there.state, feedback: [feedback('b', { optimal })] }
    expect(await teachThere(next)).toEqual(await tuner.learn(next))
  })

  it('says what cannot be learned without a network', async () => {
    const { network, ignored } = await teachThere({ ...nothing, feedback: [feedback('a', { optimal })], model: null })
    expect(network).toBeNull()
    expect(ignored).toEqual([{ id: 'a', reason: 'no configuration network is loaded' }])
  })
})
