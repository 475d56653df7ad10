import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Policy, Sample } from '../src/domain.ts'
import { LoadForecaster } from '../src/ml/forecaster.ts'
import { emptyState, evaluate, type Evaluation, type Models, type ServiceState } from '../src/pipeline.ts'
import { remark } from '../src/policy/incident-feedback.ts'
import { minute, noModels, policy, sampleAt, smallWorkload, trainedOn } from './support/scaling.ts'

let withForecast: Models

beforeAll(() => {
  withForecast = { ...noModels, forecast: trainedOn(smallWorkload(), { steps: 2000 }) }
})

/** Evaluates one sample after the other; all evaluations in their order. */
function run (samples: readonly Sample[], models: Models, rules: Policy = policy): Evaluation[] {
  let state = emptyState()
  return samples.map(sample => {
    const evaluation = evaluate(state, sample, models, rules)
    state = evaluation.state
    return evaluation
  })
}

const loads = (values: readonly number[], first = 1) => values.map((requestsPerSecond, i) => sampleAt(first + i, { requestsPerSecond }))
const decided = (evaluation: Evaluation) => {
  if (evaluation.status !== 'decided') throw new Error(`Expected a decision, got ${evaluation.status}.`)
  return evaluation.decision
}
const lastDecision = (samples: readonly Sample[], models = noModels, rules = policy) => decided(run(samples, models, rules).at(-1)!)

describe('the source ladder', () => {
  it('forecasts where there is a model and a load', () => {
    const decision = lastDecision(loads(Array(30).fill(700)), withForecast)

    expect(decision.source).toBe('forecast')
    expect(decision.rawRecommendations.map(({ source }) => source)).toEqual(['forecast', 'reactive', 'hold', 'floor'])
    expect(decision.forecast?.horizonSeconds).toBe(180)
    expect(decision.modelVersion).toBe('load/test')
    expect(decision.topFeatures).toHaveLength(5)
  })

  it('reacts as HPA would without a model', () => {
    const decision = lastDecision(loads([700]))

    // 700 / 70
    expect(decision).toMatchObject({ source: 'reactive', replicas: 10, capacity: 70, load: 700, forecast: null, modelVersion: 'none' })
    expect(decision.validUntil).toBe(minute + 180_000)
  })

  it('holds the last decision while the load is missing, and says what is missing', () => {
    const decision = lastDecision([...loads([700]), sampleAt(2, { readyReplicas: 10 })])

    expect(decision).toMatchObject({ source: 'hold', replicas: 10, load: null, missingSignals: ['requestsPerSecond'] })
  })

  it('falls to what the last season needed when the load stays away for longer than it may be held', () => {
    const dark = Array.from({ length: 20 }, (_, i) => sampleAt(4 + i, {}))
    const decisions = run([...loads([700, 1400, 1400]), ...dark], noModels).map(decided)

    // held for 900 s after minute 3; then 1,400 / 100 at full utilisation of the 20 that ran
    expect(decisions[17]).toMatchObject({ source: 'hold', replicas: 20 })
    expect(decisions[18]).toMatchObject({ source: 'floor' })
    expect(decisions.at(-1)).toMatchObject({ source: 'floor', replicas: 14 })
  })

  it('has no opinion before it has ever seen a load', () => {
    expect(run([sampleAt(1, { cpuUsageRatio: 0.5 })], noModels)[0].status).toBe('warming-up')
  })

  it('learns the capacity where the target is auto, and reacts to the CPU until then', () => {
    const auto: Policy = { ...policy, target: { kind: 'auto', utilization: 0.7 } }
    // 600 requests/s keep 10 × 0.6 = 6 instances busy: 100 each, 70 at the target
    const samples = Array.from({ length: 6 }, (_, i) => sampleAt(i + 1, { requestsPerSecond: 600, cpuUsageRatio: 0.6, readyReplicas: 10 }))
    const decisions = run(samples, noModels, auto).map(decided)

    expect(decisions[0]).toMatchObject({ capacity: null, source: 'reactive', replicas: 9 })
    expect(decisions[5].capacity).toBeCloseTo(70, 6)
  })

  it('takes a utilisation target as HPA does: usage × ready replicas', () => {
    const ratio: Policy = { ...policy, target: { kind: 'ratio', signal: 'cpuUsageRatio', atTarget: 0.5 } }

    // 0.8 / 0.5 × 5 = 8
    expect(lastDecision([sampleAt(1, { cpuUsageRatio: 0.8, readyReplicas: 5 })], noModels, ratio)).toMatchObject({ source: 'reactive', replicas: 8 })
  })
})

describe('bad input', () => {
  it.each([
    { name: 'a constant load', values: Array(300).fill(700) },
    { name: 'no load at all', values: Array(300).fill(0) },
    { name: 'a load that stops', values: [...Array(200).fill(700), ...Array(100).fill(0)] },
    { name: 'a load that begins', values: [...Array(200).fill(0), ...Array(100).fill(700)] },
    { name: 'a spike of a thousand times the load', values: [...Array(200).fill(70), 70_000, ...Array(20).fill(70)] },
    { name: 'negative and impossible numbers', values: [700, -5, NaN, Infinity, 700] },
    { name: 'the smallest and the largest numbers', values: [Number.MIN_VALUE, Number.MAX_VALUE, 1e-300, 1e300] }
  ])('$name gives whole replicas within the range', ({ values }) => {
    for (const models of [noModels, withForecast]) {
      for (const { replicas, reason } of run(loads(values), models).map(decided)) {
        expect(Number.isInteger(replicas)).toBe(true)
        expect(replicas).toBeGreaterThanOrEqual(policy.minReplicas)
        expect(replicas).toBeLessThanOrEqual(policy.maxReplicas)
        expect(reason).not.toMatch(/NaN|Infinity|undefined/)
      }
    }
  })

  it('a load that is no number counts as missing', () => {
    expect(lastDecision([...loads([700]), sampleAt(2, { requestsPerSecond: -5 })])).toMatchObject({ source: 'hold', missingSignals: ['requestsPerSecond'] })
  })

  it('says by how much the most replicas fall short', () => {
    // 9,000 / 70 = 128.6; at most max(2 × 50, 54) at once and 50 in all, so that 129 − 50 are missing
    const decision = lastDecision([...loads([3500, 9000])])

    expect(decision.replicas).toBe(50)
    expect(decision.adjustments.at(-1)).toEqual({ stage: 'range', from: 100, to: 50, reason: 'TooManyReplicas: ScalingLimited, 79 more are wanted' })
  })

  it('a clock that jumps ahead by a year, and samples before it, do no harm', () => {
    const year = 525_600
    const evaluations = run([...loads([700, 700]), ...loads([700], year), ...loads([700], 3)], withForecast)

    expect(evaluations.map(({ status }) => status)).toEqual(['decided', 'decided', 'decided', 'stale'])
  })

  it('instances that are reported wrongly change no more than a decision that says so', () => {
    const reported = (readyReplicas: number) => lastDecision([...loads([700]), sampleAt(2, { requestsPerSecond: 700, readyReplicas })])

    expect(reported(1e6)).toMatchObject({ replicas: 10, currentReplicas: 1e6 })
    expect(reported(0)).toMatchObject({ replicas: 10, currentReplicas: 0 })
  })
})

describe('for any stream of samples', () => {
  const signals = fc.record({
    requestsPerSecond: fc.oneof(fc.double({ min: 0, max: 4000, noNaN: true }), fc.constantFrom(0, 1e9)),
    readyReplicas: fc.integer({ min: 0, max: 60 })
  }, { requiredKeys: [] })
  const streams = fc.array(fc.record({ wait: fc.integer({ min: -2, max: 30 }), signals }), { minLength: 1, maxLength: 40 })
    .map(entries => entries.reduce<Sample[]>((samples, { wait, signals }) => {
      const last = (samples.at(-1)?.at ?? 0) / minute
      return [...samples, sampleAt(Math.max(0, last + wait), signals as Record<string, number>)]
    }, []))
  const check = (property: (samples: readonly Sample[], models: Models) => void) =>
    fc.assert(fc.property(streams, fc.boolean(), (samples, forecast) => property(samples, forecast ? withForecast : noModels)),
      { numRuns: 60, seed: 1 })

  it('replicas lie within the range', () => {
    check((samples, models) => {
      for (const evaluation of run(samples, models)) {
        if (evaluation.status !== 'decided') continue
        expect(evaluation.decision.replicas).toBeGreaterThanOrEqual(policy.minReplicas)
        expect(evaluation.decision.replicas).toBeLessThanOrEqual(policy.maxReplicas)
      }
    })
  })

  it('replicas carry the present load, unless a stage says why not', () => {
    check((samples, models) => {
      for (const evaluation of run(samples, models)) {
        if (evaluation.status !== 'decided' || evaluation.decision.load === null) continue
        const { load, replicas, adjustments } = evaluation.decision
        const reduced = adjustments.some(({ from, to }) => to < from)
        expect(reduced || replicas >= Math.ceil(load / 100 - 1e-9)).toBe(true)
      }
    })
  })

  it('more load never means fewer replicas where the present load decides', () => {
    check(samples => {
      const state = run(samples, noModels).at(-1)!.state
      const at = state.lastAt / minute + 1
      const replicas = [0, 50, 300, 690, 700, 710, 2000, 1e6].map(requestsPerSecond =>
        decided(evaluate(state, sampleAt(at, { requestsPerSecond }), noModels, policy)).replicas)
      expect(replicas).toEqual(replicas.toSorted((a, b) => a - b))
    })
  })

  it('adjustments lead from the recommendation to the decision without a gap', () => {
    check((samples, models) => {
      for (const evaluation of run(samples, models)) {
        if (evaluation.status !== 'decided') continue
        const { rawRecommendations, adjustments, replicas } = evaluation.decision
        const path = [rawRecommendations[0].replicas, ...adjustments.map(({ to }) => to)]
        expect(adjustments.map(({ from }) => from)).toEqual(path.slice(0, -1))
        expect(path.at(-1)).toBe(replicas)
      }
    })
  })

  it('a stale sample changes nothing', () => {
    check((samples, models) => {
      let state: ServiceState = emptyState()
      for (const sample of samples) {
        const before = state
        const evaluation = evaluate(state, sample, models, policy)
        state = evaluation.state
        expect(evaluation.status === 'stale').toBe(sample.at <= before.lastAt)
        if (evaluation.status === 'stale') expect(state).toBe(before)
      }
    })
  })

  it('the same input gives the same output, and the input is left as it was', () => {
    check((samples, models) => {
      let state: ServiceState = emptyState()
      for (const sample of samples) {
        const copy = structuredClone(state)
        const first = evaluate(state, sample, models, policy)
        const second = evaluate(copy, sample, models, policy)
        expect(isDeepStrictEqual(second, first)).toBe(true)
        expect(isDeepStrictEqual(state, copy)).toBe(true)
        state = first.state
      }
    })
  })
})

describe('under any rules', () => {
  const signals = fc.record({
    requestsPerSecond: fc.oneof(fc.double({ min: 0, max: 4000, noNaN: true }), fc.constantFrom(0, NaN, -1, 1e9)),
    readyReplicas: fc.integer({ min: 0, max: 60 }),
    memoryUsageRatio: fc.double({ min: 0, max: 2, noNaN: true })
  }, { requiredKeys: [] })
  const wait = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 5 }) }, { weight: 1, arbitrary: fc.integer({ min: -5, max: 3000 }) })
  const streams = fc.array(fc.record({ wait, signals }), { minLength: 1, maxLength: 60 })
    .map(entries => entries.reduce<Sample[]>((samples, { wait, signals }) =>
      [...samples, sampleAt(Math.max(0, (samples.at(-1)?.at ?? 0) / minute + wait), signals as Record<string, number>)], []))
  const override = fc.oneof(
    fc.record({ kind: fc.constantFrom('pause' as const, 'hold' as const, 'outage' as const), reason: fc.constant('drill'), until: fc.integer({ min: 0, max: 200 * minute }) }),
    fc.record({ kind: fc.constant('force' as const), replicas: fc.integer({ min: 0, max: 200 }), reason: fc.constant('drill') }))
  const schedule = fc.record({
    times: fc.oneof(
      fc.record({ kind: fc.constant('once' as const), at: fc.integer({ min: 0, max: 100 * minute }), until: fc.integer({ min: 0, max: 200 * minute }) }),
      fc.record({ kind: fc.constant('cron' as const), cron: fc.constantFrom('*/20 * * * *', '30 1 * * *'), timeZone: fc.constantFrom('UTC', 'Europe/Berlin'), lasts: fc.constantFrom(600, '*/30 * * * *') })),
    reason: fc.constant('sale'),
    minReplicas: fc.integer({ min: 0, max: 100 }),
    maxReplicas: fc.integer({ min: 1, max: 100 }),
    factor: fc.constantFrom(1.5, 10)
  }, { requiredKeys: ['times', 'reason'] })
  const rules = fc.record({
    minReplicas: fc.constantFrom(0, 1, 5),
    overrides: fc.array(override, { maxLength: 3 }),
    schedules: fc.array(schedule, { maxLength: 3 }),
    budget: fc.record({ instanceHoursPerDay: fc.double({ min: 0.1, max: 500, noNaN: true }), timeZone: fc.constantFrom('UTC', 'Asia/Kolkata') }),
    outageHold: fc.record({ ttlSeconds: fc.constantFrom(0, 300, 3600) }),
    spikeCap: fc.record({ factor: fc.constantFrom(1.1, 3), steps: fc.constantFrom(0, 3) }),
    drivers: fc.constant([{ kind: 'ratio' as const, signal: 'memoryUsageRatio', atTarget: 0.8 }])
  }, { requiredKeys: [] }).map((some): Policy => ({ ...policy, ...some }))
  const check = (property: (samples: readonly Sample[], rules: Policy) => void) =>
    fc.assert(fc.property(streams, rules, property), { numRuns: 150, seed: 1 })

  it('replicas are whole, within the range, and explained without a gap', () => {
    check((samples, rules) => {
      for (const evaluation of run(samples, noModels, rules)) {
        if (evaluation.status !== 'decided') continue
        const { replicas, rawRecommendations, adjustments, notices = [], reason } = evaluation.decision
        expect(Number.isInteger(replicas) && replicas >= rules.minReplicas && replicas <= rules.maxReplicas).toBe(true)
        const path = [rawRecommendations[0].replicas, ...adjustments.map(({ to }) => to)]
        expect([adjustments.map(({ from }) => from), path.at(-1)]).toEqual([path.slice(0, -1), replicas])
        expect([reason, ...notices].join()).not.toMatch(/NaN|Infinity|undefined|: $/)
      }
    })
  })

  it('nothing takes what the present load needs without saying so, and none run only where the load is known or an operator says so', () => {
    check((samples, rules) => {
      for (const evaluation of run(samples, noModels, rules)) {
        if (evaluation.status !== 'decided') continue
        const { load, replicas, adjustments } = evaluation.decision
        const reduced = adjustments.some(({ from, to }) => to < from)
        expect(reduced || replicas >= Math.ceil((load ?? 0) / 100 - 1e-9)).toBe(true)
        const isOrdered = adjustments.some(({ stage }) => stage === 'override' || stage === 'schedule' || stage === 'budget')
        expect(replicas > 0 || load !== null || isOrdered).toBe(true)
      }
    })
  })

  it('the same input gives the same output, and leaves the input as it was', () => {
    check((samples, rules) => {
      const states = run(samples, noModels, rules)
      expect(isDeepStrictEqual(run(samples, noModels, rules), states)).toBe(true)
      const { state } = states.at(-1)!
      const copy = structuredClone(state)
      evaluate(state, sampleAt(state.lastAt / minute + 1, { requestsPerSecond: 70_000 }), noModels, rules)
      expect(isDeepStrictEqual(state, copy)).toBe(true)
    })
  })

  it('more load never means fewer replicas, but for a collapse that is held and a spike that is not believed', () => {
    check((samples, rules) => {
      const { state } = run(samples, noModels, rules).at(-1)!
      if (!Number.isFinite(state.lastAt)) return
      const replicas = [0, 50, 300, 690, 700, 710, 2000, 1e6].flatMap(requestsPerSecond => {
        const decision = decided(evaluate(state, sampleAt(state.lastAt / minute + 1, { requestsPerSecond, memoryUsageRatio: 0.5, readyReplicas: 5 }), noModels, rules))
        return decision.outageSince !== undefined || decision.adjustments.some(({ stage }) => stage === 'spike') ? [] : [decision.replicas]
      })
      expect(replicas).toEqual(replicas.toSorted((a, b) => a - b))
    })
  })
})

describe('incidents', () => {
  /** 200 calm minutes, then this many with a load that nobody has seen, then 10 calm ones. */
  const lived = (bad: number) => run(Array.from({ length: 210 + bad }, (_, i) =>
    sampleAt(i + 1, { requestsPerSecond: i >= 200 && i < 200 + bad ? 50_000 : 100 + i % 5 })), noModels)

  it('come from the verdicts, and every verdict names the one that is open', () => {
    const evaluations = lived(2).flatMap((evaluation) => evaluation.status === 'stale' ? [] : [evaluation])
    const changes = evaluations.flatMap(({ incidents }) => incidents.changes.map(({ change, incident }) => [change, incident.startedAt / minute]))
    expect(changes).toEqual([['opened', 201], ['closed', 201]])
    // The step back in minute 203 is as unusual; from then on it has to be quiet for five minutes.
    expect(evaluations.filter(({ verdict }) => verdict.incident === 'shop.12060000').map(({ verdict }) => verdict.asOf / minute)).toEqual([201, 202, 203, 204, 205, 206, 207])
  })

  it('begin anew where a state of an earlier release knows nothing of them', () => {
    const { incidents, ...before } = lived(0).at(-1)!.state
    expect(incidents).toEqual({ newest: null })
    const evaluation = evaluate(before, sampleAt(300, { requestsPerSecond: 50_000 }), noModels, policy)
    expect(evaluation).toMatchObject({ incidents: { changes: [{ change: 'opened' }] }, state: { incidents: { newest: { state: 'open' } } } })
  })
})

describe('the state', () => {
  it('stays below 64 KiB through a fortnight of minutes', () => {
    let state = emptyState()
    let largest = 0
    for (let at = 1; at <= 14 * 1440; at++) {
      const load = 700 + 500 * Math.sin(at / 229)
      state = evaluate(state, sampleAt(at, { requestsPerSecond: load, cpuUsageRatio: 0.5, memoryUsageRatio: 0.4, readyReplicas: 10 }), noModels, policy).state
      if (at % 720 === 0) largest = Math.max(largest, sizeOf(state))
    }

    expect(state.anomaly.standard).not.toBeNull()
    expect(largest).toBeLessThan(65_536)
  })

  it('stays below 64 KiB with as many signals as are looked at, while it studies them and after, in an incident, with all that is remembered', () => {
    let state = emptyState()
    let largest = 0
    const days = 5
    const own = (version: string) => LoadForecaster.fromBytes(withForecast.forecast!.toBytes(), version)
    const models = { ...withForecast, local: [own('local/1'), own('local/2')] }
    for (let at = 1; at <= days * 1440; at++) {
      const isBad = at > days * 1440 - 10
      const signals = Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`signal${i}UsageRatio`, 0.5 + 0.01 * (at * i % 7) + (isBad && i % 20 === at % 2 ? 3 + i : 0)]))
      state = evaluate(state, sampleAt(at, { requestsPerSecond: 700 + at % 9, readyReplicas: 10, ...signals }), models, policy).state
      if (at % 360 === 0) largest = Math.max(largest, sizeOf(state))
    }
    expect(state.anomaly.standard).not.toBeNull()
    expect(state.forecasts!.contest).toHaveLength(2)
    expect(state.incidents!.newest).toMatchObject({ state: 'open', causes: { length: 6 } })
    expect(largest).toBeLessThan(65_536)
    for (let i = 0; i < 100; i++) {
      const incident = { ...state.incidents!.newest!, id: `shop.${i}` }
      state = { ...state, incidents: remark(state.incidents!, incident, { incident: incident.id, verdict: 'normal', at: 1, by: 'ann' }).state }
    }
    expect(sizeOf(state)).toBeLessThan(65_536)
  }, 60_000)
})

/** Bytes of all numbers and texts, keys included: about what msgpack makes of them. */
function sizeOf (value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (typeof value === 'string') return value.length
  if (value === null || typeof value !== 'object') return 9
  return Object.entries(value).reduce((sum, [key, part]) => sum + (Array.isArray(value) ? 0 : key.length) + sizeOf(part), 0)
}
