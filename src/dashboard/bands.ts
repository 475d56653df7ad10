import type { Incident } from '../domain.ts'

export interface Band { readonly from: number, readonly to: number, readonly serious: boolean }

/** Incidents as stretches of time, epoch ms; one that is open lasts until `now`. */
export function bandsOf (incidents: readonly Pick<Incident, 'startedAt' | 'lastAnomalyAt' | 'state' | 'severity'>[], now: number): Band[] {
  return incidents.map(({ startedAt, lastAnomalyAt, state, severity }) => ({
    from: startedAt,
    to: state === 'open' ? Math.max(now, lastAnomalyAt) : lastAnomalyAt,
    serious: severity === 'high' || severity === 'critical'
  }))
}
