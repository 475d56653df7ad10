import { describe, expect, it } from 'vitest'
import type { Decision, TuningRules, Verdict } from '../../src/domain.ts'
import { emptyTuningState, type TuningState } from '../../src/policy/suggest.ts'
import { followSample, isDue, standingFor, usesNetwork } from '../../src/tuning/follow.ts'
import { holdOf } from '../../src/tuning/health.ts'
import { presetRules } from '../../src/tuning/preset.ts'
import { sampleAt } from '../../src/tuning/recent-samples.ts'
import { constantModel, signals } from '../policy/tuning-fixture.ts'

const declared: TuningRules = { ...presetRules, parameters: [{ name: 'threads', kind: 'integer', low: 1, high: 64, default: 8 }] }
const bare = presetRules.parameters.map(({ role, unit, ...parameter }) => parameter).reverse()
const sample = (at: number, requestsPerSecond = 400) => ({ service: 'shop', at, signals: { ...signals, requestsPerSecond } })
const model = constantModel([0.5, 0.5, 0.5, 0.5, 0.5])
interface Setting { readonly rules?: TuningRules, readonly hold?: string | null, readonly load?: number }
const after = (state: TuningState | null, at: number, { rules = declared, hold = null, load = 400 }: Setting = {}) =>
  followSample(state, sample(at, load), { rules, model, hold })

describe('who suggests', () => {
  const newest = (form: 'optimal' | 'result'): TuningState => ({ ...emptyTuningState(), newest: { at: 1, form } })
  it.each([
    { what: 'the network before anything was told', state: null, rules: presetRules, network: true },
    { what: 'the network where a best configuration came last', state: newest('optimal'), rules: presetRules, network: true },
    { what: 'results where one came last', state: newest('result'), rules: presetRules, network: false },
    { what: 'the network where somebody declares the parameters of the preset anew', state: newest('optimal'), rules: { ...presetRules, parameters: bare }, network: true },
    { what: 'results where other parameters are declared', state: newest('optimal'), rules: declared, network: false },
    { what: 'results where it would be applied and nobody taught the network', state: null, rules: { ...presetRules, mode: 'apply' as const }, network: false }
  ])('is $what', ({ state, rules, network }) => {
    expect(usesNetwork(state, rules)).toBe(network)
  })
})

describe('a sample', () => {
  it('is remembered, and answered by the network where that suggests', () => {
    const { state, suggestion } = after(null, 60_000, { rules: presetRules })
    expect(sampleAt(state!.recent!, Infinity)).toMatchObject({ at: 60_000, signals: { requestsPerSecond: 400 } })
    expect(suggestion).toMatchObject({ source: 'network', mode: 'suggest' })
    expect(after(state, 120_000).suggestion).toBeNull()
  })

  it('is not answered with what breaks a constraint, which the network does not know', () => {
    // In the middle of its scale a batch is 8.
    expect(after(null, 60_000, { rules: { ...presetRules, constraints: ['batchSize <= 4'] } }).suggestion).toBeNull()
    expect(after(null, 60_000, { rules: { ...presetRules, constraints: ['batchSize <= 8'] } }).suggestion?.config).toMatchObject({ batchSize: 8 })
  })

  it('is nothing where tuning is off', () => {
    expect(after(null, 60_000, { rules: { ...declared, mode: 'off' } })).toEqual({ state: null, suggestion: null })
  })
})

describe('what results suggest', () => {
  const standing = (tries: boolean, load = 400) => {
    const { state } = after(null, 60_000)
    return { ...state!, standing: standingFor({ requestsPerSecond: load }, tries, declared) }
  }

  it('is made with the first sample, and stands until a result comes', () => {
    expect(isDue(after(null, 60_000).state, declared)).toBe(true)
    expect(isDue(after(standing(true), 120_000).state, declared)).toBe(false)
  })

  it('is made anew when something is tried while all is not well, and not when nothing is tried', () => {
    expect(isDue(after(standing(true), 120_000, { hold: 'an incident is open' }).state, declared)).toBe(true)
    expect(isDue(after(standing(false), 120_000, { hold: 'an incident is open' }).state, declared)).toBe(false)
  })

  it('is made anew at one and a half times the load or two thirds of it, and for other rules', () => {
    expect(isDue(after(standing(false), 120_000, { load: 590 }).state, declared)).toBe(false)
    expect(isDue(after(standing(false), 120_000, { load: 610 }).state, declared)).toBe(true)
    expect(isDue(after(standing(false), 120_000, { load: 260 }).state, declared)).toBe(true)
    expect(isDue(after(standing(false), 120_000).state, { ...declared, safetyMargin: 0.5 })).toBe(true)
  })

  it('is not asked for where the network suggests or tuning is off', () => {
    expect(isDue(after(null, 60_000, { rules: presetRules }).state, presetRules)).toBe(false)
    expect(isDue(after(null, 60_000).state, { ...declared, mode: 'off' })).toBe(false)
  })
})

describe('nothing is tried', () => {
  const calm = { isAnomaly: false, incident: null } as Verdict
  const decision = { source: 'forecast', replicas: 4, currentReplicas: 4 } as Decision
  it.each([
    { hold: null, verdict: calm, of: decision, signals: {} },
    { hold: null, verdict: calm, of: null, signals: {} },
    { hold: 'an incident is open', verdict: { ...calm, incident: 'shop.1' }, of: decision, signals: {} },
    { hold: 'the service does not behave as usual', verdict: { ...calm, isAnomaly: true }, of: decision, signals: {} },
    { hold: '40 % of requests fail', verdict: calm, of: decision, signals: { errorRatio: 0.4 } },
    { hold: 'there is an outage', verdict: calm, of: { ...decision, outageSince: 3 }, signals: {} },
    { hold: 'its load is not measured', verdict: calm, of: { ...decision, source: 'hold' as const }, signals: {} },
    { hold: 'it is scaled out from 4 to 6 replicas', verdict: calm, of: { ...decision, replicas: 6 }, signals: {} }
  ])('for the reason: $hold', ({ hold, verdict, of, signals }) => {
    expect(holdOf({ signals: signals as Record<string, number> }, verdict, of)).toBe(hold)
  })
})
