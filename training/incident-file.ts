import type { Incident, Verdict } from '../src/domain.ts'
import { emptyIncidentState, nextIncident } from '../src/policy/incident.ts'
import { createCsvWriter } from './csv.ts'

const header = ['incident', 'startedAt', 'peakAt', 'endedAt', 'peakScore', 'severity', 'anomalies', 'reopened', 'maintenance', 'maintenanceProbability', 'causes']
const timeOf = (at: number | null) => at === null ? '' : new Date(at).toISOString()

/**
 * Verdicts in, incidents out, one line for each as soon as nothing can reopen it; the last may still be open, without an end.
 * The incident is named by the row it begins with. Without a path nothing is written, and the incidents are known all the same.
 */
export function createIncidentFile (path: string | undefined) {
  const writer = path === undefined ? null : createCsvWriter(path, header)
  let state = emptyIncidentState
  let firstRow = 0

  /** @returns the first row of the incident that is open with this one; null where none is. */
  function next (verdict: Verdict, { row, stepSeconds }: { row: number, stepSeconds: number }): number | null {
    const before = state.newest
    state = nextIncident(state, verdict, { stepSeconds }).state
    if (state.newest !== null && state.newest.id !== before?.id) {
      if (before !== null) write({ ...before, state: 'closed', endedAt: before.lastAnomalyAt })
      firstRow = row
    }
    return state.newest?.state === 'open' ? firstRow : null
  }

  function write (incident: Incident): void {
    const { startedAt, peak, endedAt, severity, anomalies, reopened, maintenance, causes } = incident
    writer?.write([firstRow, timeOf(startedAt), timeOf(peak.at), timeOf(endedAt), peak.score, severity, anomalies, reopened,
      maintenance.action, maintenance.probability, causes.map(({ text }) => text).join('; ')])
  }

  async function close (): Promise<void> {
    if (state.newest !== null) write(state.newest)
    await writer?.close()
  }

  return { next, close, discard: async () => writer?.discard() }
}
export type IncidentFile = ReturnType<typeof createIncidentFile>
