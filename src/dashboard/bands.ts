import type { Incident } from '../domain.ts'

export interface Band { readonly from: number, readonly to: number, readonly serious: boolean }

/** Incidents as stretches of time, epoch ms; one that is open lasts until `newest`, the newest anomaly that is known, if that is later than its own. */
export function bandsOf (incidents: readonly Pick<Incident, 'startedAt' | 'lastAnomalyAt' | 'state' | 'severity'>[], newest: number | null): Band[] {
  return incidents.map(({ startedAt, lastAnomalyAt, state, severity }) => ({
    from: startedAt,
    to: state === 'open' ? Math.max(newest ?? 0, lastAnomalyAt) : lastAnomalyAt,
    serious: severity === 'high' || severity === 'critical'
  }))
}
