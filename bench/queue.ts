import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import type { Policy, Sample } from '../src/domain.ts'
import { createDecisionStore } from '../src/store/decision-store.ts'
import type { Envelope } from '../src/store/envelope.ts'
import { createKeys, type Keys } from '../src/store/keys.ts'
import { openRedis } from '../src/store/open-redis.ts'
import type { RedisClient, RedisSource } from '../src/store/redis.ts'
import { createSampleQueue, type SampleQueue } from '../src/store/sample-queue.ts'
import { createTelemetry } from '../src/telemetry.ts'
import { createWorker } from '../src/worker.ts'

/**
 * Samples per second from a sender through the queue and the worker into committed decisions, beside plain writes of the same batches
 * to Redis streams. No models, so that this is the price of the way and not of the forecast. Without --redis a server of our own is
 * started, which flushes each write to the disk before it answers.
 * `node dist/bench/queue.js [--samples 40000] [--services 40] [--batch 100] [--redis unix:///run/redis.sock]` prints JSON.
 */
const { values: args } = parseArgs({
  options: {
    samples: { type: 'string', default: '40000' },
    services: { type: 'string', default: '40' },
    batch: { type: 'string', default: '100' },
    redis: { type: 'string' }
  }
})
const [sampleCount, serviceCount, batchSize] = [args.samples, args.services, args.batch].map(Number)
/** Requests that are under way at the same time. */
const senders = 16

const rules = { stabilizationWindowSeconds: 300, selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }], tolerance: 0.1 } as const
const policy: Policy = {
  mode: 'act',
  minReplicas: 1,
  maxReplicas: 100,
  target: { kind: 'perReplica', signal: 'requestsPerSecond', atTarget: 50, utilization: 0.7 },
  startUpSeconds: 60,
  stepSeconds: 60,
  seasonSeconds: 86_400,
  violationTarget: 0.01,
  behavior: { scaleUp: rules, scaleDown: rules },
  holdSeconds: 600,
  decisionTtlSeconds: 180,
  falseAlarmsPerWeek: 1
}

/** Batches of one service each, the services in turn. */
function makeBatches (): Envelope[] {
  const batchesEach = Math.max(1, Math.round(sampleCount / serviceCount / batchSize))
  const batches: Envelope[] = []
  for (let batch = 0; batch < batchesEach; batch++) {
    for (let number = 0; number < serviceCount; number++) {
      const service = `service-${number}`
      const samples = Array.from({ length: batchSize }, (_, i): Sample => {
        const minute = batch * batchSize + i + 1
        const requestsPerSecond = 500 + 200 * Math.sin(minute / 60)
        return { service, at: minute * 60_000, signals: { requestsPerSecond, cpuUsageRatio: 0.5, responseTimeSeconds: 0.1, errorRatio: 0.001 } }
      })
      batches.push({ kind: 'samples', service, samples })
    }
  }
  return batches
}

/** Sends everything over `senders` requests at a time, each of which waits for its answer. Seconds. */
async function sendAll (batches: readonly Envelope[], send: (batch: Envelope) => Promise<unknown>): Promise<number> {
  const started = performance.now()
  let next = 0
  await Promise.all(Array.from({ length: senders }, async () => {
    while (next < batches.length) await send(batches[next++])
  }))
  return (performance.now() - started) / 1000
}

async function plainStream (redis: RedisClient, keys: Keys, batches: readonly Envelope[]): Promise<number> {
  const streams = Array.from({ length: keys.partitions }, (_, partition) => `${keys.queuePrefix(partition)}:plain`)
  const seconds = await sendAll(batches, (batch) => redis.xadd(streams[keys.partitionOf(batch.service)], '*', 'batch', JSON.stringify(batch)))
  for (const stream of streams) await redis.del(stream)
  return seconds
}

interface Through { readonly enqueueSeconds: number, readonly totalSeconds: number, readonly stepMilliseconds: Record<string, number> }

async function throughTheWorker (source: RedisSource, keys: Keys, queue: SampleQueue, batches: readonly Envelope[]): Promise<Through> {
  const telemetry = createTelemetry({ log: pino({ level: 'silent' }), processMetrics: false })
  const worker = createWorker({
    source,
    keys,
    telemetry,
    models: () => ({ forecast: null, anomaly: null, config: null }),
    resolve: () => ({ policy, mappings: [], lateSeconds: 0 })
  })
  await worker.started
  const started = performance.now()
  const enqueueSeconds = await sendAll(batches, (batch) => queue.enqueue([batch]))
  await untilDone(source, keys, batches)
  const totalSeconds = (performance.now() - started) / 1000
  await worker.close()
  const { values } = await telemetry.stepSeconds.get()
  const of = (metric: string, step: string) => values.find((value) => value.metricName === `prescale_step_seconds_${metric}` && value.labels.step === step)?.value ?? 0
  const stepMilliseconds = Object.fromEntries(['load', 'evaluate', 'commit'].map((step) => [step, round(1000 * of('sum', step) / of('count', step))]))
  return { enqueueSeconds, totalSeconds, stepMilliseconds }
}

async function untilDone (source: RedisSource, keys: Keys, batches: readonly Envelope[]): Promise<void> {
  const decisions = createDecisionStore({ redis: source.connect('request'), keys })
  const lastAt = Math.max(...batches.flatMap((batch) => batch.kind === 'samples' ? batch.samples.map(({ at }) => at) : []))
  for (;;) {
    const services = await decisions.services()
    if (services.length === serviceCount && services.every(({ asOf }) => asOf === lastAt)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const round = (value: number) => Number(value.toPrecision(3))

const dataDirectory = mkdtempSync(join(tmpdir(), 'prescale-bench-'))
const source = await openRedis({ url: args.redis, dataDirectory, log: pino({ level: 'silent' }) })
try {
  const keys = createKeys({ prefix: `bench-${process.pid}` })
  const redis = source.connect('request')
  const queue = createSampleQueue({ redis, keys, maxWaiting: Infinity })
  const batches = makeBatches()
  const samples = batches.length * batchSize
  await source.ping()
  const plainSeconds = await plainStream(redis, keys, batches)
  const { enqueueSeconds, totalSeconds, stepMilliseconds } = await throughTheWorker(source, keys, queue, batches)
  await queue.close()
  process.stdout.write(JSON.stringify({
    redis: source.description.split(' of our own')[0],
    samples,
    services: serviceCount,
    samplesPerBatch: batchSize,
    samplesPerSecond: { plainStreamWrite: round(samples / plainSeconds), acknowledged: round(samples / enqueueSeconds), decidedAndCommitted: round(samples / totalSeconds) },
    millisecondsPerBatch: stepMilliseconds
  }, null, 2) + '\n')
} finally {
  await source.close()
  rmSync(dataDirectory, { recursive: true, force: true })
}
