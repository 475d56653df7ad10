import { describe, expect, it } from 'vitest'
import { arrange, stateOf, withEvent, type FleetRow, type Sorting, type Wanted } from '../../src/dashboard/fleet-rows.ts'
import { decisionOf, now } from '../api/support.ts'

const row = (service: string, { replicas = 2, ready = 2, severity = 'none' as const, validUntil = now + 1, score = 0.1, ...more }: Record<string, any> = {}): FleetRow => ({
  service,
  asOf: now - 1000,
  decision: { asOf: now - 1000, validUntil, replicas, currentReplicas: ready, source: 'forecast' },
  verdict: { asOf: now - 1000, score, isAnomaly: severity !== 'none', severity },
  ...more
})
const fleet = [row('web-shop', { replicas: 9, severity: 'high' }), row('api', { incident: true, saved: { since: now - 1, instanceHours: 3, violationMinutes: 0 } }), row('Search', { replicas: 9, validUntil: now - 1 }), row('mail', { decision: null, verdict: null, suggestion: true })]
const byName: Sorting = { key: 'service', descending: false }
const names = (wanted: Partial<Wanted>, sorting = byName) => arrange(fleet, { search: '', show: 'all', ...wanted }, sorting, now).map(({ service }) => service)

describe('the rows of the fleet', () => {
  it.each([
    [{ search: ' S ' }, ['Search', 'web-shop']],
    [{ show: 'abnormal' }, ['web-shop']],
    [{ show: 'changing' }, ['Search', 'web-shop']],
    [{ show: 'stale' }, ['Search', 'mail']],
    [{ show: 'suggestion' }, ['mail']],
    [{ show: 'incident' }, ['api']],
    [{ search: 'nothing' }, []]
  ] as const)('are those that %j asks for', (wanted, expected) => {
    expect(names(wanted)).toEqual(expected)
  })

  it('are in the order of a column, and by name where that is equal', () => {
    expect(names({}, { key: 'replicas', descending: true })).toEqual(['Search', 'web-shop', 'api', 'mail'])
    expect(names({}, { key: 'severity', descending: true })).toEqual(['web-shop', 'Search', 'api', 'mail'])
    expect(names({}, { key: 'saved', descending: true })[0]).toBe('api')
    expect(names({}, { key: 'service', descending: true })).toEqual(['web-shop', 'mail', 'api', 'Search'])
  })

  it('say whether the decision may still be used', () => {
    expect(fleet.map((one) => stateOf(one, now))).toEqual(['current', 'current', 'stale', 'waiting'])
  })

  it('take in what the stream tells, and nothing older than what they know', () => {
    const decision = decisionOf('new', { asOf: now, replicas: 5 })
    const fresh = withEvent(undefined, { kind: 'decision', decision })!
    expect(fresh).toMatchObject({ service: 'new', asOf: now, decision: { replicas: 5 }, verdict: null })
    expect(withEvent(fresh, { kind: 'decision', decision: { ...decision, asOf: now - 1, replicas: 4 } })).toEqual(fresh)
    expect(withEvent(fresh, { kind: 'suggestion', suggestion: { service: 'new', changed: ['timeoutMs'] } })).toMatchObject({ suggestion: true, decision: { replicas: 5 } })
    expect(withEvent(fresh, { kind: 'suggestion', suggestion: { service: 'new', changed: [] } })).toMatchObject({ suggestion: false })
    expect(withEvent(fresh, { kind: 'incident', incident: { service: 'new', state: 'open' } })).toMatchObject({ incident: true, decision: { replicas: 5 } })
    expect(withEvent(fresh, { kind: 'incident', incident: { service: 'new', state: 'closed' } })).toMatchObject({ incident: false })
    expect(withEvent(fresh, { kind: 'model' })).toBeNull()
  })
})
