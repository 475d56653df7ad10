import type { Decision, Incident, Severity, Verdict } from '../domain.ts'

/** What the fleet shows of a service; as GET /v1/services has it. */
export interface FleetRow {
  readonly service: string
  readonly asOf: number | null
  readonly decision: Pick<Decision, 'asOf' | 'validUntil' | 'replicas' | 'currentReplicas' | 'source'> | null
  readonly verdict: Pick<Verdict, 'asOf' | 'score' | 'isAnomaly' | 'severity'> | null
  readonly suggestion?: boolean
  /** Against HPA so far; positive is better. */
  readonly saved?: { readonly since: number, readonly instanceHours: number, readonly violationMinutes: number }
  /** One is open. */
  readonly incident?: boolean
  readonly demo?: boolean
}

export type State = 'waiting' | 'stale' | 'current'
export type SortKey = 'service' | 'replicas' | 'source' | 'severity' | 'saved' | 'age'
export interface Sorting { readonly key: SortKey, readonly descending: boolean }
export interface Wanted { readonly search: string, readonly show: 'all' | 'abnormal' | 'incident' | 'changing' | 'stale' | 'suggestion' }

export function stateOf ({ decision }: FleetRow, now: number): State {
  if (decision === null) return 'waiting'
  return decision.validUntil > now ? 'current' : 'stale'
}

const severities: readonly Severity[] = ['none', 'low', 'medium', 'high', 'critical']

const orderBy: Readonly<Record<SortKey, (a: FleetRow, b: FleetRow) => number>> = {
  service: () => 0,
  replicas: (a, b) => (a.decision?.replicas ?? -1) - (b.decision?.replicas ?? -1),
  source: (a, b) => (a.decision?.source ?? '').localeCompare(b.decision?.source ?? ''),
  severity: (a, b) => rank(a) - rank(b) || (a.verdict?.score ?? -1) - (b.verdict?.score ?? -1),
  saved: (a, b) => (a.saved?.instanceHours ?? -Infinity) - (b.saved?.instanceHours ?? -Infinity) || 0,
  age: (a, b) => (b.asOf ?? 0) - (a.asOf ?? 0)
}

function rank ({ verdict }: FleetRow): number {
  return verdict === null ? -1 : severities.indexOf(verdict.severity)
}

/** The rows that are wanted, in the order that is wanted; rows that are equal in it go by name. */
export function arrange (rows: Iterable<FleetRow>, { search, show }: Wanted, { key, descending }: Sorting, now: number): FleetRow[] {
  const text = search.trim().toLowerCase()
  const kept = [...rows].filter((row) => row.service.toLowerCase().includes(text) && shows(row, show, now))
  const sign = descending ? -1 : 1
  return kept.sort((a, b) => sign * orderBy[key](a, b) || (key === 'service' ? sign : 1) * (a.service < b.service ? -1 : 1))
}

function shows (row: FleetRow, show: Wanted['show'], now: number): boolean {
  switch (show) {
    case 'all': return true
    case 'abnormal': return row.verdict?.isAnomaly ?? false
    case 'incident': return row.incident ?? false
    case 'changing': return row.decision !== null && row.decision.replicas !== row.decision.currentReplicas
    case 'stale': return stateOf(row, now) !== 'current'
    case 'suggestion': return row.suggestion ?? false
  }
}

/** The row after an event of the stream; an event that is older than what is known changes nothing. */
export function withEvent (row: FleetRow | undefined, event: { kind: string, decision?: Decision, verdict?: Verdict, suggestion?: { service: string, changed: readonly unknown[] }, incident?: Pick<Incident, 'service' | 'state'> }): FleetRow | null {
  const said = event.decision ?? event.verdict ?? event.suggestion ?? event.incident
  if (said === undefined) return null
  const before: FleetRow = row ?? { service: said.service, asOf: null, decision: null, verdict: null }
  if (event.suggestion) return { ...before, suggestion: event.suggestion.changed.length > 0 }
  if (event.incident) return { ...before, incident: event.incident.state === 'open' }
  const asOf = Math.max(before.asOf ?? 0, (said as { asOf: number }).asOf)
  if (event.decision) {
    if (event.decision.asOf < (before.decision?.asOf ?? 0)) return before
    return { ...before, asOf, decision: event.decision, ...(event.decision.demo && { demo: true }) }
  }
  if (event.verdict!.asOf < (before.verdict?.asOf ?? 0)) return before
  return { ...before, asOf, verdict: event.verdict! }
}
