import { describeModel, outcomeOf, recordAfter, type Learned } from './learner-record.ts'
import { prepareTask, type TaskSources } from './learner-task.ts'
import type { LocalResult, LocalTask } from './learning/train-local.ts'
import type { DecisionStore } from './store/decision-store.ts'
import type { LearningLock, LearningRecord, LocalModelStore } from './store/local-model-store.ts'
import type { Telemetry } from './telemetry.ts'
import { trainOnThread } from './threads/learning-thread.ts'

export interface LearnerOptions extends TaskSources {
  readonly decisions: Pick<DecisionStore, 'services' | 'latest'>
  readonly localModels: LocalModelStore
  readonly telemetry: Pick<Telemetry, 'log' | 'trainings' | 'timed'>
  /** How often it looks for services that are due. */
  readonly tickMs?: number
  readonly firstTickMs?: number
  readonly train?: (task: LocalTask, options: { signal: AbortSignal }) => Promise<LocalResult>
}

const lockMs = 60_000
/** Before a service that has too little is looked at again; it doubles. */
const firstWaitMs = 15_000

/**
 * Learns a model for each service that has enough history, one after the other, on a thread of its own. Any number of processes may do so at once:
 * each service is locked by the one that learns from it, and a process that dies loses the lock within a minute.
 */
export function createLearner (options: LearnerOptions) {
  const { config, decisions, localModels, telemetry: { log, trainings, timed }, now, tickMs = 30_000, firstTickMs = Math.min(tickMs, 10_000), train = trainOnThread } = options
  const stop = new AbortController()
  let running: Promise<void> | null = null

  /** Learns from every service that is due. */
  const round = async (): Promise<void> => {
    if (!config().learning.enabled) return
    const [heard, records] = await Promise.all([decisions.services(), localModels.list()])
    const recordOf = new Map(records.map((record) => [record.service, record]))
    for (const { service } of heard) {
      if (stop.signal.aborted) return
      if ((recordOf.get(service)?.nextAt ?? 0) <= now()) await learnFrom(service)
    }
  }

  const learnFrom = async (service: string): Promise<void> => {
    const lock = await localModels.lock(service, { ms: lockMs })
    if (lock === null) return
    const extending = setInterval(() => { lock.extend().catch(() => {}) }, lockMs / 3)
    let before: LearningRecord | null = null
    try {
      before = await localModels.read(service)
      // Another process may have been faster.
      if ((before?.nextAt ?? 0) <= now()) await learn(lock, before)
    } catch (error) {
      if (!stop.signal.aborted) await noteFailure(lock, before, error)
    } finally {
      clearInterval(extending)
      await lock.release().catch(() => {})
    }
  }

  const noteFailure = async (lock: LearningLock, before: LearningRecord | null, error: unknown): Promise<void> => {
    const { service } = lock
    trainings.inc({ result: 'failed' })
    log.warn({ err: error, service }, 'no model could be learned from the service; it is tried again')
    const record = recordAfter(before, { service, at: now(), nextAt: now() + config().learning.everySeconds * 1000, outcome: `It failed: ${(error as Error).message}` })
    await localModels.save(lock, before, { record }).catch(() => {})
  }

  const learn = async (lock: LearningLock, before: LearningRecord | null): Promise<void> => {
    const { service } = lock
    const found = await prepareTask(service, before, options)
    if ('missing' in found) {
      // What is missing may come at once, with a history that is sent, or never.
      const waitMs = Math.min(found.waitMs, Math.max(firstWaitMs, 2 * (before === null ? 0 : before.nextAt - before.triedAt)))
      await localModels.save(lock, before, { record: recordAfter(before, { service, at: now(), nextAt: now() + waitMs, outcome: found.missing }) })
      return
    }
    const { task, nextAt, inUse } = found
    const result = await timed('learn', () => train(task, { signal: stop.signal }))
    const record = recordAfter(before, { service, at: now(), nextAt, outcome: outcomeOf(result, task) })
    const saved = result.status === 'learned'
      ? await localModels.save(lock, before, await withModel(record, { task, result, inUse }))
      : await localModels.save(lock, before, { record })
    trainings.inc({ result: saved ? result.status : 'lost' })
    log.info({ service, outcome: record.outcome, saved }, 'learned from a service')
  }

  const withModel = async (record: LearningRecord, { task, result, inUse }: { task: LocalTask, result: Learned, inUse: string | null }) => {
    const model = await describeModel(task, result, now())
    const others = (await localModels.list()).filter(({ service }) => service !== record.service)
    const kept = record.models.filter(({ version }) => version === inUse)
    const storedBytes = [...others.flatMap(({ models }) => models), ...kept, model].reduce((sum, { storedBytes: size }) => sum + size, 0)
    const most = config().learning.megabytes
    if (storedBytes > most * 1e6) return { record: { ...record, outcome: `${record.outcome} There is no room for it: learning.megabytes is ${most}.` } }
    return { record: { ...record, learned: record.learned + 1, models: [...kept, model] }, model: { version: model.version, bytes: result.bytes, inUse } }
  }

  const tick = (): Promise<void> => {
    running ??= round()
      .catch((err: unknown) => { if (!stop.signal.aborted) log.warn({ err }, 'services could not be looked through for learning; it is tried again') })
      .finally(() => { running = null })
    return running
  }
  // Soon after the start, when what is queued has been worked on, and then again and again.
  const first = setTimeout(tick, firstTickMs)
  const timer = setInterval(tick, tickMs)

  /** What is being learned is given up; whatever else is under way is waited for, for at most `graceMs`. */
  const close = async ({ graceMs = 1_500 } = {}) => {
    clearTimeout(first)
    clearInterval(timer)
    stop.abort(new Error('The process is ending.'))
    let grace: NodeJS.Timeout | undefined
    await Promise.race([running, new Promise((resolve) => { grace = setTimeout(resolve, graceMs) })])
    clearTimeout(grace)
  }

  return { tick, close }
}
export type Learner = ReturnType<typeof createLearner>
