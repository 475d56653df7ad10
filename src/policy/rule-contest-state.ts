import type { Cluster, StepOutcome } from './cluster.ts'

/** `hpa` as it comes; `peak` keeps what the largest load of the last hour needs. */
export type Rule = 'forecast' | 'hpa' | 'peak'

/** What a rule has come to of late: decayed sums in instance-seconds. */
export interface Result { readonly paid: number, readonly violating: number }
export interface Shadow extends Result { readonly cluster: Cluster, readonly wish: number }

/**
 * Rules that need no forecast, on the same load as the forecast, each in a simulated cluster that obeys it. One of them rules while it is
 * better than the forecast: a forecast that has not earned trust, or a load that nobody can foresee, costs no more for long than what is simple.
 */
export interface RuleContest {
  /** The kind of model that forecasts; another one begins a new contest. */
  readonly model: string
  readonly steps: number
  readonly arrived: number
  readonly forecast: Shadow
  readonly peak: Shadow
  /** Its cluster is the one that the savings are counted against. */
  readonly hpa: Result
  readonly ruling: Rule
  /** What the last step came to, had the forecast been obeyed. */
  readonly last: StepOutcome
}
