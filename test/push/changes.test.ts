import { describe, expect, it } from 'vitest'
import type { MaintenanceAction, ServiceEvent, Severity } from '../../src/domain.ts'
import { alertsFor, openAlerts } from '../../src/push/alertmanager.ts'
import { follow, nothingPushed, type Change, type PushState } from '../../src/push/changes.ts'
import { deliveriesFor } from '../../src/push/targets.ts'
import { webhookBody, webhookHeaders } from '../../src/push/webhook.ts'
import { decisionOf } from '../api/support.ts'
import { follow as incidentsOf, verdictOf } from '../support/incidents.ts'

const minute = 60_000
const decided = (at: number, replicas: number): ServiceEvent => ({ kind: 'decision', decision: decisionOf('shop', { asOf: at * minute, replicas }) })
const judged = (at: number, severity: Severity, { action = 'no_action_needed' as MaintenanceAction } = {}): ServiceEvent =>
  ({ kind: 'verdict', verdict: verdictOf(at * minute, severity, { action }) })
/** Verdicts, each with what it makes of the incidents, as the worker commits them. */
function lived (...verdicts: (readonly [at: number, severity: Severity])[]): ServiceEvent[] {
  let state = incidentsOf([]).state
  return verdicts.flatMap(([at, severity]) => {
    const next = incidentsOf([verdictOf(at * minute, severity)], state)
    state = next.state
    return [judged(at, severity), ...next.changes.map((change) => ({ kind: 'incident' as const, ...change }))]
  })
}

function run (events: readonly ServiceEvent[]): { state: PushState, changes: Change[] } {
  return events.reduce<{ state: PushState, changes: Change[] }>(({ state, changes }, event) => {
    const next = follow(state, event)
    return { state: next.state, changes: [...changes, ...next.changes] }
  }, { state: nothingPushed, changes: [] })
}
const kinds = (...events: ServiceEvent[]) => run(events).changes.map((change) => [change.kind, change.at / minute])

describe('what is told of decisions', () => {
  it('is a number of replicas that differs from the one before, and not the first one', () => {
    const { changes } = run([decided(1, 4), decided(2, 4), decided(3, 6)])
    expect(changes).toMatchObject([{ kind: 'decision.changed', service: 'shop', from: 4, to: 6, decision: { replicas: 6 } }])
  })

  it('is told once, also when an event comes twice or late', () => {
    expect(kinds(decided(1, 4), decided(2, 6), decided(2, 6), decided(1, 4))).toEqual([['decision.changed', 2]])
  })

  it('is told to nobody while the service is in shadow, and is told when it advises', () => {
    const inMode = (mode: 'shadow' | 'advise', at: number, replicas: number): ServiceEvent =>
      ({ kind: 'decision', decision: decisionOf('shop', { mode, asOf: at * minute, replicas }) })

    expect(kinds(inMode('shadow', 1, 4), inMode('shadow', 2, 6))).toEqual([])
    expect(kinds(inMode('shadow', 1, 4), inMode('advise', 2, 6))).toEqual([['decision.changed', 2]])
  })
})

describe('what is told of suggestions', () => {
  const suggested = (at: number, threads: number, mode: 'suggest' | 'apply' = 'apply'): ServiceEvent => ({
    kind: 'suggestion',
    suggestion: { service: 'shop', asOf: at * minute, source: 'results', config: { threads }, changed: [], reason: 'r', observations: 1, modelVersion: 'results+1', mode }
  })

  it('is a configuration that differs from the one before, where it is to be applied', () => {
    expect(run([suggested(1, 8), suggested(2, 8), suggested(3, 16)]).changes).toMatchObject([
      { kind: 'suggestion.changed', service: 'shop', before: null, config: { threads: 8 } },
      { kind: 'suggestion.changed', before: { threads: 8 }, config: { threads: 16 }, suggestion: { asOf: 3 * minute } }
    ])
    expect(kinds(suggested(1, 8, 'suggest'), suggested(2, 16, 'suggest'))).toEqual([])
  })

  it('is told once, also when events come twice, and each of two at the same time', () => {
    expect(kinds(suggested(1, 8), suggested(2, 16), suggested(1, 8), suggested(2, 16))).toEqual([['suggestion.changed', 1], ['suggestion.changed', 2]])
    const { changes } = run([suggested(1, 8), suggested(1, 16)])
    const target = { kind: 'webhook', url: 'http://a', secret: 's', events: ['suggestion.changed'], services: null, timeoutSeconds: 1, attempts: 1 } as const
    expect(new Set(changes.flatMap((change) => deliveriesFor(change, [target])).map(({ id }) => id)).size).toBe(2)
  })
})

describe('what is told of incidents', () => {
  const story = lived([1, 'none'], [2, 'medium'], [3, 'medium'], [4, 'critical'], [5, 'high'], [6, 'none'], [10, 'none'], [11, 'none'])

  it('is when one opens, when it gets worse, and, after five quiet minutes, when it was over', () => {
    expect(kinds(...story)).toEqual([['incident.opened', 2], ['incident.escalated', 4], ['incident.closed', 5]])
  })

  it('is told again when it comes back, under the same id', () => {
    expect(run(lived([2, 'medium'], [7, 'none'], [12, 'high'])).changes).toMatchObject([
      { kind: 'incident.opened', incident: { id: 'shop.120000', reopened: 0 } }, { kind: 'incident.closed' }, { kind: 'incident.opened', incident: { id: 'shop.120000', reopened: 1 } }
    ])
  })

  it('is told once, although events come twice', () => {
    expect(kinds(...story.flatMap((event) => [event, event]))).toEqual(kinds(...story))
  })

  it('is not told of what somebody said about an incident that is over', () => {
    const { state } = run(story)
    const { newest } = incidentsOf([verdictOf(2 * minute, 'medium'), verdictOf(7 * minute)])
    expect(follow(state, { kind: 'incident', change: 'updated', incident: { ...newest!, revision: 9, feedback: { verdict: 'normal', at: 1, by: 'ann' } } }).changes).toEqual([])
  })

  it('keeps the highest severity, what was wrong then, and when the service was last heard of', () => {
    expect(run(lived([2, 'high'], [3, 'medium'], [4, 'none'])).state.incident).toEqual({ id: 'shop.120000', startedAt: 2 * minute, severity: 'high', seenAt: 4 * minute, summary: 'errorRatio is 0.2, usually at most 0.01' })
  })

  it('goes on from what an earlier release has told', () => {
    const { heard, ...before } = run([judged(1, 'none')]).state
    expect(heard).toBeNull()
    expect(lived([2, 'high']).reduce((state, event) => follow(state, event).state, before as PushState).incident).toMatchObject({ id: 'shop.120000' })
  })
})

it('maintenance is told when it becomes due and when it becomes urgent', () => {
  expect(kinds(judged(1, 'none', { action: 'monitor_closely' }), judged(2, 'none', { action: 'planned_maintenance' }), judged(3, 'none', { action: 'planned_maintenance' }), judged(4, 'none', { action: 'immediate_maintenance' }), judged(5, 'none'))).toEqual([['maintenance.due', 2], ['maintenance.due', 4]])
})

describe('a webhook', () => {
  it('is signed as Standard Webhooks says: HMAC-SHA256 over id, time and body', () => {
    // The vector of the specification.
    const headers = webhookHeaders({ secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', at: 1_614_265_330_000, body: '{"test": 2432232314}' })
    expect(headers).toEqual({ 'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' })
  })

  it('says what happened, when, and all about it', () => {
    const [change] = run([decided(1, 4), decided(2, 6)]).changes
    expect(JSON.parse(webhookBody(change))).toMatchObject({ type: 'decision.changed', timestamp: '1970-01-01T00:02:00.000Z', data: { service: 'shop', from: 4, to: 6, decision: { reason: expect.any(String) } } })
  })
})

describe('alerts', () => {
  const now = 10 * minute
  it('fire while an incident is open and end when it closes', () => {
    const [opened, closed] = run(lived([2, 'high'], [6, 'medium'], [11, 'none'])).changes
    expect(alertsFor(opened, { now, labels: { team: 'web' } })).toEqual([{
      labels: { team: 'web', alertname: 'PrescaleIncident', service: 'shop', severity: 'high' },
      annotations: { summary: 'shop does not behave as usual (high)', description: 'errorRatio is 0.2, usually at most 0.01' },
      startsAt: '1970-01-01T00:02:00.000Z',
      endsAt: '1970-01-01T00:14:00.000Z'
    }])
    expect(alertsFor(closed, { now })).toMatchObject([{ labels: { severity: 'high' }, startsAt: '1970-01-01T00:02:00.000Z', endsAt: '1970-01-01T00:06:00.000Z' }])
  })

  it('of a lower severity end when one of a higher begins', () => {
    const [, escalated] = run(lived([2, 'medium'], [6, 'critical'])).changes
    expect(alertsFor(escalated, { now }).map(({ labels, endsAt }) => [labels['severity'], endsAt])).toEqual([['medium', '1970-01-01T00:06:00.000Z'], ['critical', '1970-01-01T00:14:00.000Z']])
  })

  it('are not posted again for a service that has been silent for a quarter of an hour', () => {
    const incident = { id: 'shop.0', startedAt: 0, severity: 'high' as const, seenAt: now, summary: '' }
    expect(openAlerts([{ service: 'shop', incident }], { now: now + 15 * minute - 1 })).toHaveLength(1)
    expect(openAlerts([{ service: 'shop', incident }], { now: now + 15 * minute })).toEqual([])
  })
})

describe('targets', () => {
  const webhook = { kind: 'webhook' as const, url: 'https://example.org/a', secret: 's'.repeat(16), events: ['incident.opened' as const], services: null, timeoutSeconds: 1, attempts: 3 }
  const alertmanager = { kind: 'alertmanager' as const, url: 'http://alertmanager:9093', labels: {}, services: ['mail'], timeoutSeconds: 1, attempts: 3 }

  it('get what they want, under an id that is the same for the same change and holds no colon', () => {
    const changes = run([decided(1, 1), decided(2, 2), ...lived([2, 'high'])]).changes
    const deliveries = changes.flatMap((change) => deliveriesFor(change, [webhook, alertmanager]))
    expect(deliveries).toMatchObject([{ id: expect.stringMatching(/^[0-9a-f]{32}$/), target: expect.stringMatching(/^webhook-[0-9a-f]{12}$/), attempts: 3, payload: { kind: 'incident.opened' } }])
    expect(deliveriesFor(changes[1], [webhook])).toEqual(deliveries)
  })
})
