import type { Policy, Sample } from '../domain.ts'
import { createLocalLearner } from '../learning/local-learner.ts'
import { emptyState, evaluate, type Models } from '../pipeline.ts'
import { createCluster, obey, passStep, type Cluster } from '../policy/cluster.ts'
import { defaultBehavior } from '../policy/defaults.ts'

/** All that a replay needs to know beside its rows. */
export interface ReplaySettings {
  /** Load that one instance carries at 100 % utilisation. */
  readonly capacity: number
  /** Utilisation that HPA would aim at, 0 to 1. */
  readonly target: number
  readonly startUpSeconds: number
  readonly min?: number
  readonly max?: number
  readonly stepSeconds?: number
  readonly seasonSeconds?: number
  readonly violationTarget?: number
  /** Learn a model of this service from its first rows, and again and again from all that has passed; 0 learns none. */
  readonly trainRows?: number
  readonly models?: Models
  /** Further settings of the service, such as its behavior. */
  readonly policy?: Partial<Policy>
  readonly seed?: number
  /** How much a local model learns from and grows to; see createLocalLearner. */
  readonly localRows?: number
  readonly localTrees?: number
}

export interface TraceRow { readonly at: number, readonly load: number, readonly signals: Readonly<Record<string, number>> }
export interface ReplayedStep {
  readonly at: number
  /** NaN where the trace has none. */
  readonly load: number
  readonly replicas: number
  readonly source: string
  /** The median of the largest load within the horizon. */
  readonly forecast: number | null
  readonly reason: string
}

const noModels: Models = { forecast: null, anomaly: null, config: null }

/** Feeds rows through `evaluate` as the worker does, with a simulated cluster that obeys every decision. Looks at no later row. */
export async function * replayRows (trace: AsyncIterable<TraceRow> | Iterable<TraceRow>, settings: ReplaySettings): AsyncGenerator<ReplayedStep> {
  const { capacity, target, startUpSeconds, min = 1, stepSeconds = 60, models: given = noModels } = settings
  const policy = replayPolicy(settings)
  const learner = createLocalLearner({ ...settings, policy })
  let cluster: Cluster | null = null
  let state = emptyState()
  let replicas = min
  let models = given
  for await (const { at, load, signals } of trace) {
    const instances = (load || 0) / capacity
    cluster ??= createCluster(Math.max(min, Math.ceil(instances / target)), { startUpSeconds, stepSeconds })
    passStep(cluster, instances, stepSeconds)
    const sample = sampleOf({ at, load, signals }, cluster.ready, stepSeconds)
    models = { ...models, forecast: learner.learn(sample.at, load) ?? models.forecast }
    const evaluation = evaluate(state, sample, models, policy)
    state = evaluation.state
    const decision = evaluation.status === 'decided' ? evaluation.decision : null
    replicas = decision?.replicas ?? replicas
    obey(cluster, replicas)
    const median = decision?.forecast?.quantiles.find(({ quantile }) => quantile === 0.5)
    yield { at, load, replicas, source: decision?.source ?? evaluation.status, forecast: median?.load ?? null, reason: decision?.reason ?? '' }
  }
}

/** The settings of a service that is replayed: the defaults of a service where nothing is given, and obeyed. */
export function replayPolicy ({ capacity, target, startUpSeconds, min = 1, max = 200, policy, ...settings }: ReplaySettings): Policy {
  const { stepSeconds = 60, seasonSeconds = 86_400, violationTarget = 0.01 } = settings
  return {
    mode: 'act',
    minReplicas: min,
    maxReplicas: max,
    target: { kind: 'perReplica', signal: 'requestsPerSecond', atTarget: capacity * target, utilization: target },
    startUpSeconds,
    stepSeconds,
    seasonSeconds,
    violationTarget,
    behavior: defaultBehavior,
    holdSeconds: 900,
    decisionTtlSeconds: 3 * stepSeconds,
    falseAlarmsPerWeek: 1,
    ...policy
  }
}

/** What an exporter would have said at the end of the step; what it did not measure is no signal. */
function sampleOf ({ at, load, signals }: TraceRow, readyReplicas: number, stepSeconds: number): Sample {
  // The replicas of the trace are those of another rule; here ours run.
  const measured = { ...signals, requestsPerSecond: load, readyReplicas }
  const known = Object.entries(measured).filter(([, value]) => Number.isFinite(value))
  return { service: 'replay', at: (at + stepSeconds) * 1000, signals: Object.fromEntries(known) }
}
