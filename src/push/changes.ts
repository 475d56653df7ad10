import type { Decision, MaintenanceAction, ServiceEvent, Severity, Verdict } from '../domain.ts'

export const changeKinds = ['decision.changed', 'incident.opened', 'incident.escalated', 'incident.closed', 'maintenance.due'] as const
export type ChangeKind = typeof changeKinds[number]

/** Consecutive anomalies of one service. Its severity is the highest so far, so that an alert does not flap with every sample. */
export interface Incident {
  readonly openedAt: number
  readonly severity: Severity
  /** Of the newest verdict: epoch ms, and what is wrong in words. */
  readonly seenAt: number
  readonly summary: string
}

/** What others have been told about a service, so that they are told only what is new. */
export interface PushState {
  readonly decidedAt: number
  readonly replicas: number | null
  readonly judgedAt: number
  readonly incident: Incident | null
  readonly maintenance: MaintenanceAction
}

export const nothingPushed: PushState = { decidedAt: 0, replicas: null, judgedAt: 0, incident: null, maintenance: 'no_action_needed' }

interface Common { readonly service: string, readonly at: number }
export type Change = Common & (
  | { readonly kind: 'decision.changed', readonly from: number, readonly to: number, readonly decision: Decision }
  | { readonly kind: 'incident.opened' | 'incident.closed', readonly incident: Incident, readonly verdict: Verdict }
  | { readonly kind: 'incident.escalated', readonly before: Severity, readonly incident: Incident, readonly verdict: Verdict }
  | { readonly kind: 'maintenance.due', readonly action: MaintenanceAction, readonly before: MaintenanceAction, readonly verdict: Verdict })

const severities: readonly Severity[] = ['none', 'low', 'medium', 'high', 'critical']
const actions: readonly MaintenanceAction[] = ['no_action_needed', 'monitor_closely', 'planned_maintenance', 'immediate_maintenance']
const due = actions.indexOf('planned_maintenance')

/** What one event changes. Pure; an event that is not newer than what was told changes nothing, so events may come twice. */
export function follow (state: PushState, event: ServiceEvent): { state: PushState, changes: Change[] } {
  if (event.kind === 'decision') return followDecision(state, event.decision)
  if (event.kind === 'verdict') return followVerdict(state, event.verdict)
  return { state, changes: [] }
}

function followDecision (state: PushState, decision: Decision): { state: PushState, changes: Change[] } {
  const { service, asOf: at, replicas: to } = decision
  if (at <= state.decidedAt) return { state, changes: [] }
  const from = state.replicas
  const changes: Change[] = from === null || from === to ? [] : [{ kind: 'decision.changed', service, at, from, to, decision }]
  return { state: { ...state, decidedAt: at, replicas: to }, changes }
}

function followVerdict (state: PushState, verdict: Verdict): { state: PushState, changes: Change[] } {
  const { service, asOf: at, maintenance: { action } } = verdict
  if (at <= state.judgedAt) return { state, changes: [] }
  const { incident, changes } = followIncident(state.incident, verdict)
  const isDue = actions.indexOf(action) >= due && actions.indexOf(action) > actions.indexOf(state.maintenance)
  if (isDue) changes.push({ kind: 'maintenance.due', service, at, action, before: state.maintenance, verdict })
  return { state: { ...state, judgedAt: at, incident, maintenance: action }, changes }
}

function followIncident (open: Incident | null, verdict: Verdict): { incident: Incident | null, changes: Change[] } {
  const { service, asOf: at, isAnomaly, severity } = verdict
  if (!isAnomaly) return { incident: null, changes: open === null ? [] : [{ kind: 'incident.closed', service, at, incident: open, verdict }] }
  if (open === null) {
    const incident = { openedAt: at, severity, seenAt: at, summary: summaryOf(verdict) }
    return { incident, changes: [{ kind: 'incident.opened', service, at, incident, verdict }] }
  }
  if (severities.indexOf(severity) <= severities.indexOf(open.severity)) return { incident: { ...open, seenAt: at }, changes: [] }
  const incident = { ...open, severity, seenAt: at, summary: summaryOf(verdict) }
  return { incident, changes: [{ kind: 'incident.escalated', service, at, before: open.severity, incident, verdict }] }
}

function summaryOf ({ causes, maintenance }: Verdict): string {
  return causes.length > 0 ? causes.slice(0, 3).map(({ text }) => text).join('; ') : maintenance.reason
}
