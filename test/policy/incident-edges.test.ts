import { describe, expect, it } from 'vitest'
import type { Incident, Signals } from '../../src/domain.ts'
import { createRandom, normal } from '../../src/ml/random.ts'
import { emptyState, evaluate } from '../../src/pipeline.ts'
import { minute, noModels, policy, sampleAt } from '../support/scaling.ts'

/** A calm service, minute after minute. */
function calm (steps: number): Signals[] {
  const random = createRandom(2)
  return Array.from({ length: steps }, () => ({
    requestsPerSecond: 100 + 5 * normal(random), cpuUsageRatio: 0.5 + 0.02 * normal(random), errorRatio: 0.01 + 0.001 * normal(random)
  }))
}

/** What becomes of incidents when these samples come, each at its minute. */
function incidentsOf (samples: readonly (readonly [at: number, signals: Signals])[]): Incident[] {
  let state = emptyState()
  const found = new Map<string, Incident>()
  for (const [at, signals] of samples) {
    const evaluation = evaluate(state, sampleAt(at, signals), noModels, policy)
    state = evaluation.state
    if (evaluation.status === 'stale') continue
    for (const { incident } of evaluation.incidents.changes) found.set(incident.id, incident)
  }
  return [...found.values()]
}
const inRow = (samples: readonly Signals[], from = 1) => samples.map((signals, i) => [from + i, signals] as const)
const before = inRow(calm(500))

describe('incidents on bad input', () => {
  it('are none for a signal that appears or disappears', () => {
    const more = calm(100).map((signals) => ({ ...signals, queueLength: 40 }))
    const fewer = calm(100).map(({ requestsPerSecond, cpuUsageRatio }) => ({ requestsPerSecond, cpuUsageRatio }))
    expect(incidentsOf([...before, ...inRow(more, 501), ...inRow(fewer, 601)])).toEqual([])
  })

  it('are one for a change of unit by a factor of 1,000, however long it lasts, with that signal as the first cause', () => {
    const found = incidentsOf([...before, ...inRow(calm(60).map((signals) => ({ ...signals, requestsPerSecond: 1000 * signals['requestsPerSecond'] })), 501)])
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ startedAt: 501 * minute, causes: [{ signal: 'requestsPerSecond', direction: 'up' }] })
  })

  it('are none for a gap of hours', () => {
    expect(incidentsOf([...before, ...inRow(calm(100), 900)])).toEqual([])
  })

  it('count a row that comes twice once', () => {
    const fault = [501, { ...calm(1)[0], errorRatio: 0.3 }] as const
    const once = incidentsOf([...before, fault, ...inRow(calm(20), 502)])
    expect(incidentsOf([...before, fault, fault, fault, ...inRow(calm(20), 502).flatMap((row) => [row, row])])).toEqual(once)
    expect(once).toHaveLength(1)
  })
})
