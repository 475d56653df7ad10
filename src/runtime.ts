import type { AddressInfo } from 'node:net'
import { openAccessFiles } from './access-files.ts'
import { createAdmission } from './admission.ts'
import { createApp } from './api/app.ts'
import type { ApiOptions } from './api/context.ts'
import { createMonitoringApp } from './api/monitoring.ts'
import { ownScrape } from './config-builtin.ts'
import { configDifferences, needRestart } from './config-changes.ts'
import { resolveService, type Config } from './config.ts'
import { createDemo, type DemoTrace } from './demo.ts'
import { createEarlierLoads } from './earlier-loads.ts'
import { PrescaleError } from './errors.ts'
import { learnFromFeedback, openNetwork } from './feedback.ts'
import type { SeriesState } from './ingest/assemble.ts'
import { createOutbound } from './ingest/outbound.ts'
import { createLearner } from './learner.ts'
import { startListeners } from './listeners.ts'
import { createLocalForecasters } from './local-forecasters.ts'
import { loadModels, replaceModels } from './models.ts'
import type { ServiceState } from './pipeline.ts'
import { createPush } from './push/push.ts'
import { createRouting } from './routing.ts'
import { createSourceHandler, scheduledSources, scheduledTargets } from './sources.ts'
import { createAuditLog, type AuditLog } from './store/audit-log.ts'
import { createDeadLetters } from './store/dead-letters.ts'
import { createDecisionStore } from './store/decision-store.ts'
import { createEventStream } from './store/event-stream.ts'
import { createIncidentStore } from './store/incident-store.ts'
import { createKeys } from './store/keys.ts'
import { createLoadStore } from './store/load-store.ts'
import { createLocalModelStore } from './store/local-model-store.ts'
import { announceModels } from './store/model-events.ts'
import { createModelRegistry } from './store/model-registry.ts'
import { openRedis } from './store/open-redis.ts'
import { createOverrideStore } from './store/override-store.ts'
import { createPushQueue } from './store/push-queue.ts'
import { answered } from './store/redis.ts'
import { createRateLimit } from './store/rate-limit.ts'
import { createSampleQueue } from './store/sample-queue.ts'
import { createSchedules, createScheduleWorker } from './store/schedules.ts'
import { openSigningKey } from './store/signing-key.ts'
import { createSettingsStore } from './store/settings-store.ts'
import { createStateStore } from './store/state-store.ts'
import { readStaticFiles } from './store/static-files.ts'
import { createTargetStore } from './store/target-store.ts'
import { createTuningReader } from './tuning-reader.ts'
import { createTelemetry, type Telemetry } from './telemetry.ts'
import { createTuningThread } from './threads/tuning-thread.ts'
import { openTlsFiles } from './tls-files.ts'
import { readUpstreams } from './upstreams.ts'
import { createWorker } from './worker.ts'

export type Role = 'api' | 'worker' | 'all'

export interface RuntimeOptions {
  readonly role: Role
  /** Reads the configuration, at the start and at every reload. */
  readonly load: () => Config
  /** Where trained models lie, if the configuration does not say. */
  readonly modelsDirectory: string
  /** Where the built page for people lies. */
  readonly pageDirectory: string
  /** Read only when the demonstration runs. */
  readonly readDemoTrace: () => Promise<DemoTrace>
}

type OnClose = (closer: () => unknown) => void

/** For what is on its way in. The worker has three seconds for what it works on, and all together must be done in five. */
const closeGraceMs = 700
const retryMs = 2_000
/** A decision is made once in a step of a second or more, and autoscalers ask every few seconds: so much older it may be. */
const decisionFreshMs = 50

/**
 * Opens everything in order, and closes it in reverse order. When something cannot be opened, what was opened is closed again.
 *
 * @throws PrescaleError of the part that cannot be opened.
 */
export async function startRuntime (options: RuntimeOptions) {
  const closers: (() => unknown)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return { ...await start(options, (closer) => { closers.push(closer) }), close }
  } catch (error) {
    await close()
    throw error
  }
}
export type Runtime = Awaited<ReturnType<typeof startRuntime>>

async function start ({ role, load, modelsDirectory, pageDirectory, readDemoTrace }: RuntimeOptions, onClose: OnClose) {
  let present = load()
  const config = () => present
  const parts = await openParts({ config, modelsDirectory }, onClose)
  const { log } = parts.telemetry

  const worker = role === 'api' ? null : startWorker(parts, onClose)

  let address: string | null = null
  const setUp = untilItWorks(async () => {
    await parts.routing.refresh()
    await applySources(parts, address)
  })
  onClose(setUp.cancel)

  const reload = async () => {
    const next = load()
    for (const part of needRestart(present, next)) log.warn(`${part} has changed; that takes effect at the next start`)
    const before = present
    present = next
    try {
      parts.accessFiles.rebuild()
    } catch (error) {
      present = before
      throw error
    }
    parts.routing.rebuild()
    await parts.reloadModels({ tell: worker !== null })
    setUp.run()
    worker?.push.apply()
    log.info({ file: present.file }, 'the configuration was read again')
    note(parts.audit, log, { action: 'the configuration was read again', changes: configDifferences(before, present) })
    return present
  }

  if (role !== 'worker') address = await startApi({ ...parts, page: readStaticFiles(pageDirectory), reload, sourcesChanged: () => applySources(parts, address) }, onClose)
  setUp.run()
  if (role !== 'worker' && present.demoServices.size > 0) {
    const demo = createDemo({ ...parts, trace: await readDemoTrace(), log })
    onClose(demo.close)
  }
  return { address, config, reload, log, redis: parts.source }
}

type Parts = Awaited<ReturnType<typeof openParts>>

/** What both roles work with. */
async function openParts ({ config, modelsDirectory }: { config: () => Config, modelsDirectory: string }, onClose: OnClose) {
  const { redisUrl, dataDirectory, partitions, limits, logLevel, modelsDirectory: ownModelsDirectory } = config()
  const now = Date.now
  const telemetry = createTelemetry({ level: logLevel })
  const { log } = telemetry
  const source = await openRedis({ url: redisUrl ?? undefined, dataDirectory, log })
  onClose(source.close)
  const redis = source.connect('request')
  const keys = createKeys({ partitions })
  const decisions = createDecisionStore({ redis, keys, freshMs: decisionFreshMs })
  const incidents = createIncidentStore({ redis, keys })
  const settings = createSettingsStore({ redis, keys })
  const loads = createLoadStore({ redis, keys })
  const overrides = createOverrideStore({ redis, keys })
  const localModels = createLocalModelStore({ redis, keys })
  telemetry.watchLocalModels(localModels.lives)
  const deadLetters = createDeadLetters({ redis, keys })
  const states = createStateStore<ServiceState, SeriesState>({ redis, keys })
  const forget = (service: string) => answered(redis, () => states.remove(service))
  const tuning = createTuningReader({ redis, states })
  const events = createEventStream({ source, redis, keys, log })
  onClose(events.close)
  const queue = createSampleQueue({ redis, keys, maxWaiting: Math.ceil(limits.waitingJobs / partitions) })
  onClose(queue.close)
  telemetry.watchQueue(queue.waiting)
  const pushQueue = createPushQueue({ redis, keys })
  onClose(pushQueue.close)
  const schedules = createSchedules({ redis, keys })
  onClose(schedules.close)

  const registry = createModelRegistry({ directory: ownModelsDirectory ?? modelsDirectory })
  let { models, problems } = await loadModels(registry)
  for (const problem of problems) log.warn(`${problem} Decisions are made without it.`)
  /** Takes effect with the next sample. */
  const reloadModels = async ({ tell }: { tell: boolean }) => {
    const next = await loadModels(registry)
    for (const problem of next.problems) log.warn(`${problem} What served before goes on, if there was anything.`)
    const { models: present, changes } = replaceModels(models, next.models)
    models = present
    problems = next.problems
    for (const { name, before, version } of changes) log.info({ before, version }, `another ${name} serves now`)
    if (tell) await announceModels(changes, { redis, keys }).catch((err: unknown) => { log.warn({ err }, 'the stream does not know of the new models') })
  }

  const audit = createAuditLog({ redis, keys })
  const accessFiles = openAccessFiles({ config, log, onChange: (tokens) => { note(audit, log, { action: 'the tokens were read again', changes: { tokens } }) } })
  onClose(accessFiles.close)
  const admission = createAdmission({ config, decisions, settings, now })
  const routing = createRouting({ config, settings, decisions, telemetry })
  onClose(routing.close)
  const stores = { decisions, tuning, loads, localModels, overrides, incidents, events, settings, deadLetters, forget, queue, pushQueue, schedules, registry }
  return {
    config,
    now,
    telemetry,
    source,
    keys,
    ...stores,
    models: () => models,
    modelProblems: () => problems,
    reloadModels,
    admission,
    routing,
    accessFiles,
    access: accessFiles.access,
    rateLimit: createRateLimit({ redis, keys }),
    targets: createTargetStore({ redis, keys }),
    audit
  }
}

/** Works on what is queued, and fetches what is due. */
function startWorker (parts: Parts, onClose: OnClose) {
  const { config, source, keys, telemetry, routing, localModels } = parts
  const openModels = createLocalForecasters({ store: localModels, mostBytes: () => config().learning.memoryMegabytes * 1e6, telemetry })
  const { turn, teach, close: closeTuning } = createTuningThread()
  onClose(closeTuning)
  const worker = createWorker({
    ...parts,
    openLocal: async (service, models) => config().learning.enabled ? await openModels(service, models) : [],
    resolve: (service, stored) => resolveService(service, stored, config()),
    upstreams: (service, stored) => readUpstreams(service, stored, parts),
    learn: (input) => learnFromFeedback(input, { turn, teach }),
    turn,
    openNetwork,
    historyLimit: config().limits.historyDecisions,
    historySteps: config().limits.historySteps
  })
  onClose(worker.close)
  const outbound = createOutbound()
  onClose(outbound.close)
  const learner = createLearner({ ...parts, earlier: createEarlierLoads({ ...parts, ...outbound, log: telemetry.log }) })
  onClose(() => learner.close({ graceMs: closeGraceMs }))
  const sources = createSourceHandler({ ...parts, router: routing.router })
  onClose(sources.close)
  const fetcher = createScheduleWorker({ redis: source.connect('work'), keys, handle: sources.handle, log: telemetry.log })
  onClose(() => fetcher.close({ graceMs: closeGraceMs }))
  const push = createPush(parts)
  onClose(push.close)
  return { push }
}

/** @returns the address that it listens on. */
async function startApi (parts: Parts & Pick<ApiOptions, 'page'> & { reload: () => Promise<Config>, sourcesChanged: () => Promise<void> }, onClose: OnClose): Promise<string> {
  const { config, source, keys, routing, telemetry } = parts
  const missing = async () => await source.ping() ? [] : [`Redis (${source.description})`]
  const { listen, tls, monitoring } = config()
  const tlsFiles = tls === null ? null : openTlsFiles(tls, { key: 'listen.tls', log: telemetry.log })
  if (tlsFiles) onClose(tlsFiles.close)
  const app = await createApp({
    ...parts,
    tls: tlsFiles?.certificates ?? null,
    signingKey: () => openSigningKey(config().dataDirectory),
    partitionOf: keys.partitionOf,
    router: routing.router,
    settingsChanged: routing.refresh,
    missing
  })
  onClose(async () => {
    // Whoever is still sending after this has a sender that tries again.
    const timer = setTimeout(() => { app.server.closeAllConnections() }, closeGraceMs)
    await app.close()
    clearTimeout(timer)
  })
  tlsFiles?.follow(app.server as never)
  await app.listen(listen).catch((error: NodeJS.ErrnoException) => { throw cannotListen(error, listen) })
  if (monitoring !== null) {
    const watched = createMonitoringApp({ ...parts, missing })
    onClose(() => watched.close())
    await watched.listen(monitoring).catch((error: NodeJS.ErrnoException) => { throw cannotListen(error, monitoring) })
    const { port } = watched.server.address() as AddressInfo
    telemetry.log.info({ host: monitoring.host, port }, 'metrics and health are served on a listener of their own')
  }
  for (const listener of await startListeners({ ...parts, missing }, onClose)) telemetry.log.info(listener)
  const { address, port } = app.server.address() as AddressInfo
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '[::1]' : address.includes(':') ? `[${address}]` : address
  return `${tls === null ? 'http' : 'https'}://${host}:${port}`
}

function cannotListen (error: NodeJS.ErrnoException, { host, port }: Config['listen']): PrescaleError {
  const hint = error.code === 'EADDRINUSE' ? 'it is in use; --port chooses another one' : error.message
  return new PrescaleError('invalid-config', `Port ${port} of ${host} cannot be listened on: ${hint}.`, { cause: error })
}

/** A line of the audit about what happened by itself; without Redis it stands in the log alone. */
function note (audit: AuditLog, log: Telemetry['log'], { action, changes }: { action: string, changes: unknown }): void {
  audit.append({ at: Date.now(), who: 'prescale', by: 'system', action, changes }).catch((err: unknown) => { log.error({ err, action, changes }, 'a line of the audit could not be written') })
}

/** Makes the sources of the configuration those that are fetched. Without a file there is only ourselves, and the one who serves knows where. */
async function applySources ({ config, schedules, targets }: Parts, address: string | null): Promise<void> {
  const { file, sources } = config()
  const added = sources.overHttp.enabled ? scheduledTargets(await targets.list()) : []
  if (file !== null) return await schedules.replaceAll([...scheduledSources(sources), ...added])
  if (address !== null) await schedules.replaceAll(scheduledSources({ scrape: [ownScrape(address)], prometheus: [] }))
}

/** Runs a task that Redis may refuse now, again and again until it works. */
function untilItWorks (task: () => Promise<void>) {
  let timer: NodeJS.Timeout | undefined
  let cancelled = false
  const run = () => {
    clearTimeout(timer)
    task().catch(() => { if (!cancelled) timer = setTimeout(run, retryMs) })
  }
  const cancel = () => {
    cancelled = true
    clearTimeout(timer)
  }
  return { run, cancel }
}
