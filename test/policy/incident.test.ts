import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cause, Severity } from '../../src/domain.ts'
import { isOpen, nextIncident } from '../../src/policy/incident.ts'
import { mostIncidentCauses } from '../../src/policy/incident-causes.ts'
import { errors, follow, verdictOf } from '../support/incidents.ts'

const minute = 60_000
const cause = (signal: string, value: number, share: number): Cause => ({ signal, value, expectedLow: 0, expectedHigh: 1, share, text: `${signal} ${value}` })
/** One verdict a minute, from the first on. */
const minutes = (...severities: Severity[]) => severities.map((severity, i) => verdictOf((i + 1) * minute, severity))
const calm = (count: number): Severity[] => Array.from({ length: count }, () => 'none')
const told = (...severities: Severity[]) => follow(minutes(...severities)).changes.map(({ change, incident }) => [change, incident.lastAnomalyAt / minute])

describe('consecutive anomalies', () => {
  it('are one incident with start, peak and end', () => {
    const { newest } = follow([
      verdictOf(1 * minute, 'medium', { score: 0.6 }), verdictOf(2 * minute, 'high', { score: 0.9 }), verdictOf(3 * minute, 'medium', { score: 0.7 }), ...[4, 5, 6, 7, 8].map((at) => verdictOf(at * minute))
    ])
    expect(newest).toMatchObject({
      id: 'shop.60000', state: 'closed', startedAt: minute, lastAnomalyAt: 3 * minute, endedAt: 3 * minute, peak: { at: 2 * minute, score: 0.9 }, severity: 'high', anomalies: 3, reopened: 0, feedback: null
    })
  })

  it('stay one while calm samples lie between them', () => {
    expect(told('medium', 'none', 'none', 'medium', ...calm(4))).toEqual([['opened', 1]])
  })

  it('are closed after five quiet minutes, and not before', () => {
    expect(told('medium', ...calm(4))).toEqual([['opened', 1]])
    expect(told('medium', ...calm(5), ...calm(20))).toEqual([['opened', 1], ['closed', 1]])
  })

  it('are told once, and again only when they get worse or another signal joins', () => {
    expect(told('medium', 'medium', 'high', 'medium', 'high', 'critical')).toEqual([['opened', 1], ['updated', 3], ['updated', 6]])
    const { changes } = follow([verdictOf(minute, 'high'), verdictOf(2 * minute, 'high', { causes: [errors, cause('cpuUsageRatio', 3, 0.2)] }), verdictOf(3 * minute, 'high', { action: 'immediate_maintenance', probability: 0.8 })])
    expect(changes.map(({ change, incident }) => [change, incident.revision, incident.causes.length, incident.maintenance.action])).toEqual([
      ['opened', 1, 1, 'no_action_needed'], ['updated', 2, 2, 'no_action_needed'], ['updated', 3, 2, 'immediate_maintenance']
    ])
  })

  it('reopen the incident that closed within the hour, and are another one after it', () => {
    // The anomaly of minute 1 is 59 minutes old in minute 60, and 61 in minute 62.
    const soon = follow(minutes('medium', ...calm(58), 'medium'))
    expect(soon.newest).toMatchObject({ id: 'shop.60000', state: 'open', endedAt: null, anomalies: 2, reopened: 1 })
    expect(soon.changes.map(({ change }) => change)).toEqual(['opened', 'closed', 'opened'])
    expect(follow(minutes('medium', ...calm(60), 'medium')).newest).toMatchObject({ id: `shop.${62 * minute}`, anomalies: 1, reopened: 0 })
  })

  it('on both sides of a gap of hours are two incidents, and the first ends with its last anomaly', () => {
    const { changes } = follow([verdictOf(minute, 'high'), verdictOf(300 * minute, 'high')])
    expect(changes.map(({ change, incident }) => [change, incident.id, incident.endedAt])).toEqual([
      ['opened', 'shop.60000', null], ['closed', 'shop.60000', minute], ['opened', `shop.${300 * minute}`, null]
    ])
  })

  it('of hourly samples are not closed before three of them were calm', () => {
    const hourly = (...severities: Severity[]) =>
      severities.reduce((state, severity, i) => nextIncident(state, verdictOf(i * 60 * minute, severity), { stepSeconds: 3600 }).state, follow([]).state)
    expect(isOpen(hourly('high', 'none', 'none'))).toBe(true)
    expect(isOpen(hourly('high', 'none', 'none', 'none'))).toBe(false)
  })

  it('end and come back as the configuration of the service says', () => {
    const policy = { stepSeconds: 60, anomalies: { signals: {}, closeAfterSeconds: 600, reopenWithinSeconds: 600 } }
    const run = (...severities: Severity[]) => minutes(...severities).reduce((state, verdict) => nextIncident(state, verdict, policy).state, follow([]).state)
    expect(isOpen(run('medium', ...calm(9)))).toBe(true)
    expect(isOpen(run('medium', ...calm(10)))).toBe(false)
    expect(run('medium', ...calm(10), 'medium').newest).toMatchObject({ id: `shop.${12 * minute}` })
  })
})

describe('the causes of an incident', () => {
  it('are each as they were at their worst, with their mean share, largest first', () => {
    const { newest } = follow([
      verdictOf(minute, 'high', { causes: [cause('a', 2, 0.8), cause('b', 5, 0.2)] }),
      verdictOf(2 * minute, 'high', { causes: [cause('b', 9, 1)] }),
      verdictOf(3 * minute, 'high', { causes: [cause('b', 4, 0.6), cause('c', -1, 0.4)] })
    ])
    // b: (0.2 + 1 + 0.6) / 3; a: (0.8 + 0 + 0) / 3; c: 0.4 / 3.
    const seen = newest!.causes.map(({ signal, direction, value, firstAt, lastAt, peakAt, share }) =>
      [signal, direction, value, [firstAt, peakAt, lastAt].map((at) => at / minute), share.toFixed(3)])
    expect(seen).toEqual([['b', 'up', 9, [1, 2, 3], '0.600'], ['a', 'up', 2, [1, 1, 1], '0.267'], ['c', 'down', -1, [3, 3, 3], '0.133']])
  })

  it('say of a signal within its range that it moved in both directions', () => {
    expect(follow([verdictOf(minute, 'high', { causes: [cause('a', 0.5, 1)] })]).newest!.causes[0].direction).toBe('both')
  })
})

it('whatever comes, an incident stays small, its shares add up to at most 1, and every opening is closed before the next', () => {
  const step = fc.record({
    gap: fc.integer({ min: 1, max: 200 }),
    severity: fc.constantFrom<Severity>('none', 'none', 'medium', 'critical'),
    signals: fc.uniqueArray(fc.nat({ max: 40 }), { minLength: 1, maxLength: 5 })
  })
  fc.assert(fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
    let at = 0
    const { newest, changes } = follow(steps.map(({ gap, severity, signals }) => {
      at += gap * minute
      return verdictOf(at, severity, { causes: signals.map((n) => cause(`s${n}`, n, 1 / signals.length)) })
    }))
    const openings = changes.filter(({ change }) => change !== 'updated').map(({ change }) => change)
    expect(openings).toEqual(openings.map((_, i) => i % 2 === 0 ? 'opened' : 'closed'))
    if (newest === null) return
    expect(newest.causes.length).toBeLessThanOrEqual(mostIncidentCauses)
    expect(newest.causes.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9)
    expect(JSON.stringify(newest).length).toBeLessThan(4096)
  }))
})
