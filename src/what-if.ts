import type { AutoscalerResult, Decision, Policy } from './domain.ts'
import { PrescaleError } from './errors.ts'
import { moneyOf, type Money } from './simulation/money.ts'
import type { ContestSetting } from './simulation/contestants.ts'
import type { Score } from './simulation/score.ts'
import type { PrescaleSetting, SimulationResult, SimulationTask } from './simulation/task.ts'
import type { KeptLoads } from './store/load-store.ts'

export interface WhatIfQuestion {
  readonly hours: number
  /** As set now, and as they would be. */
  readonly present: Policy
  readonly changed: Policy
  readonly loads: KeptLoads
  /** The latest decision: what is known of capacity and start-up time. */
  readonly decision: Decision
  readonly forecast: PrescaleSetting['forecast']
}

export interface WhatIfResult extends AutoscalerResult { readonly money: Money | null, readonly worstHour: Score['worstHour'] }

/** Columns of equal length; null where nothing is known. */
export interface WhatIfSeries {
  /** Epoch ms of the end of each point. */
  readonly at: readonly number[]
  readonly load: readonly (number | null)[]
  /** Replicas that each would have wished for. */
  readonly present: readonly number[]
  readonly changed: readonly number[]
  readonly hpa: readonly number[]
}

export interface WhatIfAnswer {
  /** Epoch ms: begin and end of what counts. */
  readonly from: number
  readonly to: number
  readonly hours: number
  readonly stepSeconds: number
  readonly modelVersion: string
  readonly present: WhatIfResult
  readonly changed: WhatIfResult
  /** HPA with the present settings. */
  readonly hpa: WhatIfResult
  readonly series: WhatIfSeries
}

/** More than a plot shows. */
const mostPoints = 720
/** Usual for a container, where nobody has measured it. */
const assumedStartUpSeconds = 120

/**
 * What to simulate: the last hours with the present settings, with changed ones, and with HPA; all that lies before is there to be learned from.
 *
 * @throws PrescaleError `no-opinion` while capacity or loads are not known.
 */
export function whatIfTasks ({ hours, present, changed, loads, decision, forecast }: WhatIfQuestion): SimulationTask[] {
  const capacity = decision.capacity === null ? null : decision.capacity / utilizationOf(present)
  if (capacity === null) throw new PrescaleError('no-opinion', `What one replica of ${decision.service} carries is not known yet.`)
  const series = { startAt: loads.startAt, loads: loads.loads.map(load => load / capacity) }
  const scoreFrom = firstStep(loads, hours)
  const taskOf = (autoscaler: 'prescale' | 'hpa', policy: Policy): SimulationTask => {
    const setting = settingOf(policy, { capacity, scoreFrom, decision, stepSeconds: loads.stepSeconds })
    const { override: _, demo: __, ...rest } = policy
    const simulated = { ...rest, mode: 'act' as const, target: targetOf(policy, capacity), startUpSeconds: setting.startUpSeconds, stepSeconds: loads.stepSeconds }
    return { autoscaler, series, setting, prescale: { capacity, policy: simulated, forecast } }
  }
  return [taskOf('prescale', present), taskOf('prescale', changed), taskOf('hpa', present)]
}

/** @param results of the tasks, in their order. */
export function whatIfAnswer ({ hours, present, changed, loads, forecast }: WhatIfQuestion, [now, then, hpa]: readonly SimulationResult[]): WhatIfAnswer {
  const stepMs = loads.stepSeconds * 1000
  const from = firstStep(loads, hours)
  return {
    from: loads.startAt + (from - 1) * stepMs,
    to: loads.startAt + (loads.loads.length - 1) * stepMs,
    hours: (loads.loads.length - from) * loads.stepSeconds / 3600,
    stepSeconds: loads.stepSeconds,
    modelVersion: forecast?.version ?? 'none',
    present: resultOf(now, present),
    changed: resultOf(then, changed),
    hpa: resultOf(hpa, present),
    series: seriesOf(loads, from, { present: now.wishes, changed: then.wishes, hpa: hpa.wishes })
  }
}

function firstStep ({ loads, stepSeconds }: KeptLoads, hours: number): number {
  return Math.max(0, loads.length - Math.round(hours * 3600 / stepSeconds))
}

function utilizationOf ({ target }: Policy): number {
  return target.kind === 'ratio' ? target.atTarget : target.utilization
}

/** A simulated sample holds a load and nothing else, so every kind of target becomes one by load. */
function targetOf (policy: Policy, capacity: number): Extract<Policy['target'], { kind: 'perReplica' }> {
  const { target } = policy
  const utilization = utilizationOf(policy)
  const atTarget = target.kind === 'perReplica' ? target.atTarget : capacity * utilization
  return { kind: 'perReplica', signal: 'requestsPerSecond', atTarget, utilization }
}

interface Known { readonly capacity: number, readonly scoreFrom: number, readonly decision: Decision, readonly stepSeconds: number }

function settingOf (policy: Policy, { capacity, scoreFrom, decision, stepSeconds }: Known): ContestSetting {
  const { minReplicas, maxReplicas, seasonSeconds, violationTarget, startUpSeconds } = policy
  const measured = decision.forecast === null ? assumedStartUpSeconds : Math.max(0, decision.forecast.horizonSeconds - stepSeconds)
  return {
    minReplicas,
    maxReplicas,
    seasonSeconds,
    violationTarget,
    scoreFrom,
    stepSeconds,
    startUpSeconds: startUpSeconds === 'auto' ? measured : startUpSeconds,
    target: targetOf(policy, capacity).atTarget / capacity
  }
}

function resultOf ({ score }: SimulationResult, { objective }: Policy): WhatIfResult {
  const { violationRatio, violationMinutes, instanceHours, changesPerHour, worstHour } = score
  return { violationRatio, violationMinutes, instanceHours, changesPerHour, worstHour, money: moneyOf(score, objective) }
}

function seriesOf ({ startAt, stepSeconds, loads }: KeptLoads, from: number, wishes: Readonly<Record<'present' | 'changed' | 'hpa', Float64Array>>): WhatIfSeries {
  const stepsEach = Math.max(1, Math.ceil((loads.length - from) / mostPoints))
  const points = Math.ceil((loads.length - from) / stepsEach)
  const bounds = Array.from({ length: points }, (_, i) => [from + i * stepsEach, Math.min(loads.length, from + (i + 1) * stepsEach)] as const)
  /** The largest of each point: what a plot must not hide. */
  const largest = (values: Float64Array) => bounds.map(([first, end]) => values.subarray(first, end).reduce((most, value) => value > most ? value : most, -Infinity))
  return {
    at: bounds.map(([, end]) => startAt + (end - 1) * stepSeconds * 1000),
    load: largest(loads).map(load => load >= 0 ? load : null),
    present: largest(wishes.present),
    changed: largest(wishes.changed),
    hpa: largest(wishes.hpa)
  }
}
