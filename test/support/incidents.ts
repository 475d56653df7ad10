import type { Cause, Incident, IncidentChange, MaintenanceAction, Severity, Verdict } from '../../src/domain.ts'
import { emptyIncidentState, nextIncident, type IncidentState } from '../../src/policy/incident.ts'

export const errors: Cause = { signal: 'errorRatio', value: 0.2, expectedLow: 0, expectedHigh: 0.01, share: 1, text: 'errorRatio is 0.2, usually at most 0.01' }

/** An anomaly where a severity is given; one of `low` is only worth a look. */
export function verdictOf (at: number, severity: Severity = 'none', { action = 'no_action_needed' as MaintenanceAction, probability = 0.5, score = 0.7, causes = [errors], service = 'shop' } = {}): Verdict {
  const isAnomaly = severity !== 'none' && severity !== 'low'
  return { service, asOf: at, score, threshold: 0.5, isAnomaly, severity, causes: isAnomaly ? causes : [], maintenance: { action, probability, reason: 'r' }, missingSignals: [], modelVersion: '1' }
}

/** What the incidents of a service come to, in steps of a minute with the ordinary times. */
export function follow (verdicts: readonly Verdict[], state: IncidentState = emptyIncidentState) {
  const changes: IncidentChange[] = []
  for (const verdict of verdicts) {
    const next = nextIncident(state, verdict, { stepSeconds: 60 })
    state = next.state
    changes.push(...next.changes)
  }
  return { state, changes, newest: state.newest }
}

export function incidentOf (more: Partial<Incident> = {}): Incident {
  const incident = follow([verdictOf(more.startedAt ?? 60_000, 'high')]).newest!
  return { ...incident, ...more, id: `${more.service ?? 'shop'}.${incident.startedAt}` }
}
