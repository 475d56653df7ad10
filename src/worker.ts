import type { Decision, ModelChange, UpstreamTrouble } from './domain.ts'
import { processEnvelope, type Evaluators, type Outcome } from './process-envelope.ts'
import type { LoadForecaster } from './ml/forecaster.ts'
import type { ServiceState } from './pipeline.ts'
import type { SeriesState } from './ingest/assemble.ts'
import type { TuningRecord } from './tuning/record.ts'
import { createDeadLetters } from './store/dead-letters.ts'
import type { Keys } from './store/keys.ts'
import type { LocalModel } from './store/local-model-store.ts'
import { createPartitionConsumers, Unfinished, type ConsumedJob } from './store/partition-consumers.ts'
import { isPassing, type RedisSource } from './store/redis.ts'
import { createStateStore, type JobMark } from './store/state-store.ts'
import type { Telemetry } from './telemetry.ts'

export interface WorkerOptions extends Evaluators {
  readonly source: RedisSource
  readonly keys: Keys
  readonly telemetry: Telemetry
  /** Decisions kept per service. */
  readonly historyLimit?: number
  /** What the services that this one depends on say of themselves; without it they are not asked. */
  readonly upstreams?: (service: string, settings: unknown) => Promise<readonly UpstreamTrouble[]>
  /** Opens the models that were learned from a service; without it none of them are used. */
  readonly openLocal?: (service: string, models: readonly LocalModel[]) => Promise<readonly LoadForecaster[]>
}

const longestPauseMs = 5_000
/** Of errors that do not pass by themselves, and of commits that somebody else was before: then the job is put aside. */
const maxAttempts = 5

/**
 * Takes jobs from the queue, and for each: load → evaluate → commit. Any number of them may run against one Redis.
 *
 * A job is delivered at least once. Its effect is there exactly once, because its number is committed together with its effect, and
 * because a commit is refused when the service was written since it was loaded.
 */
export function createWorker ({ source, keys, telemetry, historyLimit, upstreams: readUpstreams, openLocal, ...evaluators }: WorkerOptions) {
  const { log } = telemetry
  const redis = source.connect('work')
  const states = createStateStore<ServiceState, SeriesState>({ redis, keys, historyLimit })
  const deadLetters = createDeadLetters({ redis, keys })
  const stop = new AbortController()

  const handle = async ({ mark, envelope }: ConsumedJob): Promise<void> => {
    const { service } = envelope
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const stored = await persistently('load', () => states.load(service))
      if (isDone(mark, stored.lastJob)) return
      const ids = envelope.kind === 'feedback' ? envelope.feedback.map(({ id }) => id) : []
      const knownFeedback = await persistently('load', () => states.knownFeedback(service, ids))
      const about = envelope.kind === 'remarks' ? envelope.remarks.map(({ incident }) => incident) : []
      const knownIncidents = await persistently('load', () => states.knownIncidents(service, about))
      const upstreams = await persistently('load', async () => await readUpstreams?.(service, stored.settings) ?? [])
      const local = await persistently('load', async () => await openLocal?.(service, stored.localModels) ?? [])
      const readRecord = () => persistently('load', () => states.readRecord<TuningRecord>(service))
      const known = { knownFeedback, knownIncidents, upstreams, local, readRecord }
      const outcome = await telemetry.timed('evaluate', () => processEnvelope(stored, envelope, { ...evaluators, ...known }))
      if (await persistently('commit', () => states.commit(service, stored, { ...outcome, job: laterOf(mark, stored.lastJob) }))) return report(service, outcome)
      telemetry.conflicts.inc()
    }
    throw new Error(`The state of ${service} was written by somebody else ${maxAttempts} times in a row.`)
  }

  /** Tries until it works; gives up on closing (then the job stays in the queue), and soon on an error that will not pass. */
  const persistently = async <T>(step: string, run: () => Promise<T>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await telemetry.timed(step, run)
      } catch (error) {
        if (stop.signal.aborted) throw new Unfinished()
        if (!isPassing(error) && attempt >= maxAttempts) throw error
        const pauseMs = Math.min(50 * 2 ** attempt, longestPauseMs)
        log.warn({ err: error, step, attempt, pauseMs }, 'Redis refused; the batch waits and is tried again')
        await pause(pauseMs, stop.signal)
      }
    }
  }

  const report = (service: string, { tally, decisions, savings, putAside, events }: Outcome) => {
    for (const [result, count] of Object.entries(tally)) if (count > 0) telemetry.samples.inc({ result }, count)
    for (const decision of decisions) telemetry.decisions.inc({ direction: directionOf(decision) })
    const latest = decisions.at(-1)
    if (latest) telemetry.replicas.set({ service: telemetry.serviceLabel(service) }, latest.replicas)
    if (savings) telemetry.compare(service, savings)
    if (latest?.forecast) telemetry.calibrate(service, latest.forecast)
    for (const event of events) if (event.kind === 'model') tellChange(service, event.model)
    for (const { kind, reason } of putAside) {
      telemetry.deadLetters.inc({ kind })
      log.error({ service, kind, reason }, 'put aside as a dead letter, because evaluating it fails; see /v1/dead-letters')
    }
  }

  const tellChange = (service: string, { version, life = 'active', before, reason }: ModelChange) => {
    telemetry.modelChanges.inc({ life })
    log.info({ service, version, life, before, reason }, 'a model of a service came to another life')
  }

  const consumers = createPartitionConsumers({ redis, keys, deadLetters, handle, onError: (err) => log.warn({ err }, 'the queue had an error') })

  /** Finishes the batches at hand; what cannot be finished is done by the next worker. */
  const close = async () => {
    stop.abort()
    await consumers.close()
    redis.disconnect()
  }

  return { started: consumers.started, close }
}
export type PrescaleWorker = ReturnType<typeof createWorker>

/**
 * Whether a service holds the effect of a job already. Job ids grow within a partition; should the queue have been deleted, and
 * the counting begun anew, the time tells a new job from an old one.
 */
function isDone (mark: JobMark, lastJob: JobMark | null): boolean {
  return lastJob !== null && mark.id <= lastJob.id && mark.at <= lastJob.at
}

/** What is remembered of a job; its time never goes back, although the clocks of two senders may. */
function laterOf ({ id, at }: JobMark, lastJob: JobMark | null): JobMark {
  return { id, at: Math.max(at, lastJob?.at ?? 0) }
}

function directionOf ({ replicas, currentReplicas }: Decision): 'up' | 'down' | 'same' {
  if (replicas === currentReplicas) return 'same'
  return replicas > currentReplicas ? 'up' : 'down'
}

function pause (ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done () {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
  })
}
