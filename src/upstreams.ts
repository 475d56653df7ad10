import { resolveService, type Config } from './config.ts'
import type { UpstreamTrouble } from './domain.ts'
import type { DecisionStore } from './store/decision-store.ts'

interface UpstreamOptions {
  readonly config: () => Config
  readonly decisions: Pick<DecisionStore, 'snapshot'>
}

/**
 * What the services that one depends on say of themselves at present: an outage before an incident.
 *
 * @param stored what was set for the service over HTTP, or null.
 * @throws PrescaleError 'store-unavailable'.
 */
export async function readUpstreams (service: string, stored: unknown, { config, decisions }: UpstreamOptions): Promise<UpstreamTrouble[]> {
  const dependsOn = namesOf(service, stored, config())
  const troubles = await Promise.all(dependsOn.map(async (upstream): Promise<UpstreamTrouble | null> => {
    const { decision, verdict } = await decisions.snapshot(upstream)
    if (decision?.outageSince !== undefined) return { service: upstream, trouble: 'outage', since: decision.outageSince, asOf: decision.asOf }
    if (!verdict?.incident) return null
    return { service: upstream, trouble: 'incident', since: startOf(verdict.incident), asOf: verdict.asOf }
  }))
  return troubles.filter(trouble => trouble !== null)
}

/** Settings that cannot be read are told of where the samples are evaluated. */
function namesOf (service: string, stored: unknown, config: Config): readonly string[] {
  try {
    return resolveService(service, stored, config).dependsOn
  } catch {
    return []
  }
}

/** The id of an incident ends with the time at which it began. */
const startOf = (incident: string) => Number(incident.slice(incident.lastIndexOf('.') + 1))
