import type { AutoscalerResult, Decision, Policy, Savings } from '../domain.ts'
import { copyCluster, createCluster, obey, passStep, type Cluster } from './cluster.ts'
import { emptyScaleHistory, type ScaleHistory } from './hpa.ts'
import { hpaStep } from './hpa-controller.ts'
import { leadSeconds } from './lead-time.ts'
import type { Seen } from './scaling-state.ts'

/** Sums since the beginning, in instance-seconds where nothing else is said. */
interface Tally {
  readonly violating: number
  readonly paid: number
  /** Seconds of which all requests violated; one in which half of them did counts half. */
  readonly violatingSeconds: number
  readonly changes: number
}
interface Run { readonly cluster: Cluster, readonly wish: number, readonly tally: Tally }

/**
 * Two simulated clusters that are fed the same load: one obeys our decisions, the other HPA. Whoever is obeyed in truth, the comparison is
 * between equals, and costs the same for ever.
 */
export interface SavingsState {
  /** Epoch ms: begin of the first step, end of the last. */
  readonly since: number
  readonly until: number
  readonly seconds: number
  readonly arrived: number
  readonly prescale: Run
  readonly hpa: Run & { readonly history: ScaleHistory }
}

const nothing: Tally = { violating: 0, paid: 0, violatingSeconds: 0, changes: 0 }

/** Lets one step pass in both clusters, and then lets each obey its own autoscaler. A step without a known load does not count. */
export function compareWithHpa (before: SavingsState | null, { at, state, demand, fullCapacity }: Seen, decision: Decision, policy: Policy): SavingsState | null {
  if (demand.load === null || fullCapacity === null) return before
  const { stepSeconds } = policy
  const clusters = { startUpSeconds: leadSeconds(state.leadTime, policy.startUpSeconds), stepSeconds }
  const load = demand.load / fullCapacity
  const { since, seconds, arrived, prescale, hpa } = before ?? beginning(at, firstReplicas(load, { demand, policy }), clusters)
  const ours = pass(prescale, load, clusters)
  const theirs = pass(hpa, load, clusters)
  const step = hpaStepOf(hpa, { at, load, target: demand.utilization }, policy)
  return {
    since,
    until: at,
    seconds: seconds + stepSeconds,
    arrived: arrived + load * stepSeconds,
    prescale: follow(ours, decision.replicas),
    hpa: { ...follow(theirs, step.replicas), history: step.history }
  }
}

function hpaStepOf ({ history, wish }: SavingsState['hpa'], moment: { at: number, load: number, target: number }, policy: Policy) {
  return hpaStep(history, { ...policy, ...moment, currentReplicas: wish, behavior: policy.hpaBehavior })
}

/** What HPA wishes for now, in its own cluster. The load and what an instance carries must be known. */
export function hpaWish ({ hpa }: SavingsState, { at, demand, fullCapacity }: Seen, policy: Policy): { replicas: number } {
  return hpaStepOf(hpa, { at, load: demand.load! / fullCapacity!, target: demand.utilization }, policy)
}

function firstReplicas (load: number, { demand, policy: { minReplicas, maxReplicas } }: Pick<Seen, 'demand'> & { policy: Policy }): number {
  return demand.readyReplicas ?? Math.min(maxReplicas, Math.max(minReplicas, Math.ceil(load / demand.utilization - 1e-9)))
}

function beginning (at: number, replicas: number, setting: { startUpSeconds: number, stepSeconds: number }): SavingsState {
  const run = { cluster: createCluster(replicas, setting), wish: replicas, tally: nothing }
  return { since: at - setting.stepSeconds * 1000, until: at, seconds: 0, arrived: 0, prescale: run, hpa: { ...run, history: emptyScaleHistory } }
}

function pass ({ cluster: before, wish, tally }: Run, load: number, setting: { startUpSeconds: number, stepSeconds: number }): Run {
  const cluster = copyCluster(before, setting)
  const { arrived, violating, paid } = passStep(cluster, load, setting.stepSeconds)
  return {
    cluster,
    wish,
    tally: {
      violating: tally.violating + violating,
      paid: tally.paid + paid,
      violatingSeconds: tally.violatingSeconds + (arrived > 0 ? setting.stepSeconds * violating / arrived : 0),
      changes: tally.changes
    }
  }
}

/** The cluster is a copy of our own. */
function follow ({ cluster, wish, tally }: Run, replicas: number): Run {
  obey(cluster, replicas)
  return { cluster, wish: replicas, tally: replicas === wish ? tally : { ...tally, changes: tally.changes + 1 } }
}

/** For those who ask; null before anything was compared. */
export function savingsOf (service: string, state: SavingsState | null): Savings | null {
  if (state === null) return null
  const { since, until, seconds, arrived, prescale, hpa } = state
  const result = ({ tally: { violating, paid, violatingSeconds, changes } }: Run): AutoscalerResult => ({
    violationRatio: arrived > 0 ? violating / arrived : 0,
    violationMinutes: violatingSeconds / 60,
    instanceHours: paid / 3600,
    changesPerHour: changes / (seconds / 3600)
  })
  return { service, since, until, hours: seconds / 3600, prescale: result(prescale), hpa: result(hpa) }
}
