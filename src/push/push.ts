import { Counter } from 'prom-client'
import type { Config } from '../config.ts'
import { createOutbound } from '../ingest/outbound.ts'
import type { Keys } from '../store/keys.ts'
import { createPushWorker, type PushQueue, type PushWorker } from '../store/push-queue.ts'
import { createPushStore } from '../store/push-store.ts'
import type { RedisSource } from '../store/redis.ts'
import type { Telemetry } from '../telemetry.ts'
import { openAlerts, resendSeconds } from './alertmanager.ts'
import { follow, nothingPushed, type Change, type PushState } from './changes.ts'
import { createDeliver } from './deliver.ts'
import { deliveriesFor, targetId } from './targets.ts'

interface PushOptions {
  readonly source: RedisSource
  readonly keys: Keys
  readonly config: () => Pick<Config, 'push'>
  readonly pushQueue: PushQueue
  readonly telemetry: Pick<Telemetry, 'registry' | 'log'>
  readonly now: () => number
  readonly followMs?: number
}

/**
 * Tells others what changed. The events of the worker are followed by one process at a time; a message is queued before the place is
 * saved, under an id made of what it says, so that it is sent at least once and, within an hour, not twice.
 */
export function createPush ({ source, keys, config, pushQueue, telemetry: { registry, log }, now, followMs = 1_000 }: PushOptions) {
  let worker: PushWorker | null = null
  const redis = source.connect('work')
  const store = createPushStore<PushState>({ redis, keys })
  const outbound = createOutbound()
  const targets = () => config().push
  const { deliver, postAlerts } = createDeliver({ targets, store, outbound, now })
  const results = new Counter({ name: 'prescale_push_total', help: 'Attempts to tell others what changed, by what became of them.', labelNames: ['target', 'result'], registers: [registry] })

  const followAll = async () => {
    for (const partition of store.partitions) while (await followPartition(partition)) { /* until nothing is left */ }
  }

  const followPartition = async (partition: number): Promise<boolean> => {
    const events = await store.read(partition)
    if (events.length === 0) return false
    const states = await store.states(partition, [...new Set(events.map(({ service }) => service).filter((service) => service !== ''))])
    const changes: Change[] = []
    for (const { service, event } of events) {
      if (event.kind === 'model') continue
      const followed = follow(states.get(service) ?? nothingPushed, event)
      states.set(service, followed.state)
      changes.push(...followed.changes)
    }
    await pushQueue.add(changes.flatMap((change) => deliveriesFor(change, targets())))
    await store.save(partition, { cursor: events[events.length - 1].id, states })
    return true
  }

  /** Alertmanager forgets an alert that is not posted again. */
  const resend = async () => {
    const alertmanagers = targets().filter((target) => target.kind === 'alertmanager')
    if (alertmanagers.length === 0) return
    const open = (await store.allStates()).flatMap(({ service, state: { incident } }) => incident === null ? [] : [{ service, incident }])
    for (const target of alertmanagers) {
      const own = open.filter(({ service }) => target.services === null || target.services.includes(service))
      await postAlerts(target, openAlerts(own, { now: now(), labels: target.labels })).catch((err: unknown) => { log.warn({ err, target: targetId(target) }, 'open incidents could not be posted again; they are in a minute') })
    }
  }

  const startWorker = () => createPushWorker({
    redis,
    keys,
    log,
    ticks: { follow: { everyMs: followMs, run: followAll }, resend: { everyMs: resendSeconds * 1000, run: resend } },
    deliver: async (delivery) => {
      const kind = delivery.target.split('-')[0]
      await deliver(delivery).catch((error: unknown) => {
        results.inc({ target: kind, result: 'failed' })
        throw error
      })
      results.inc({ target: kind, result: 'delivered' })
    },
    onDead: ({ id, target, reason }) => {
      results.inc({ target: target.split('-')[0], result: 'dead' })
      log.error({ id, target, reason }, 'a message could not be delivered and is put aside; see /v1/push/dead-letters')
    }
  })

  /** Begins when there is somebody to tell, at the start or after a reload. */
  const apply = () => {
    if (targets().length > 0) worker ??= startWorker()
  }
  apply()

  const close = async () => {
    await worker?.close()
    await outbound.close()
  }
  return { apply, close }
}
export type Push = ReturnType<typeof createPush>
