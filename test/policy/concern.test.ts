import { describe, expect, it } from 'vitest'
import type { AnomalyRules, Direction, Signals, Verdict } from '../../src/domain.ts'
import { createRandom, normal } from '../../src/ml/random.ts'
import { detect, emptyAnomalyState, type DetectOptions } from '../../src/policy/verdict.ts'

const minute = 60_000
const rules = (signal: string, { direction = 'both' as Direction, minimumDeviation = { absolute: 0 } as { absolute: number } | { relative: number } }): Partial<DetectOptions> => {
  const anomalies: AnomalyRules = { signals: { [signal]: { direction, minimumDeviation, limit: null } }, closeAfterSeconds: 300, reopenWithinSeconds: 3600 }
  return { anomalies }
}

/** CPU around 0.5 ± 0.02 and requests around 100 ± 5. */
function calm (steps: number): Signals[] {
  const random = createRandom(4)
  return Array.from({ length: steps }, () => ({ cpuUsageRatio: 0.5 + 0.02 * normal(random), requestsPerSecond: 100 + 5 * normal(random) }))
}

function run (samples: readonly Signals[], options: Partial<DetectOptions> = {}): Verdict[] {
  let state = emptyAnomalyState()
  return samples.map((signals, i) => {
    const next = detect(state, { service: 'shop', at: (i + 1) * minute, signals }, { model: null, falseAlarmsPerWeek: 7, stepSeconds: 60, ...options })
    state = next.state
    return next.verdict
  })
}

const before = calm(1000)
const lastOf = (cpuUsageRatio: number, options: Partial<DetectOptions>) => run([...before, { cpuUsageRatio, requestsPerSecond: 100 }], options).at(-1)!
const alarms = (verdicts: readonly Verdict[]) => verdicts.filter(({ isAnomaly }) => isAnomaly).length

describe('what nobody cares about', () => {
  it.each([
    { cpu: 0.9, direction: 'both', alarm: true },
    { cpu: 0.9, direction: 'up', alarm: true },
    { cpu: 0.9, direction: 'down', alarm: false },
    { cpu: 0.1, direction: 'both', alarm: true },
    { cpu: 0.1, direction: 'up', alarm: false },
    { cpu: 0.1, direction: 'down', alarm: true }
  ] as const)('CPU at $cpu with direction $direction alarms: $alarm', ({ cpu, direction, alarm }) => {
    const verdict = lastOf(cpu, rules('cpuUsageRatio', { direction }))
    expect(verdict.isAnomaly).toBe(alarm)
    expect(verdict.causes.some(({ signal }) => signal === 'cpuUsageRatio')).toBe(alarm)
  })

  // 0.75 is 0.25 above the usual 0.5, which is 50 %.
  it.each([
    { minimumDeviation: { absolute: 0.3 }, alarm: false },
    { minimumDeviation: { absolute: 0.2 }, alarm: true },
    { minimumDeviation: { relative: 0.6 }, alarm: false },
    { minimumDeviation: { relative: 0.4 }, alarm: true }
  ])('a deviation of 0.25 with $minimumDeviation alarms: $alarm', ({ minimumDeviation, alarm }) => {
    expect(lastOf(0.75, rules('cpuUsageRatio', { minimumDeviation })).isAnomaly).toBe(alarm)
  })

  it('is not the return from there either', () => {
    const dip = { cpuUsageRatio: 0.1, requestsPerSecond: 100 }
    const verdicts = run([...before, dip, dip, dip, ...Array(30).fill({ cpuUsageRatio: 0.5, requestsPerSecond: 100 })], rules('cpuUsageRatio', { direction: 'up' }))
    expect(alarms(verdicts.slice(1000))).toBe(0)
  })

  it('leaves other signals alone', () => {
    const options = rules('cpuUsageRatio', { direction: 'down' })
    expect(run([...before, { cpuUsageRatio: 0.9, requestsPerSecond: 300 }], options).at(-1)).toMatchObject({ isAnomaly: true, causes: [{ signal: 'requestsPerSecond' }] })
  })
})

describe('what was called normal', () => {
  const expected = [{ signal: 'cpuUsageRatio', direction: 'up' as const, size: 0.4 }]
  // A quarter more than 0.4 is 0.5: up to 1.0.
  it.each([
    { cpu: 0.7, alarm: false }, { cpu: 0.9, alarm: false }, { cpu: 0.98, alarm: false }, { cpu: 1.3, alarm: true }, { cpu: 0.1, alarm: true }
  ])('CPU at $cpu alarms: $alarm', ({ cpu, alarm }) => {
    expect(lastOf(cpu, { expected }).isAnomaly).toBe(alarm)
  })

  it('may come and go', () => {
    const excursion = [{ cpuUsageRatio: 0.9, requestsPerSecond: 100 }, { cpuUsageRatio: 0.88, requestsPerSecond: 100 }]
    expect(alarms(run([...before, ...excursion, ...before.slice(0, 30)]).slice(1000))).toBeGreaterThan(0)
    expect(alarms(run([...before, ...excursion, ...before.slice(0, 30)], { expected }).slice(1000))).toBe(0)
  })
})

it('a higher threshold makes of the same sample a lower score', () => {
  const [ordinary, raised] = [1, 1.5].map((thresholdFactor) => lastOf(0.62, { thresholdFactor }).score)
  // score = ratio / (ratio + 1), and the ratio is divided by the factor.
  expect(raised / (1 - raised)).toBeCloseTo(ordinary / (1 - ordinary) / 1.5)
})
