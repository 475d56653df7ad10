import type { Sample, Signals } from './domain.ts'
import type { ServiceSettings } from './config-schema.ts'
import { createCluster, obey, passStep, type Cluster } from './policy/cluster.ts'
import type { DecisionStore } from './store/decision-store.ts'
import type { SampleQueue } from './store/sample-queue.ts'
import type { Logger } from './telemetry.ts'

/** The signals of one minute of the trace, one entry for each minute; it repeats from the beginning after its end. */
export type DemoTrace = readonly Signals[]

export const demoService = 'demo-shop'
/** What one replica of the shop carries when it does nothing else; see data/README.md. */
const requestsPerReplica = 100
const utilization = 0.7
const startUpSeconds = 2

/** A minute of the trace passes in a second, so all times are a sixtieth of what they would be: 5 minutes of stabilisation are 5 s. */
export const demoSettings: ServiceSettings = {
  mode: 'act',
  minReplicas: 2,
  maxReplicas: 40,
  target: { requestsPerSecond: utilization * requestsPerReplica, utilization },
  startUpSeconds,
  stepSeconds: 1,
  seasonSeconds: 1440,
  holdSeconds: 15,
  decisionTtlSeconds: 60,
  falseAlarmsPerWeek: 200,
  anomalies: { closeAfterSeconds: 5, reopenWithinSeconds: 60 },
  behavior: {
    scaleUp: { policies: [{ type: 'Pods', value: 4, periodSeconds: 1 }, { type: 'Percent', value: 100, periodSeconds: 1 }] },
    scaleDown: { stabilizationWindowSeconds: 3, policies: [{ type: 'Percent', value: 100, periodSeconds: 1 }] }
  }
}

/** A little more than one season, so that the forecast knows what the same time yesterday was like. */
const backfillSeconds = 1500
const samplesPerBatch = 100

interface DemoOptions {
  readonly trace: DemoTrace
  readonly queue: Pick<SampleQueue, 'enqueue'>
  readonly decisions: Pick<DecisionStore, 'latest'>
  readonly log: Logger
  readonly now: () => number
}

/**
 * Plays the trace as the service demo-shop: second s of the clock is minute s of the trace, so that after a restart it goes on where the
 * clock says. What the kept state does not know of the last season is sent at once, in batches; then one sample a second.
 */
export function createDemo ({ trace, queue, decisions, log, now }: DemoOptions) {
  let shop: Cluster | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let failing = false
  /** The last second that was sent; null until it is known what the state holds. */
  let sent: number | null = null

  async function tick (): Promise<void> {
    const second = Math.floor(now() / 1000)
    const decision = await decisions.latest(demoService)
    const wish = decision !== null && decision.validUntil > now() ? decision.replicas : undefined
    sent = Math.max(sent ?? Math.floor((decision?.asOf ?? 0) / 1000), second - backfillSeconds)
    while (sent < second) {
      if (closed) return
      const until = Math.min(second, sent + samplesPerBatch)
      const samples: Sample[] = []
      for (let at = sent + 1; at <= until; at++) {
        samples.push({ service: demoService, at: at * 1000, signals: at === second ? live(at, wish) : recorded(at) })
      }
      await queue.enqueue([{ kind: 'samples', service: demoService, samples }])
      sent = until
    }
  }

  /** The minute as it was recorded, with the replicas of then. */
  function recorded (second: number): Signals {
    return trace[second % trace.length]
  }

  /** The minute as the shop that obeys our decisions sees it: its own replicas, and the CPU that they need for this load. */
  function live (second: number, wish: number | undefined): Signals {
    const minute = recorded(second)
    const recordedReplicas = minute['readyReplicas']
    shop ??= createCluster(recordedReplicas, { startUpSeconds, stepSeconds: 1 })
    if (wish !== undefined) obey(shop, wish)
    passStep(shop, minute['requestsPerSecond'] / requestsPerReplica, 1)
    const readyReplicas = shop.ready
    const cpuUsageRatio = Math.min(1, minute['cpuUsageRatio'] * recordedReplicas / readyReplicas)
    return { ...minute, readyReplicas, cpuUsageRatio }
  }

  async function run (): Promise<void> {
    try {
      await tick()
      failing = false
    } catch (error) {
      if (!failing && !closed) log.warn({ err: error }, 'the demo cannot send; it goes on when Redis is back')
      failing = true
    }
    if (!closed) timer = setTimeout(() => { running = run() }, 1000 - now() % 1000)
  }
  let running = run()

  return {
    close: async () => {
      closed = true
      clearTimeout(timer)
      await running
    }
  }
}
export type Demo = ReturnType<typeof createDemo>
