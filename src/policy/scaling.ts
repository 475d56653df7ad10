import type { Decision, Policy, Sample } from '../domain.ts'
import { loadFeatures } from '../features/load-features.ts'
import { appendLoad, createWindow, isWindowFor, withSeason, type LoadWindow } from '../features/window.ts'
import type { LoadForecaster } from '../ml/forecaster.ts'
import { emptyCapacity, fullCapacity, learnCapacity } from './capacity.ts'
import { demandOf } from './demand.ts'
import { readDrivers } from './drivers.ts'
import { emptyGuards, expectFrom, watch } from './guards.ts'
import { emptyScaleHistory, kubernetesBehavior, rememberScaling } from './hpa.ts'
import { emptyLeadTime, expectReady, leadSeconds, observeReady, type LeadTime } from './lead-time.ts'
import type { Outlook, ScalingState, Seen } from './scaling-state.ts'
import { stabilizedFrom } from './stages.ts'
import { afterDecision, emptySteering, steer } from './steering.ts'

export function emptyScalingState (): ScalingState {
  return { window: null, capacity: emptyCapacity, leadTime: emptyLeadTime, history: emptyScaleHistory, steering: emptySteering, last: null, guards: emptyGuards }
}

/** Otherwise the replicas that are reported are somebody else's doing, and say nothing of ours. */
function isObeyed ({ mode }: Policy): boolean {
  return mode === 'act'
}

/**
 * Takes the sample in: demand, capacity, start-up time, window, and what guards against the unusual.
 *
 * @param isUnusual what the detector says of it; an unusual load that was impossible teaches nothing until it lasts.
 */
export function observe (state: ScalingState, sample: Sample, policy: Policy, isUnusual = false): Seen {
  const { at, service } = sample
  const demand = demandOf(sample, policy, state.last?.replicas ?? null)
  const leadTime = observeReady(state.leadTime, at, demand.readyReplicas)
  const kept = windowFor(state.window, policy)
  const remembered = state.last !== null && at - state.last.at <= policy.holdSeconds * 1000
  const currentReplicas = (remembered ? state.last?.replicas : demand.readyReplicas ?? state.last?.replicas) ?? null
  const watched = {
    at,
    load: demand.load,
    readyReplicas: isObeyed(policy) ? demand.readyReplicas : null,
    replicas: state.last?.replicas ?? null,
    fullCapacity: fullCapacity(state.capacity, demand),
    window: state.window,
    isUnusual
  }
  const guards = watch(state.guards ?? emptyGuards, watched, policy)
  const isBelieved = guards.spike === null
  const capacity = isBelieved ? learnCapacity(state.capacity, demand) : state.capacity
  const window = demand.load === null || !isBelieved ? kept : appendLoad(kept, at, demand.load)
  const instance = fullCapacity(capacity, demand)
  const steering = demand.load === null || instance === null
    ? state.steering
    : steer(state.steering, { load: demand.load / instance, readyReplicas: watched.readyReplicas, isOurs: isBelieved && state.last?.source === 'forecast', foreseen: standIn(state) }, policy)
  const drivers = readDrivers(sample.signals, policy)
  return { service, at, state: { ...state, window, capacity, leadTime, steering, guards }, demand, fullCapacity: instance, currentReplicas, drivers }
}

/** What was seen of the load stays, in another season, too; steps of another length begin anew. */
function windowFor (window: LoadWindow | null, policy: Policy): LoadWindow {
  if (window === null || !isWindowFor(window, { ...policy, seasonSeconds: window.seasonSeconds })) return createWindow(policy)
  return isWindowFor(window, policy) ? window : withSeason(window, policy.seasonSeconds)
}

/** What the forecast would have come to in the last step, where another rule stood in for it. */
function standIn ({ contest }: ScalingState) {
  return contest && contest.ruling !== 'forecast' ? contest.last : undefined
}

/** Steps after which what is wished for now is ready, and one more because the wish is obeyed only after this step. */
export function horizonSteps (leadTime: LeadTime, { startUpSeconds, stepSeconds }: Policy): number {
  return Math.ceil(leadSeconds(leadTime, startUpSeconds) / stepSeconds) + 1
}

/** The window in the season that a model found when it was learned; a copy only where that is another than the settings suppose. */
function inSeasonOf ({ seasonSeconds }: LoadForecaster, window: LoadWindow): LoadWindow {
  return seasonSeconds === undefined || seasonSeconds === window.seasonSeconds ? window : withSeason(window, seasonSeconds)
}

/** Looks ahead, where there is a forecaster and a present load to start from. */
export function foresee ({ state, demand, fullCapacity }: Seen, forecaster: LoadForecaster | null, policy: Policy): Outlook | null {
  if (forecaster === null || state.window === null || demand.load === null) return null
  const steps = horizonSteps(state.leadTime, policy)
  const { x, level, quiet } = loadFeatures(inSeasonOf(forecaster, state.window), { horizonSteps: steps, unit: fullCapacity })
  return { horizonSteps: steps, x, level, quiet, quantiles: forecaster.quantiles(x), forecaster }
}

/** What the next sample will need to know of this one. */
export function learn ({ state, at, demand, currentReplicas }: Seen, decision: Decision | null, policy: Policy): ScalingState {
  if (decision === null) return state
  const { replicas } = decision
  const { hpaBehavior: behavior = kubernetesBehavior } = policy
  // As HPA does at first sight: what runs counts as recommended, so that a restart does not drop it at once.
  const history = state.last === null && demand.readyReplicas !== null
    ? rememberScaling(state.history, { at, recommended: demand.readyReplicas, change: 0, behavior })
    : state.history
  return {
    ...state,
    leadTime: isObeyed(policy) ? expectReady(state.leadTime, { at, from: currentReplicas ?? replicas, to: replicas }) : state.leadTime,
    history: rememberScaling(history, {
      at, recommended: stabilizedFrom(decision.adjustments, replicas), change: replicas - (currentReplicas ?? replicas), behavior
    }),
    steering: afterDecision(state.steering, decision, { ...policy, startUpSeconds: leadSeconds(state.leadTime, policy.startUpSeconds) }),
    guards: expectFrom(state.guards ?? emptyGuards, decision),
    last: { at, replicas, source: decision.source, loadAt: demand.load === null ? state.last?.loadAt ?? at : at }
  }
}
