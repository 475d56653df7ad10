import type { AnomalyRules, Expectation, Incident, IncidentChange, MaintenanceAction, Policy, Severity, Verdict } from '../domain.ts'
import { addCauses } from './incident-causes.ts'

/** What is remembered of a remark about one incident. */
export interface Remembered {
  readonly incident: string
  readonly verdict: 'normal' | 'real'
  /** What a `normal` incident has shown to be expected; empty for a real one. */
  readonly expected: readonly Expectation[]
}

/** What is remembered of the incidents of one service. */
export interface IncidentState {
  /** Open or closed. */
  readonly newest: Incident | null
  /** What people said about incidents, oldest first. */
  readonly remembered?: readonly Remembered[]
}

export const emptyIncidentState: IncidentState = { newest: null }
/** Where nothing is configured. */
export const incidentTimes: Pick<AnomalyRules, 'closeAfterSeconds' | 'reopenWithinSeconds'> = { closeAfterSeconds: 300, reopenWithinSeconds: 3600 }
/** One calm sample says little, however long a step is. */
const leastCalmSteps = 3

const severities: readonly Severity[] = ['none', 'low', 'medium', 'high', 'critical']
const actions: readonly MaintenanceAction[] = ['no_action_needed', 'monitor_closely', 'planned_maintenance', 'immediate_maintenance']

export const isWorse = (severity: Severity, before: Severity) => severities.indexOf(severity) > severities.indexOf(before)
export const isMoreUrgent = (action: MaintenanceAction, before: MaintenanceAction) => actions.indexOf(action) > actions.indexOf(before)
export const isOpen = ({ newest }: IncidentState) => newest !== null && newest.state === 'open'

/**
 * The incident of a service after one more verdict, and what of it is worth telling. Pure.
 *
 * An anomaly opens one, extends the open one, or reopens the one that closed a moment ago; a time without anomalies closes it.
 * After a gap longer than that window the old one is closed and another one opens with the same sample.
 */
export function nextIncident (state: IncidentState, verdict: Verdict, policy: Pick<Policy, 'anomalies' | 'stepSeconds'>): { state: IncidentState, changes: IncidentChange[] } {
  const { newest } = state
  const quietMs = newest === null ? Infinity : verdict.asOf - newest.lastAnomalyAt
  if (verdict.isAnomaly) {
    if (newest !== null && quietMs <= reopenWithinMs(policy)) return told(state, newest, extended(newest, verdict))
    const before = newest?.state === 'open' ? [{ change: 'closed' as const, incident: closed(newest) }] : []
    const incident = opened(verdict)
    return { state: { ...state, newest: incident }, changes: [...before, { change: 'opened', incident }] }
  }
  if (newest?.state === 'open' && quietMs >= closeAfterMs(policy)) return told(state, newest, closed(newest))
  return { state, changes: [] }
}

type Times = Pick<Policy, 'anomalies' | 'stepSeconds'>

/** How long it must be calm for an incident to be over. */
export function closeAfterMs ({ anomalies, stepSeconds }: Times): number {
  return 1000 * Math.max((anomalies ?? incidentTimes).closeAfterSeconds, leastCalmSteps * stepSeconds)
}

function reopenWithinMs (policy: Times): number {
  return Math.max(1000 * (policy.anomalies ?? incidentTimes).reopenWithinSeconds, closeAfterMs(policy))
}

/** Not every sample of an incident is news: its begin, its end, and what makes it worse. */
function told (state: IncidentState, before: Incident, incident: Incident): { state: IncidentState, changes: IncidentChange[] } {
  const change = changeOf(before, incident)
  if (change === null) return { state: { ...state, newest: incident }, changes: [] }
  const revised = { ...incident, revision: before.revision + 1 }
  return { state: { ...state, newest: revised }, changes: [{ change, incident: revised }] }
}

function changeOf (before: Incident, after: Incident): IncidentChange['change'] | null {
  if (before.state !== after.state) return after.state === 'open' ? 'opened' : 'closed'
  const known = new Set(before.causes.map(({ signal }) => signal))
  const isNews = isWorse(after.severity, before.severity) || isMoreUrgent(after.maintenance.action, before.maintenance.action) ||
    after.causes.some(({ signal }) => !known.has(signal))
  return isNews ? 'updated' : null
}

function opened (verdict: Verdict): Incident {
  const { service, asOf: at, score, severity, maintenance } = verdict
  return {
    id: `${service}.${at}`,
    service,
    state: 'open',
    revision: 1,
    startedAt: at,
    lastAnomalyAt: at,
    endedAt: null,
    peak: { at, score },
    severity,
    anomalies: 1,
    reopened: 0,
    causes: addCauses([], verdict, 1),
    maintenance,
    feedback: null
  }
}

function extended (incident: Incident, verdict: Verdict): Incident {
  const { asOf: at, score, severity, maintenance } = verdict
  const anomalies = incident.anomalies + 1
  return {
    ...incident,
    state: 'open',
    endedAt: null,
    lastAnomalyAt: at,
    reopened: incident.reopened + (incident.state === 'closed' ? 1 : 0),
    anomalies,
    peak: score > incident.peak.score ? { at, score } : incident.peak,
    severity: isWorse(severity, incident.severity) ? severity : incident.severity,
    causes: addCauses(incident.causes, verdict, anomalies),
    maintenance: maintenance.probability > incident.maintenance.probability ? maintenance : incident.maintenance
  }
}

function closed (incident: Incident): Incident {
  return { ...incident, state: 'closed', endedAt: incident.lastAnomalyAt }
}
