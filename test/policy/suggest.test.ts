import { beforeAll, describe, expect, it } from 'vitest'
import { PrescaleError } from '../../src/errors.ts'
import { DenseNetwork, weightCount } from '../../src/ml/dense-network.ts'
import { configurationProblem, defaultConfiguration, presetParameters, toScale } from '../../src/policy/parameters.ts'
import { answerSuggestion, emptyTuningState, loadConfigModel, suggest, type ConfigModel } from '../../src/policy/suggest.ts'
import { constantModel, freshModel, networkNames, signals } from './tuning-fixture.ts'

const sample = { service: 'shop', at: 60_000, signals }
let model: ConfigModel
beforeAll(async () => { model = await freshModel() })

describe('a suggestion', () => {
  it('is within the bounds of every parameter and names what changes', () => {
    const { suggestion } = suggest(null, sample, constantModel([0.5, 0.5, 0.5, 0.5, 0.5]))
    // Middles of the scales: √(4·256) = 32, √(32·6144) = 443, √(20·5000) = 316, √(1·64) = 8, 2.5 → 3, which is the default.
    expect(suggestion?.config).toEqual({ threadPoolSize: 32, cacheMegabytes: 443, timeoutMs: 316, batchSize: 8, retryCount: 3 })
    expect(suggestion?.changed).toEqual([
      { name: 'threadPoolSize', from: 64, to: 32 }, { name: 'cacheMegabytes', from: 256, to: 443, unit: 'MB' },
      { name: 'timeoutMs', from: 1000, to: 316, unit: 'ms' }, { name: 'batchSize', from: 4, to: 8 }
    ])
    expect(suggestion?.reason).toMatch(/^threadPoolSize 64 → 32, cacheMegabytes 256 → 443 MB, timeoutMs 1000 → 316 ms, batchSize 4 → 8\./)
    expect(configurationProblem(suggestion!.config)).toBeNull()
    expect(suggestion).toMatchObject({ service: 'shop', asOf: 60_000, source: 'network', observations: 0, modelVersion: '1.0.0' })
  })

  it('says that it is the shipped network\'s as long as the service has taught nothing', () => {
    expect(suggest(null, sample, model).suggestion?.reason).toMatch(/shipped network, trained on a simulated service; nothing is known of this one yet/)
  })

  it('says how much it rests on once the service has taught something', () => {
    const state = { ...emptyTuningState(), optima: 1, results: 12 }
    const { suggestion } = suggest(state, sample, model)
    expect(suggestion?.observations).toBe(1)
    expect(suggestion?.reason).toContain('The network has learned from 1 reported best configuration of this service.')
  })

  it('that was accepted is taken to run, so that nothing is left to change', () => {
    const constant = constantModel([0.5, 0.5, 0.5, 0.5, 0.5])
    const first = suggest(null, sample, constant)
    const answer = { answer: 'accepted' as const, config: first.suggestion!.config, at: 61_000, by: 'ann' }
    const { suggestion } = suggest(answerSuggestion(first.state, answer), { ...sample, at: 120_000 }, constant)
    expect(suggestion).toMatchObject({ changed: [], config: first.suggestion!.config, accepted: answer })
    expect(suggestion?.reason).not.toContain('the defaults are assumed')
  })

  it('that was refused is not proposed again as it is, and another one is', () => {
    const constant = constantModel([0.5, 0.5, 0.5, 0.5, 0.5])
    const first = suggest(null, sample, constant)
    const state = answerSuggestion(first.state, { answer: 'refused', config: first.suggestion!.config, at: 61_000, by: 'ann', note: 'not before the sale' })
    const again = suggest(state, { ...sample, at: 120_000 }, constant).suggestion!
    expect(again).toMatchObject({ changed: [], refused: { by: 'ann' } })
    expect(again.reason).toMatch(/^ann refused this configuration: not before the sale\./)
    const other = suggest(state, { ...sample, at: 120_000 }, constantModel([0.2, 0.5, 0.5, 0.5, 0.5])).suggestion!
    expect(other.changed.map(({ name }) => name)).toContain('threadPoolSize')
    expect(other.refused).toBeUndefined()
  })

  it('leaves alone what differs by less than 2 % of the scale from what runs', () => {
    const running = { threadPoolSize: 60, cacheMegabytes: 300, timeoutMs: 700, batchSize: 6, retryCount: 2 }
    // 0.01 beside the place of each running value, but for the last: 0.4 + 0.2
    const places = presetParameters.map((parameter, i) => toScale(parameter, running[parameter.name as keyof typeof running]) + (i < 4 ? 0.01 : 0.2))
    const { suggestion } = suggest({ ...emptyTuningState(), running }, sample, constantModel(places))
    expect(suggestion?.config).toEqual({ ...running, retryCount: 3 })
    expect(suggestion?.changed).toEqual([{ name: 'retryCount', from: 2, to: 3 }])
    expect(suggestion?.reason).not.toContain('the defaults are assumed')
  })

  it('changes nothing when it stands where the service runs', () => {
    const places = presetParameters.map(parameter => toScale(parameter, parameter.byDefault))
    const { suggestion } = suggest(null, sample, constantModel(places))
    expect(suggestion).toMatchObject({ config: defaultConfiguration(), changed: [] })
    expect(suggestion?.reason).toMatch(/^What runs suits the present state\./)
  })

  it('names the signals that were missing', () => {
    const { queueLength: _, ...rest } = signals
    expect(suggest(null, { ...sample, signals: rest }, model).suggestion?.reason).toContain('Not measured, so taken as usual: queueLength.')
  })

  it('changes nothing with less than seven of the ten signals, and remembers no such state', () => {
    const { state, suggestion } = suggest(null, { ...sample, signals: { cpuUsageRatio: 0.9, requestsPerSecond: 10 } }, constantModel([0.5, 0.5, 0.5, 0.5, 0.5]))
    expect(suggestion).toMatchObject({ config: defaultConfiguration(), changed: [] })
    expect(suggestion?.reason).toMatch(/^Only 2 of 10 signals are measured \(missing: memoryUsageRatio, .*\), 7 are needed: nothing is changed\./)
    expect(state.last).toBeNull()
  })

  it('does not exist without a network', () => {
    expect(suggest(null, sample, null)).toEqual({ state: emptyTuningState(), suggestion: null })
  })

  it('is a function of its arguments, which it leaves as they were', () => {
    const state = Object.freeze(emptyTuningState())
    const once = suggest(state, sample, model)
    expect(suggest(state, sample, model)).toEqual(once)
    expect(state).toEqual(emptyTuningState())
    expect(once.state.last).toMatchObject({ at: 60_000, missing: [] })
    expect(structuredClone(once.state)).toEqual(once.state)
  })
})

describe('loadConfigModel', () => {
  it('refuses a network for other signals or parameters', () => {
    const weights = new Float32Array(weightCount)
    const other = new DenseNetwork({ ...networkNames, features: networkNames.features.map(name => `${name}X`), weights })
    expect(() => loadConfigModel(other.toBytes(), '1')).toThrow(PrescaleError)
    expect(() => loadConfigModel(other.toBytes(), '1')).toThrow(/knows the signals cpuUsageRatioX, .*; expected cpuUsageRatio, /)
    const renamed = new DenseNetwork({ ...networkNames, parameters: ['a', 'b', 'c', 'd', 'e'], weights })
    expect(() => loadConfigModel(renamed.toBytes(), '1')).toThrow(/knows the parameters a, b, c, d, e; expected threadPoolSize/)
  })
})
