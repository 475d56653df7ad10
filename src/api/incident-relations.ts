import { resolveService } from '../config.ts'
import type { Incident } from '../domain.ts'
import { relationsOf, slackMs, type Relations, type Surroundings } from '../policy/incident-relations.ts'
import type { ApiContext } from './context.ts'

/** An incident that overlaps another may last longer, but hardly so much. */
const longestMs = 86_400_000
const mostCandidates = 1000

/** Reads what the relations of an incident need: incidents of that time, and the settings of all services. */
export async function findRelations (incident: Incident, context: Pick<ApiContext, 'incidents' | 'settings' | 'config'>, mayUse: ((service: string) => boolean) | null): Promise<Relations> {
  const window = { since: incident.startedAt - slackMs - 1, until: (incident.endedAt ?? incident.lastAnomalyAt) + longestMs, limit: mostCandidates }
  const [others, put] = await Promise.all([context.incidents.list({ ...window, ...(mayUse && { wanted: mayUse }) }), context.settings.list()])
  const stored = new Map(put.map(({ service, settings }) => [service, settings]))
  const known = new Map<string, Surroundings>()
  const around = (service: string) => {
    let found = known.get(service)
    if (found === undefined) {
      found = surroundings(service, stored.get(service) ?? null, context)
      known.set(service, found)
    }
    return found
  }
  return relationsOf(incident, others, around)
}

/** Labels that select its series are labels of a service, too, where they are not patterns. */
function surroundings (service: string, stored: unknown, { config }: Pick<ApiContext, 'config'>): Surroundings {
  const { dependsOn, labels, match } = resolveService(service, stored, config())
  const plain = Object.entries(match).filter(([, value]) => !/^\/.*\/$/.test(value))
  return { dependsOn, labels: { ...Object.fromEntries(plain), ...labels } }
}
