import { resolveService } from '../config.ts'
import type { Incident } from '../domain.ts'
import { closeAfterMs } from '../policy/incident.ts'
import type { ApiContext } from './context.ts'

/**
 * Since when (epoch ms) nothing was heard of services with an open incident, where that is longer than a calm time would take to close it. Such an incident
 * stays open: nobody knows whether it is over. The next calm sample closes it, and an anomaly after a longer gap opens another one.
 */
export async function silentServices (incidents: readonly Incident[], { decisions, settings, config, now }: Pick<ApiContext, 'decisions' | 'settings' | 'config' | 'now'>): Promise<ReadonlyMap<string, number>> {
  const open = new Set(incidents.filter(({ state }) => state === 'open').map(({ service }) => service))
  if (open.size === 0) return new Map()
  const [summaries, put] = await Promise.all([decisions.services(), settings.list()])
  const stored = new Map(put.map((entry) => [entry.service, entry.settings]))
  const limitMs = (service: string) => closeAfterMs(resolveService(service, stored.get(service) ?? null, config()).policy)
  const silent = summaries.filter(({ service, asOf }) => open.has(service) && now() - asOf > limitMs(service))
  return new Map(silent.map(({ service, asOf }) => [service, asOf]))
}
