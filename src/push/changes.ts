import type { Configuration, Decision, Incident, IncidentChange, MaintenanceAction, ServiceEvent, Severity, Suggestion, Verdict } from '../domain.ts'
import { isMoreUrgent, isWorse } from '../policy/incident.ts'

export const changeKinds = ['decision.changed', 'incident.opened', 'incident.escalated', 'incident.closed', 'maintenance.due', 'suggestion.changed'] as const
export type ChangeKind = typeof changeKinds[number]

/** An incident that is open, as far as it has been told. */
export interface ToldIncident {
  readonly id: string
  readonly startedAt: number
  readonly severity: Severity
  /** Of the newest verdict, epoch ms: of a silent service nobody knows whether it lasts. */
  readonly seenAt: number
  /** What is wrong in words. */
  readonly summary: string
}

/** What others have been told about a service, so that they are told only what is new. */
export interface PushState {
  readonly decidedAt: number
  readonly replicas: number | null
  readonly judgedAt: number
  readonly incident: ToldIncident | null
  /** The newest change of an incident that was heard of; absent in what an earlier release has written. */
  readonly heard?: Pick<Incident, 'startedAt' | 'revision'> | null
  readonly maintenance: MaintenanceAction
  /** The configurations that were told last, of all instances and of the one that tries, and when it was suggested; absent before the first. */
  readonly suggested?: { readonly at: number, readonly config: Configuration, readonly canary?: Configuration | null }
}

export const nothingPushed: PushState = { decidedAt: 0, replicas: null, judgedAt: 0, incident: null, heard: null, maintenance: 'no_action_needed' }

interface Common { readonly service: string, readonly at: number }
export type Change = Common & (
  | { readonly kind: 'decision.changed', readonly from: number, readonly to: number, readonly decision: Decision }
  | { readonly kind: 'incident.opened' | 'incident.closed', readonly incident: Incident }
  | { readonly kind: 'incident.escalated', readonly before: Severity, readonly incident: Incident }
  | { readonly kind: 'maintenance.due', readonly action: MaintenanceAction, readonly before: MaintenanceAction, readonly verdict: Verdict }
  | { readonly kind: 'suggestion.changed', readonly config: Configuration, readonly before: Configuration | null, readonly suggestion: Suggestion })

/** What one event changes. Pure; an event that is not newer than what was told changes nothing, so events may come twice. */
export function follow (state: PushState, event: ServiceEvent): { state: PushState, changes: Change[] } {
  if (event.kind === 'decision') return followDecision(state, event.decision)
  if (event.kind === 'verdict') return followVerdict(state, event.verdict)
  if (event.kind === 'incident') return followIncident(state, event)
  if (event.kind === 'suggestion') return followSuggestion(state, event.suggestion)
  return { state, changes: [] }
}

function followDecision (state: PushState, decision: Decision): { state: PushState, changes: Change[] } {
  const { service, asOf: at, replicas: to } = decision
  if (at <= state.decidedAt) return { state, changes: [] }
  const from = state.replicas
  // In shadow nobody is told; the change is shown.
  const changes: Change[] = from === null || from === to || decision.mode === 'shadow' ? [] : [{ kind: 'decision.changed', service, at, from, to, decision }]
  return { state: { ...state, decidedAt: at, replicas: to }, changes }
}

function followVerdict (state: PushState, verdict: Verdict): { state: PushState, changes: Change[] } {
  const { service, asOf: at, maintenance: { action } } = verdict
  if (at <= state.judgedAt) return { state, changes: [] }
  const isDue = action.endsWith('_maintenance') && isMoreUrgent(action, state.maintenance)
  const changes: Change[] = isDue ? [{ kind: 'maintenance.due', service, at, action, before: state.maintenance, verdict }] : []
  return { state: { ...state, judgedAt: at, incident: state.incident && { ...state.incident, seenAt: at }, maintenance: action }, changes }
}

/** Only where suggestions are to be applied, and only another configuration. */
function followSuggestion (state: PushState, suggestion: Suggestion): { state: PushState, changes: Change[] } {
  const { service, asOf: at, mode, config } = suggestion
  const canary = suggestion.canary?.config ?? null
  const before = state.suggested?.config ?? null
  const isKnown = sameValues(before, config) && sameValues(state.suggested?.canary ?? null, canary)
  if (mode !== 'apply' || at < (state.suggested?.at ?? 0) || isKnown) return { state, changes: [] }
  return { state: { ...state, suggested: { at, config, canary } }, changes: [{ kind: 'suggestion.changed', service, at, config, before, suggestion }] }
}

function sameValues (before: Configuration | null, config: Configuration | null): boolean {
  if (before === null || config === null) return before === config
  const names = Object.keys(config)
  return names.length === Object.keys(before).length && names.every((name) => before[name] === config[name])
}

function followIncident (state: PushState, { change, incident }: IncidentChange): { state: PushState, changes: Change[] } {
  const { heard = null, incident: told } = state
  const isNews = heard === null || incident.startedAt > heard.startedAt || (incident.startedAt === heard.startedAt && incident.revision > heard.revision)
  if (!isNews) return { state, changes: [] }
  const open = incident.state === 'open' ? toldOf(incident) : told?.id === incident.id ? null : told
  const next = { ...state, incident: open, heard: { startedAt: incident.startedAt, revision: incident.revision } }
  return { state: next, changes: changesOf(change, incident, told) }
}

function changesOf (change: IncidentChange['change'], incident: Incident, told: ToldIncident | null): Change[] {
  const common = { service: incident.service, at: incident.lastAnomalyAt, incident }
  if (change !== 'updated') return [{ kind: `incident.${change}`, ...common }]
  if (told === null || !isWorse(incident.severity, told.severity)) return []
  return [{ kind: 'incident.escalated', before: told.severity, ...common }]
}

export function toldOf (incident: Incident): ToldIncident {
  const { id, startedAt, lastAnomalyAt: seenAt, severity, causes, maintenance } = incident
  const summary = causes.length > 0 ? causes.slice(0, 3).map(({ text }) => text).join('; ') : maintenance.reason
  return { id, startedAt, severity, seenAt, summary }
}
