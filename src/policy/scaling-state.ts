import type { DecisionSource } from '../domain.ts'
import type { LoadWindow } from '../features/window.ts'
import type { LoadForecaster } from '../ml/forecaster.ts'
import type { CapacityEstimate } from './capacity.ts'
import type { RuleContest } from './rule-contest-state.ts'
import type { Demand } from './demand.ts'
import type { DriverReading } from './drivers.ts'
import type { Guards } from './guards.ts'
import type { ScaleHistory } from './hpa.ts'
import type { LeadTime } from './lead-time.ts'
import type { Steering } from './steering.ts'

export interface LastDecision {
  readonly at: number
  readonly replicas: number
  readonly source: DecisionSource
  /** When a load was last known. */
  readonly loadAt: number
}

/** What scaling remembers of one service. */
export interface ScalingState {
  readonly window: LoadWindow | null
  readonly capacity: CapacityEstimate
  readonly leadTime: LeadTime
  readonly history: ScaleHistory
  readonly steering: Steering
  readonly last: LastDecision | null
  /** Absent in what an earlier release has written. */
  readonly guards?: Guards
  readonly contest?: RuleContest | null
}

/** The present as the policy sees it; `state` already holds the new sample. */
export interface Seen {
  readonly service: string
  readonly at: number
  readonly state: ScalingState
  readonly demand: Demand
  /** Load that one instance carries at 100 %; null while it is being learned. */
  readonly fullCapacity: number | null
  /** What is wished for at present (Kubernetes' `spec.replicas`): the last decision, or the instances that are reported; null if neither. */
  readonly currentReplicas: number | null
  /** What the further signals say, in the order of the policy. */
  readonly drivers?: readonly DriverReading[]
}

/** The future as the forecaster sees it. */
export interface Outlook {
  readonly horizonSteps: number
  readonly x: Float64Array
  readonly level: number
  readonly quiet: number
  /** Of ln((largest load within the horizon + quiet) / level), at forecastProbabilities. */
  readonly quantiles: Float64Array
  readonly forecaster: LoadForecaster
}
