import { pino, stdSerializers, type DestinationStream, type Logger, type SerializedError } from 'pino'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

import { modelLives, type Forecast, type ModelLife, type Savings } from './domain.ts'
import { withoutCredentials } from './secrets.ts'

export type { Logger } from 'pino'

/** A label with a value per service must not grow with what strangers send. */
const maxLabelledServices = 500

export interface TelemetryOptions {
  readonly level?: string
  readonly log?: Logger
  /** Metrics of the Node.js process: memory, CPU, event loop. */
  readonly processMetrics?: boolean
}

/** Errors of Redis bring the command with its arguments: the password when it signs in, and else what was sent to us. */
export function createLog ({ level, destination }: { readonly level: string, readonly destination?: DestinationStream }): Logger {
  const err = (error: Error) => {
    const { command, message, stack, ...rest } = stdSerializers.err(error) as SerializedError & { command?: { name?: string } }
    if (typeof message !== 'string') return error
    return { ...rest, message: withoutCredentials(message), stack: withoutCredentials(stack ?? ''), ...(command && { command: command.name }) }
  }
  return pino({ name: 'prescale', level, serializers: { err } }, destination)
}

/** Log and metrics of one process. The registry is our own, so that two of them can live in one test. */
export function createTelemetry ({ level = 'info', log = createLog({ level }), processMetrics = true }: TelemetryOptions = {}) {
  const registry = new Registry()
  const registers = [registry]
  if (processMetrics) collectDefaultMetrics({ register: registry })

  const samples = new Counter({ name: 'prescale_samples_total', help: 'Samples by what became of them.', labelNames: ['result'], registers })
  const stepSeconds = new Histogram({
    name: 'prescale_step_seconds',
    help: 'Time that one step of one batch took.',
    labelNames: ['step'],
    registers,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
  })
  const decisions = new Counter({ name: 'prescale_decisions_total', help: 'Decisions by direction.', labelNames: ['direction'], registers })
  const deadLetters = new Counter({ name: 'prescale_dead_letters_total', help: 'Batches, or parts of them, that were put aside.', labelNames: ['kind'], registers })
  const replicas = new Gauge({ name: 'prescale_replicas', help: 'Replicas of the latest decision.', labelNames: ['service'], registers })
  const instanceHours = new Gauge({
    name: 'prescale_compared_instance_hours',
    help: 'Instance-hours since a service was first seen, had this autoscaler been obeyed; simulated.',
    labelNames: ['service', 'autoscaler'],
    registers
  })
  const violationMinutes = new Gauge({
    name: 'prescale_compared_violation_minutes',
    help: 'Minutes of nothing but violating requests since a service was first seen, had this autoscaler been obeyed; simulated.',
    labelNames: ['service', 'autoscaler'],
    registers
  })
  /** Of services with a label value of their own; those of the others would add up to nothing. */
  const compare = (service: string, { prescale, hpa }: Savings) => {
    if (!labelled.has(service)) return
    for (const [autoscaler, result] of Object.entries({ prescale, hpa })) {
      instanceHours.set({ service, autoscaler }, result.instanceHours)
      violationMinutes.set({ service, autoscaler }, result.violationMinutes)
    }
  }
  const coverage = new Gauge({
    name: 'prescale_forecast_coverage',
    help: 'Share of the forecasts of late whose quantile the load did not exceed; 0.95 is right for the quantile 0.95.',
    labelNames: ['service', 'quantile'],
    registers
  })
  const calibrate = (service: string, { calibration }: Forecast) => {
    if (!labelled.has(service)) return
    for (const { quantile, share } of calibration?.coverage ?? []) coverage.set({ service, quantile }, share)
  }
  const trainings = new Counter({ name: 'prescale_trainings_total', help: 'Models that were learned from single services, by what came of it.', labelNames: ['result'], registers })
  const modelChanges = new Counter({ name: 'prescale_model_changes_total', help: 'Models of single services that came to a life.', labelNames: ['life'], registers })
  const localModelBytes = new Gauge({ name: 'prescale_local_model_bytes', help: 'Memory of the models of single services that this process has at hand.', registers })
  const conflicts = new Counter({ name: 'prescale_commit_conflicts_total', help: 'Commits refused because somebody else had written the service.', registers })

  const labelled = new Set<string>()
  /** Makes these, and the ones named before, services with a label value of their own. */
  const knowServices = (services: Iterable<string>) => {
    for (const service of services) if (labelled.size < maxLabelledServices) labelled.add(service)
  }
  /** The service, or `other` for one that nobody configured. */
  const serviceLabel = (service: string) => labelled.has(service) ? service : 'other'

  /** Exposes how many jobs wait; asks when it is scraped, and shows nothing while Redis is away. */
  const watchQueue = (waiting: () => Promise<readonly number[]>) => new Gauge({
    name: 'prescale_queue_waiting',
    help: 'Jobs that wait, by partition.',
    labelNames: ['partition'],
    registers,
    async collect () {
      this.reset()
      const counts = await waiting().catch(() => [])
      counts.forEach((count, partition) => this.set({ partition }, count))
    }
  })

  /** Exposes how many services have a model of their own, by the life of the one that is furthest; nothing while Redis is away. */
  const watchLocalModels = (lives: () => Promise<readonly ModelLife[]>) => new Gauge({
    name: 'prescale_local_models',
    help: 'Services that have a model of their own, by the life of the one that is furthest.',
    labelNames: ['life'],
    registers,
    async collect () {
      this.reset()
      const found = await lives().catch(() => null)
      if (found !== null) for (const life of modelLives) this.set({ life }, found.filter((one) => one === life).length)
    }
  })

  /** Runs a step and takes its time, also when it fails. */
  const timed = async <T> (step: string, run: () => T | Promise<T>): Promise<T> => {
    const stop = stepSeconds.startTimer({ step })
    try {
      return await run()
    } finally {
      stop()
    }
  }

  return {
    registry,
    log,
    samples,
    stepSeconds,
    decisions,
    deadLetters,
    replicas,
    compare,
    calibrate,
    trainings,
    modelChanges,
    localModelBytes,
    conflicts,
    knowServices,
    serviceLabel,
    watchQueue,
    watchLocalModels,
    timed
  }
}
export type Telemetry = ReturnType<typeof createTelemetry>
