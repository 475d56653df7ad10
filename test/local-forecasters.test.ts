import { describe, expect, it } from 'vitest'
import { PrescaleError } from '../src/errors.ts'
import { createLocalForecasters } from '../src/local-forecasters.ts'
import { LoadForecaster } from '../src/ml/forecaster.ts'
import { createRandom } from '../src/ml/random.ts'
import { hashOf, type LocalModel } from '../src/store/local-model-store.ts'
import { createTelemetry } from '../src/telemetry.ts'
import { silent } from './support/redis.ts'
import { smallWorkload, trainedOn } from './support/scaling.ts'

const file = trainedOn(smallWorkload(), { steps: 400, trees: 2 }).toBytes()
const ofOtherFeatures = LoadForecaster.train({ features: ['x'], x: Float64Array.of(1, 2, 3), y: Float64Array.of(1, 2, 3) },
  { options: { forest: { trees: 1, minLeaf: 1, maxFeatures: 1 }, ridgePenalty: 1 }, random: createRandom(1), version: 'x' }).toBytes()

const modelOf = (version: string, bytes: number) => ({ version, bytes, sha256: hashOf(file) }) as LocalModel

function open ({ mostBytes = 1000, read = async (): Promise<Uint8Array | null> => file } = {}) {
  const reads: string[] = []
  const telemetry = createTelemetry({ log: silent, processMetrics: false })
  const store = {
    bytes: async (service: string, { version }: { version: string }) => {
      reads.push(`${service} ${version}`)
      return await read()
    }
  }
  const openModels = createLocalForecasters({ store, mostBytes: () => mostBytes, telemetry })
  const memory = async () => (await telemetry.localModelBytes.get()).values[0].value
  return { openModels, reads, memory }
}

describe('the models of services that a worker has at hand', () => {
  it('are read once, in their order, with their version', async () => {
    const { openModels, reads } = open()
    const models = [modelOf('local/1', 10), modelOf('local/2', 10)]
    expect((await openModels('shop', models)).map(({ version }) => version)).toEqual(['local/1', 'local/2'])
    await openModels('shop', models)
    expect(reads).toEqual(['shop local/1', 'shop local/2'])
    expect(await openModels('cart', [])).toEqual([])
  })

  it('take no more memory than allowed: those that were used longest ago go', async () => {
    const { openModels, reads, memory } = open({ mostBytes: 1000 })
    for (const service of ['a', 'b', 'a', 'c']) await openModels(service, [modelOf('local/1', 400)])
    expect(await memory()).toBe(800)
    await openModels('a', [modelOf('local/1', 400)])
    expect(reads).toEqual(['a local/1', 'b local/1', 'c local/1'])
    await openModels('b', [modelOf('local/1', 400)])
    expect(reads.at(-1)).toBe('b local/1')
    expect(await memory()).toBe(800)
  })

  it.each([
    { name: 'is not there any more', read: async () => null },
    { name: 'was altered', read: async () => { throw new PrescaleError('model-format', 'altered') } },
    { name: 'is no model', read: async () => Uint8Array.of(1, 2, 3) },
    { name: 'was learned by another release, from other features', read: async () => ofOtherFeatures }
  ])('leave out one that $name', async ({ read }) => {
    expect(await open({ read }).openModels('shop', [modelOf('local/1', 10)])).toEqual([])
  })

  it('are read again when Redis was away', async () => {
    let isAway = true
    const read = async () => {
      if (isAway) throw new PrescaleError('store-unavailable', 'Redis does not answer: Connection is closed.')
      return file
    }
    const { openModels, memory } = open({ read })
    await expect(openModels('shop', [modelOf('local/1', 10)])).rejects.toThrow('Redis does not answer')
    expect(await memory()).toBe(0)
    isAway = false
    expect(await openModels('shop', [modelOf('local/1', 10)])).toHaveLength(1)
  })
})
