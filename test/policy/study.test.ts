import { beforeAll, describe, expect, it } from 'vitest'
import type { Signals, Verdict } from '../../src/domain.ts'
import { createRandom, normal } from '../../src/ml/random.ts'
import type { Random } from '../../src/ml/random.ts'
import { detect, emptyAnomalyState } from '../../src/policy/verdict.ts'
import type { AnomalyState, DetectOptions } from '../../src/policy/verdict.ts'

const minute = 60_000
const day = 1440
const options: DetectOptions = { model: null, falseAlarmsPerWeek: 7, stepSeconds: 60 }

/** A service of six signals with a daily cycle, as it is at `step`. */
function calm (step: number, random: Random): Record<string, number> {
  const load = 1 + 0.5 * Math.sin(2 * Math.PI * step / day)
  const noisy = (usual: number, share: number) => Math.max(0, usual * (1 + share * normal(random)))
  return {
    requestsPerSecond: noisy(300 * load, 0.03),
    cpuUsageRatio: noisy(0.4 * load, 0.04),
    memoryUsageRatio: noisy(0.5, 0.02),
    errorRatio: noisy(0.01, 0.2),
    responseTimeSeconds: noisy(0.1, 0.1),
    queueLength: noisy(20, 0.15)
  }
}

/** `steps` calm minutes from `from` on, changed by `change`. */
function minutes (from: number, steps: number, change: (signals: Record<string, number>, step: number) => Signals = signals => signals): Signals[] {
  const random = createRandom(from + 1)
  return Array.from({ length: steps }, (_, i) => change(calm(from + i, random), i))
}

function run (samples: readonly Signals[], { state = emptyAnomalyState(), from = 0, ...given }: Partial<DetectOptions> & { state?: AnomalyState, from?: number } = {}) {
  const verdicts: Verdict[] = []
  for (const [i, signals] of samples.entries()) {
    const step = detect(state, { service: 'shop', at: (from + i + 1) * minute, signals }, { ...options, ...given })
    state = step.state
    verdicts.push(step.verdict)
  }
  return { state, verdicts }
}

const begins = (verdicts: readonly Verdict[]) => verdicts.filter(({ isAnomaly }, i) => isAnomaly && !verdicts[i - 1]?.isAnomaly).length

/** An error ratio and a response time that lie 2 deviations higher: no single sample is rare, but they do not end. */
const worn = (signals: Record<string, number>) => ({ ...signals, errorRatio: signals.errorRatio + 0.004, responseTimeSeconds: signals.responseTimeSeconds + 0.02 })

describe('A service that nobody trained', () => {
  let atFour: AnomalyState
  let studied: AnomalyState
  beforeAll(() => {
    atFour = run(minutes(0, 4 * day)).state
    studied = run(minutes(4 * day, day), { state: atFour, from: 4 * day }).state
  }, 60_000)

  it('waits for a season before its forest grows: until then no deviation from it is known', () => {
    // The first sample is at minute 1, so at the end of the day a minute is missing.
    expect(run(minutes(0, day)).state.study!.forest.turn).toBe(0)
    expect(run(minutes(0, day + 10)).state.study!.forest.turn).toBe(10)
  })

  it('has a standard of its own after one day of waiting, one of counting and two of scores', () => {
    expect(atFour.standard).toBeNull()
    expect(studied.standard).not.toBeNull()
    expect(studied.forest!.sizes).toHaveLength(24)
    // What it needed until then is not kept.
    expect([studied.surprise, studied.study]).toEqual([null, null])
  })

  it('then finds what is weak and lasts, which it could not before', () => {
    const two = 5 * day
    const before = run(minutes(0, 3 * day + 180, (signals, step) => step >= 3 * day ? worn(signals) : signals)).verdicts.slice(3 * day + 30)
    const after = run(minutes(two, 180, worn), { state: studied, from: two }).verdicts.slice(30)
    const share = (verdicts: readonly Verdict[]) => verdicts.filter(({ isAnomaly }) => isAnomaly).length / verdicts.length
    expect(share(before)).toBeLessThan(0.1)
    expect(share(after)).toBeGreaterThan(0.8)
    expect(['errorRatio', 'responseTimeSeconds']).toContain(after.find(({ isAnomaly }) => isAnomaly)!.causes[0].signal)
  })

  it('is calm on calm days: at most the one false alarm a day that was asked for', () => {
    expect(begins(run(minutes(5 * day, 14 * day), { state: studied, from: 5 * day }).verdicts)).toBeLessThanOrEqual(28)
  })

  it('learns from no sample that is anomalous', () => {
    const broken = minutes(5 * day, 60, signals => ({ ...signals, errorRatio: 0.5 }))
    const { state, verdicts } = run(broken, { state: studied, from: 5 * day })
    expect(verdicts.every(({ isAnomaly }) => isAnomaly)).toBe(true)
    // The state before the first of them is the last that was taught by a calm sample.
    expect(state.forest).toBe(studied.forest)
  })

  it('takes no anomaly into what it studies', () => {
    const flawed = run(minutes(0, 5 * day, (signals, step) => step % 1000 === 999 ? { ...signals, errorRatio: 1 } : signals)).state
    expect(flawed.standard!.threshold).toBeLessThan(2 * studied.standard!.threshold)
  })

  it('follows a slow drift, and is not in alarm for ever', () => {
    const weeks = 8 * 7 * day
    // Memory grows by a tenth within eight weeks, which is five deviations: a deviation in eleven days.
    const growing = minutes(5 * day, weeks, (signals, step) => ({ ...signals, memoryUsageRatio: signals.memoryUsageRatio * (1 + 0.1 * step / weeks) }))
    const { verdicts } = run(growing, { state: studied, from: 5 * day })
    const last = verdicts.slice(-7 * day)
    // With scales that stay as they were, it is in alarm for 70 % of the fourth to sixth week.
    expect(last.filter(({ isAnomaly }) => isAnomaly).length / last.length).toBeLessThan(0.4)
  }, 60_000)

  it('is the same for the same samples', () => {
    const again = run(minutes(4 * day, day), { state: atFour, from: 4 * day }).state
    expect(again).toEqual(studied)
  })

  it('studies nothing where it is told not to', () => {
    const { state } = run(minutes(0, 5 * day), { studies: false })
    expect([state.standard, state.study]).toEqual([null, null])
  }, 60_000)
})
