import type { Incident } from '../domain.ts'

/** What is known about where a service stands among the others. */
export interface Surroundings {
  /** Services that it needs. */
  readonly dependsOn: readonly string[]
  readonly labels: Readonly<Record<string, string>>
}

export type Relation = 'upstream' | 'downstream' | 'labels'

export interface RelatedIncident extends Pick<Incident, 'id' | 'service' | 'state' | 'startedAt' | 'endedAt' | 'severity'> {
  /** `upstream`: the service needs it, itself or by way of others; `downstream`: the other way round; `labels`: it only has something in common. */
  readonly relation: Relation
  readonly sharedLabels: Readonly<Record<string, string>>
}

export interface Relations {
  /** Earliest start first. */
  readonly related: readonly RelatedIncident[]
  /** Where it probably began: of the services that this one needs, the farthest with an incident, and of those the earliest; null where none had one. */
  readonly likelyOrigin: RelatedIncident | null
}

/** Detectors see the same fault some minutes apart. */
export const slackMs = 300_000
const mostRelated = 50

/**
 * The incidents of other services at the same time that have to do with this one. Pure.
 *
 * @param others any incidents; those of another time are left out.
 * @param around what is known of a service, also of one without incidents.
 */
export function relationsOf (incident: Incident, others: readonly Incident[], around: (service: string) => Surroundings): Relations {
  const neededBy = (service: string) => depths(service, (name) => around(name).dependsOn)
  const upstream = neededBy(incident.service)
  const relationTo = ({ service }: Incident, shared: object): Relation | null => {
    if (upstream.has(service)) return 'upstream'
    if (neededBy(service).has(incident.service)) return 'downstream'
    return Object.keys(shared).length > 0 ? 'labels' : null
  }
  const related = others.filter((other) => other.service !== incident.service && overlap(incident, other)).flatMap((other) => {
    const sharedLabels = shared(around(incident.service).labels, around(other.service).labels)
    const relation = relationTo(other, sharedLabels)
    return relation === null ? [] : [{ ...shownOf(other), relation, sharedLabels }]
  }).sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1))
  const origins = related.filter(({ relation, startedAt }) => relation === 'upstream' && startedAt <= incident.startedAt + slackMs)
  const deepest = Math.max(...origins.map(({ service }) => upstream.get(service)!))
  return { related: related.slice(0, mostRelated), likelyOrigin: origins.find(({ service }) => upstream.get(service) === deepest) ?? null }
}

function overlap (a: Incident, b: Incident): boolean {
  return a.startedAt - slackMs <= (b.endedAt ?? Infinity) && b.startedAt - slackMs <= (a.endedAt ?? Infinity)
}

/** How many steps each service is away that can be reached; by the shortest way, so that a circle ends. */
function depths (from: string, next: (service: string) => readonly string[]): Map<string, number> {
  const found = new Map([[from, 0]])
  for (const [service, depth] of found) {
    for (const name of next(service)) if (!found.has(name)) found.set(name, depth + 1)
  }
  found.delete(from)
  return found
}

function shared (a: Surroundings['labels'], b: Surroundings['labels']): Record<string, string> {
  return Object.fromEntries(Object.entries(a).filter(([name, value]) => b[name] === value))
}

function shownOf ({ id, service, state, startedAt, endedAt, severity }: Incident) {
  return { id, service, state, startedAt, endedAt, severity }
}
