import { Packr } from 'msgpackr'
import type { Decision, Incident, ModelStanding, Savings, ServiceEvent, Suggestion, TimedOverride, Verdict } from '../domain.ts'
import type { LoadHistoryChange, LoadHistoryMark } from '../features/load-history.ts'
import { commitLua } from './commit-lua.ts'
import type { EnvelopeKind } from './envelope.ts'
import type { Keys } from './keys.ts'
import { activeAfter } from './override-store.ts'
import { parseRecord, type LocalModel } from './local-model-store.ts'
import { replies, type RedisClient } from './redis.ts'
import { toPastVerdict } from './past-verdict.ts'
import { summarize, type ServiceSummary } from './summary.ts'

/** Which job was worked into a service last; ids grow within a partition. */
export interface JobMark { readonly id: number, readonly at: number }

/** Everything that is kept about a service. `version` 0 is a service that was never written. */
export interface StoredService<State, Series> {
  readonly version: number
  readonly lastJob: JobMark | null
  readonly state: State | null
  readonly series: Series | null
  readonly network: Uint8Array | null
  readonly settings: unknown
  readonly summary: ServiceSummary | null
  /** Hash of the last decision; null before the first. */
  readonly chain: string | null
  /** What the ring of loads holds; null before the first load. */
  readonly loads: LoadHistoryMark | null
  /** What operators said over HTTP, oldest first, some of it perhaps over. */
  readonly overrides: readonly TimedOverride[]
  /** What was learned from this service alone, oldest first. */
  readonly localModels: readonly LocalModel[]
}

/** What one job did to a service; a part that is left out stays as it was. */
export interface Changes<State, Series> {
  readonly job: JobMark
  readonly state?: State | null
  readonly series?: Series | null
  readonly network?: Uint8Array | null
  /** What results taught; read by readRecord alone. */
  readonly record?: object | undefined
  /** In their order; the last one is handed out from now on. */
  readonly decisions: readonly Decision[]
  readonly verdict?: Verdict
  readonly suggestion?: Suggestion
  readonly savings?: Savings
  /** What is written into the ring of loads. */
  readonly loads?: LoadHistoryChange | null
  /** How the service's own models do, and which of them decides (null: none of them). */
  readonly contest?: { readonly standings: readonly ModelStanding[], readonly inUse: string | null }
  readonly events: readonly ServiceEvent[]
  /** By id, as they are now. */
  readonly incidents?: ReadonlyMap<string, Incident>
  readonly putAside: readonly { readonly kind: EnvelopeKind, readonly reason: string, readonly payload: unknown }[]
  readonly feedbackIds: readonly { readonly id: string, readonly at: number }[]
}

export interface StateStoreOptions {
  readonly redis: RedisClient
  readonly keys: Keys
  /** Decisions kept per service, 1 to 3 kB each. */
  readonly historyLimit?: number
  /** Events kept per partition, for followers that were away for a moment. */
  readonly eventsLimit?: number
  readonly deadLettersLimit?: number
  /** Incidents kept per service, about 2 kB each. */
  readonly incidentsLimit?: number
}

const feedbackIdsLimit = 1_000
// Without records msgpackr reads a Map back as an object, and has to rename the key `__proto__`.
const packr = new Packr({ moreTypes: true, useRecords: true })

/** The memory of the worker: one read, one write, and the write is refused when somebody else wrote since the read. */
export function createStateStore<State, Series> (options: StateStoreOptions) {
  const { redis, keys, historyLimit = 2_000, eventsLimit = 1_000, deadLettersLimit = 200, incidentsLimit = 200 } = options
  redis.defineCommand('prescaleCommit', { numberOfKeys: 12, lua: commitLua })
  const scripts = redis as unknown as { prescaleCommit (...args: Argument[]): Promise<number> }

  /** One round trip. */
  const load = async (service: string): Promise<StoredService<State, Series>> => {
    const partition = keys.partitionOf(service)
    const [fields, settings, summary, learning, overrides] = await replies(redis.pipeline()
      .hmgetBuffer(keys.service(service), 'version', 'job', 'state', 'series', 'network', 'chain', 'loads')
      .hget(keys.settings(partition), service)
      .hget(keys.services(partition), service)
      .hget(keys.learning(partition), service)
      .hvals(keys.overrides(service))) as [(Buffer | null)[], string | null, string | null, string | null, string[]]
    const [version, job, state, series, network, chain, loads] = fields
    return {
      version: version === null ? 0 : Number(version.toString()),
      lastJob: job && JSON.parse(job.toString()) as JobMark,
      state: state && packr.unpack(state) as State,
      series: series && packr.unpack(series) as Series,
      network: network && new Uint8Array(network),
      settings: settings && JSON.parse(settings),
      summary: summary && JSON.parse(summary) as ServiceSummary,
      chain: chain === null ? null : chain.toString(),
      loads: loads && JSON.parse(loads.toString()) as LoadHistoryMark,
      overrides: activeAfter(overrides, -Infinity),
      localModels: parseRecord(learning)?.models ?? []
    } as StoredService<State, Series>
  }

  /** One script. False when the service was written since `stored` was loaded, and then nothing was written. */
  const commit = async (service: string, stored: StoredService<State, Series>, changes: Changes<State, Series>): Promise<boolean> => {
    const partition = keys.partitionOf(service)
    const version = await scripts.prescaleCommit(
      keys.service(service), keys.history(service), keys.services(partition),
      keys.events(partition), keys.deadLetters(partition), keys.feedbackIds(service), keys.verdicts(service),
      keys.incidents(service), keys.incidentTimes(service), keys.allIncidentTimes(partition), keys.openIncidents(partition), keys.loads(service),
      stored.version, service, summaryJson(service, stored, changes), historyLimit, eventsLimit, deadLettersLimit, feedbackIdsLimit, incidentsLimit,
      ...listed(changedFields(changes)),
      ...listed(changes.decisions.map((decision) => [JSON.stringify(decision)])),
      ...listed(changes.events.map((event) => [JSON.stringify(event)])),
      ...listed(changes.putAside.map(({ kind, reason, payload }) => [kind, reason, JSON.stringify(payload)])),
      ...listed(changes.feedbackIds.map(({ id, at }) => [at, id])),
      ...listed(changes.events.flatMap((event) => event.kind === 'verdict' ? [[JSON.stringify(toPastVerdict(event.verdict))]] : [])),
      ...listed([...changes.incidents?.values() ?? []].map((incident) => [incident.id, incident.lastAnomalyAt, incident.state, JSON.stringify(incident)])),
      changes.loads?.clears ? 1 : 0,
      ...listed((changes.loads?.writes ?? []).map(({ offset, bytes }) => [offset, Buffer.from(bytes)])))
    return version !== 0
  }

  /** What results taught the service; too large to be read with every batch. */
  const readRecord = async <Record>(service: string): Promise<Record | null> => {
    const bytes = await redis.hgetBuffer(keys.service(service), 'record')
    return bytes && packr.unpack(bytes) as Record
  }

  /** Which of these feedback ids the service has learned from already. */
  const knownFeedback = async (service: string, ids: readonly string[]): Promise<Set<string>> => {
    if (ids.length === 0) return new Set()
    const pipeline = redis.pipeline()
    for (const id of ids) pipeline.zscore(keys.feedbackIds(service), id)
    const scores = await replies(pipeline)
    return new Set(ids.filter((_, index) => scores[index] !== null))
  }

  /** Those of these incidents that are kept, by id. */
  const knownIncidents = async (service: string, ids: readonly string[]): Promise<Map<string, Incident>> => {
    const found = ids.length === 0 ? [] : await redis.hmget(keys.incidents(service), ...ids)
    return new Map(found.flatMap((json, i) => json === null ? [] : [[ids[i], JSON.parse(json) as Incident]]))
  }

  /** Forgets a service, but for its settings. False when there was nothing to forget. */
  const remove = async (service: string): Promise<boolean> => {
    const partition = keys.partitionOf(service)
    const incidents = await redis.zrangebyscore(keys.incidentTimes(service), '-inf', '+inf')
    const models = parseRecord(await redis.hget(keys.learning(partition), service))?.models ?? []
    const transaction = redis.multi()
      .del(keys.service(service), keys.history(service), keys.loads(service), keys.feedbackIds(service), keys.verdicts(service), keys.overrides(service))
      .del(keys.incidents(service), keys.incidentTimes(service))
      .hdel(keys.services(partition), service)
      .hdel(keys.learning(partition), service)
      .del(keys.learningLock(service), ...models.map(({ version }) => keys.localModel(service, version)))
    if (incidents.length > 0) transaction.zrem(keys.allIncidentTimes(partition), ...incidents).srem(keys.openIncidents(partition), ...incidents)
    const [removed] = await replies(transaction)
    return Number(removed) > 0
  }

  return { load, readRecord, commit, knownFeedback, knownIncidents, remove }
}
export type StateStore<State, Series> = ReturnType<typeof createStateStore<State, Series>>

type Argument = string | number | Uint8Array

function changedFields ({ job, state, series, network, record, decisions, verdict, suggestion, savings, loads, contest }: Changes<unknown, unknown>): Argument[][] {
  const fields: Argument[][] = [['job', JSON.stringify(job)]]
  if (state) fields.push(['state', packr.pack(state)])
  if (series) fields.push(['series', packr.pack(series)])
  if (network) fields.push(['network', Buffer.from(network)])
  if (record) fields.push(['record', packr.pack(record)])
  const last = decisions.at(-1)
  if (last) fields.push(['decision', JSON.stringify(last)])
  if (last?.hash) fields.push(['chain', last.hash])
  if (verdict) fields.push(['verdict', JSON.stringify(verdict)])
  if (suggestion) fields.push(['suggestion', JSON.stringify(suggestion)])
  if (loads) fields.push(['loads', JSON.stringify(loads.mark)])
  if (contest) fields.push(['contest', JSON.stringify(contest.standings)], ['inUse', contest.inUse ?? ''])
  if (savings) fields.push(['savings', JSON.stringify(savings)])
  return fields
}

function summaryJson (service: string, { summary }: StoredService<unknown, unknown>, { decisions, verdict, savings, suggestion }: Changes<unknown, unknown>): string {
  const decision = decisions.at(-1)
  return decision || verdict || suggestion || summary === null ? JSON.stringify(summarize(summary, { service, decision, verdict, savings, suggestion })) : ''
}

function listed (entries: readonly (readonly Argument[])[]): Argument[] {
  return [entries.length, ...entries.flat()]
}
