import { fnv1a } from '../hash.ts'

/**
 * Every Redis key, in one place.
 *
 * A service belongs to a partition for ever, and all keys of a partition share the hash tag `{prescale:3}`: a Redis Cluster keeps
 * them on one node, so that one script may touch them all.
 */
export function createKeys ({ prefix = 'prescale', partitions = 8 }: { prefix?: string, partitions?: number } = {}) {
  if (!Number.isInteger(partitions) || partitions < 1) throw new RangeError(`Expected at least 1 partition, got ${partitions}.`)
  const tag = (partition: number | string) => `{${prefix}:${partition}}`
  const partitionOf = (service: string) => fnv1a(service) % partitions
  const ofService = (service: string) => `${tag(partitionOf(service))}:service:${service}`
  return {
    partitions,
    partitionOf,
    /** What BullMQ puts before the name of the queue of samples, and of the queue of schedules. */
    queuePrefix: tag,
    schedulesPrefix: tag('schedules'),
    /** Hash: version, job, state, loads (what the ring of loads holds), savings, series, network, record (what results taught), chain, decision, verdict, suggestion,
     *  contest (how its own models do), inUse (the version of its own that decides, or nothing). */
    service: ofService,
    /** List of decisions as JSON, newest first. */
    history: (service: string) => `${ofService(service)}:history`,
    /** Its loads: a ring of two bytes a step. */
    loads: (service: string) => `${ofService(service)}:loads`,
    /** List of verdicts as JSON, newest first; of ordinary ones only the numbers. */
    verdicts: (service: string) => `${ofService(service)}:verdicts`,
    /** Hash: incident id to the incident as JSON; and sorted set of the ids by the newest anomaly of each. */
    incidents: (service: string) => `${ofService(service)}:incidents`,
    incidentTimes: (service: string) => `${ofService(service)}:incident-times`,
    /** The same ids of all services of a partition; and set of those that are open. */
    allIncidentTimes: (partition: number) => `${tag(partition)}:incident-times`,
    openIncidents: (partition: number) => `${tag(partition)}:open-incidents`,
    /** Sorted set of the feedback ids that were learned from, by their time. */
    feedbackIds: (service: string) => `${ofService(service)}:feedback-ids`,
    /** Hash: service to what a list shows of it, as JSON. */
    services: (partition: number) => `${tag(partition)}:services`,
    /** Hash: service to its settings as JSON. */
    settings: (partition: number) => `${tag(partition)}:settings`,
    /** Hash: service to what learning came to there, as JSON. */
    learning: (partition: number) => `${tag(partition)}:learning`,
    /** Hash: id to an override that was set over HTTP, as JSON. */
    overrides: (service: string) => `${ofService(service)}:overrides`,
    /** A model that was learned from the service, compressed; and who is learning from it now. */
    localModel: (service: string, version: string) => `${ofService(service)}:model:${version}`,
    learningLock: (service: string) => `${ofService(service)}:learning`,
    /** Stream of what the worker decided, found and suggested. */
    events: (partition: number) => `${tag(partition)}:events`,
    /** Hash: name to an exporter that was added over HTTP, as JSON. */
    targets: `${tag('schedules')}:targets`,
    /** Stream of who changed what. */
    audit: `${tag('audit')}:log`,
    /** How much the holder of a token has sent. */
    rate: (holder: string) => `${tag('rate')}:${holder}`,
    /** Stream of batches that were put aside. */
    deadLetters: (partition: number) => `${tag(partition)}:dead-letters`,
    /** What BullMQ puts before the name of the queues that push. */
    pushPrefix: tag('push'),
    /** Up to which event the followers of a partition have been told, and hash: service to what they have been told, as JSON. */
    pushCursor: (partition: number) => `${tag(partition)}:push-cursor`,
    pushStates: (partition: number) => `${tag(partition)}:push-states`
  }
}
export type Keys = ReturnType<typeof createKeys>

/** Names the queue of samples inside each partition, and the one queue of schedules. */
export const samplesQueue = 'samples'
export const schedulesQueue = 'sources'
export const pushQueues = { ticks: 'ticks', deliveries: 'deliveries' } as const
