import { describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { detect, emptyAnomalyState } from '../../src/policy/verdict.ts'

const stepSeconds = 300
const stepsOfDay = 288

/** Days of a service with two signals, the second of which is moved by `shift` on the last day. */
function lastVerdict (days: number, shift: number) {
  const random = createRandom(1)
  let state = emptyAnomalyState()
  let last
  for (let step = 1; step <= days * stepsOfDay; step++) {
    const isLastDay = step > (days - 1) * stepsOfDay
    const signals = { requestsPerSecond: 100 + 5 * normal(random), cpuUsageRatio: 0.5 + 0.02 * normal(random) + (isLastDay ? shift : 0) }
    const next = detect(state, { service: 'shop', at: step * stepSeconds * 1000, signals }, { model: null, falseAlarmsPerWeek: 7, stepSeconds, seasonSeconds: null })
    state = next.state
    last = next.verdict
  }
  return last!
}

describe('Drift of a service', () => {
  it('is nothing while every day is like the others', () => {
    expect(lastVerdict(6, 0).drift).toMatchObject({ signals: [], reason: null })
  })

  it('names the signal that has moved and says whether scores did', () => {
    const { drift } = lastVerdict(6, 0.1)
    expect(drift!.signals.map(({ signal }) => signal)).toEqual(['cpuUsageRatio'])
    expect(drift!.reason).toContain('cpuUsageRatio')
  })
})
