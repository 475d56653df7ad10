/**
 * The nouns that cross folders. One word per idea; a word that is not here belongs to one folder alone.
 *
 * Service: what is scaled. Signal: a measured quantity. Sample: one service, one instant, its signals.
 * Load: the cluster-wide demand that drives scaling. Capacity: load that one instance carries at the target utilisation.
 * Horizon: how far ahead we must look, at least the start-up time. Forecast: quantiles of the largest load within the horizon.
 * Recommendation: replicas that a source asks for. Stage, Adjustment: one policy rule, and what it changed and why.
 * Decision: what we tell the world. Score: 0 to 1, higher is more anomalous. Verdict: score, threshold, severity, causes.
 * Shadow, Canary, Active: the life of a model that was learned from one service.
 * Incident: consecutive anomalies of one service, opened and closed. Maintenance: what a verdict calls for. Suggestion: proposed configuration.
 */

export const signalCatalogue = [
  'cpuUsageRatio', 'memoryUsageRatio', 'diskIoBytesPerSecond', 'networkInBytesPerSecond', 'networkOutBytesPerSecond',
  'requestsPerSecond', 'errorRatio', 'responseTimeSeconds', 'queueLength', 'threadCount', 'readyReplicas'
] as const
export type CatalogueSignal = typeof signalCatalogue[number]

/** Further signals have any name of this form; the form keeps `__proto__` and other surprises out. */
export const signalNamePattern = '^[a-z][A-Za-z0-9_]{0,63}$'
export const serviceNamePattern = '^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$'

/** A signal that was not measured has no key; a value is always finite. */
export type Signals = Readonly<Record<string, number>>

export interface Sample {
  readonly service: string
  /** Epoch ms of the end of the interval that the signals describe. */
  readonly at: number
  readonly signals: Signals
}

// ---------------------------------------------------------------------------------------------------------- policy

/**
 * How demand turns into replicas. `perReplica`: the signal is the load summed over instances, `atTarget` of it is what one
 * instance carries at `utilization` of its full capacity. `ratio`: the signal is a mean utilisation of the ready instances
 * (load = signal × ready replicas, one instance carries `atTarget`). `auto`: requestsPerSecond, capacity learned from data.
 */
export type Target =
  | { readonly kind: 'perReplica', readonly signal: string, readonly atTarget: number, readonly utilization: number }
  | { readonly kind: 'ratio', readonly signal: string, readonly atTarget: number }
  | { readonly kind: 'auto', readonly utilization: number }

/** The words and defaults of Kubernetes' HorizontalPodAutoscaler v2 `behavior`. */
export interface ScalingRules {
  readonly stabilizationWindowSeconds: number
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled'
  readonly policies: readonly { readonly type: 'Pods' | 'Percent', readonly value: number, readonly periodSeconds: number }[]
  /** Ratios within 1 ± tolerance change nothing. */
  readonly tolerance: number
}
export interface Behavior { readonly scaleUp: ScalingRules, readonly scaleDown: ScalingRules }

export type Override =
  | { readonly kind: 'outage', readonly reason: string, readonly until?: number }
  | { readonly kind: 'pause', readonly reason: string, readonly until?: number }
  | { readonly kind: 'hold', readonly reason: string, readonly until?: number }
  | { readonly kind: 'force', readonly replicas: number, readonly reason: string, readonly until?: number }

/** One that was set over HTTP, for a while. */
export type TimedOverride = Override & { readonly id: string, readonly until: number, readonly at: number, readonly by: string }

/** When a scheduled change is in force: once, or from each time of a cron expression for a while, or until a time of another one. */
export type ScheduleTimes =
  | { readonly kind: 'once', readonly at: number, readonly until: number }
  | { readonly kind: 'cron', readonly cron: string, readonly timeZone: string, readonly lasts: number | string }

/** Load or limits that are known before they come. */
export interface Schedule {
  readonly times: ScheduleTimes
  readonly reason: string
  /** Above 1: so many times the load of the same time last season is prepared for. */
  readonly factor?: number
  readonly minReplicas?: number
  readonly maxReplicas?: number
}

/** A further signal that may bind: a mean utilisation of the ready instances, or an amount over all of them and what one carries. */
export type Driver =
  | { readonly kind: 'ratio', readonly signal: string, readonly atTarget: number }
  | { readonly kind: 'perReplica', readonly signal: string, readonly atTarget: number }

/** What one service that we depend on says of itself, as it was read before the sample was evaluated. */
export interface UpstreamTrouble {
  readonly service: string
  readonly trouble: 'outage' | 'incident'
  /** Epoch ms: when it began, and of the sample that says so. */
  readonly since: number
  readonly asOf: number
}

/** What of one signal anybody cares about. */
export interface SignalRule {
  readonly direction: Direction
  /** Smaller differences from what is usual are nothing: in the unit of the signal, or as a share of what is usual. */
  readonly minimumDeviation: { readonly absolute: number } | { readonly relative: number }
  /** Where it is full or can do no more, in its unit; null where that is not known. */
  readonly limit: number | null
}

/** So large a difference from what is usual, in this direction, is expected of a signal. */
export interface Expectation { readonly signal: string, readonly direction: Direction, readonly size: number }

export interface AnomalyRules {
  readonly signals: Readonly<Record<string, SignalRule>>
  /** An incident ends after so long without an anomaly, but not before three steps. */
  readonly closeAfterSeconds: number
  /** An anomaly so soon after the last one belongs to the same incident. */
  readonly reopenWithinSeconds: number
  /** A signal that has been away from its level for so long has a new one; two days where not given. */
  readonly adoptLevelAfterSeconds?: number
  /** An alarm that has lasted for so long is the new normal; half a day where not given. */
  readonly adoptAlarmAfterSeconds?: number
}

/** What things cost, in any one currency. */
export interface Objective {
  readonly costPerReplicaHour: number
  /** One minute in which all requests meet too few replicas; one in which half of them do costs half. */
  readonly costPerViolationMinute: number
}

// ---------------------------------------------------------------------------------------------------------- tuning

export type ParameterValue = number | string | boolean
/** Values by the names of parameters. */
export type Configuration = Readonly<Record<string, ParameterValue>>

interface DescribedParameter {
  readonly name: string
  readonly unit?: string
  /** Utility that a change of this parameter costs (a restart, a cold cache); 0 where it is free. */
  readonly changeCost?: number
  /** What the parameter is to the service; the guard knows what monitoring says about these. */
  readonly role?: 'threads' | 'memory' | 'timeout' | 'batch' | 'retries'
}
/** One tunable value of a service, as it is declared. */
export type Parameter = DescribedParameter & (
  | { readonly kind: 'integer' | 'real', readonly low: number, readonly high: number, readonly scale?: 'linear' | 'log', readonly default: number }
  | { readonly kind: 'choice', readonly choices: readonly (string | number)[], readonly ordered?: boolean, readonly default: string | number }
  | { readonly kind: 'boolean', readonly default: boolean })

/** How a service performs: told by the service itself, an expression over its signals, or the preset with what is asked of the service. */
export type TuningObjective =
  | { readonly kind: 'reported' }
  | { readonly kind: 'expression', readonly expression: string }
  | { readonly kind: 'preset', readonly responseTimeSeconds: number, readonly requestsPerSecond: number | null, readonly resourceWeight: number }

/** `off`: nothing is learned and suggested. `suggest`: it is shown and may be asked for. `apply`: changes are pushed as well. */
export const tuningModes = ['off', 'suggest', 'apply'] as const
export type TuningMode = typeof tuningModes[number]

/** What is tuned of a service, towards what, and how boldly. */
export interface TuningRules {
  readonly mode: TuningMode
  readonly parameters: readonly Parameter[]
  /** Comparisons over parameters such as `threads * 4 + cacheMegabytes <= 6000`. */
  readonly constraints: readonly string[]
  readonly objective: TuningObjective
  /** Best imaginable performance minus the worst; null to take it from the first results. */
  readonly performanceRange: number | null
  readonly strategy: 'surrogate' | 'bluefin'
  /** Share of suggestions that may try something. */
  readonly explorationShare: number
  /** A suggestion may be expected this much of the range below the defaults at worst. */
  readonly safetyMargin: number
  /** Share of suggestions that are the defaults, so that the gain can be measured. */
  readonly proofShare: number
  /** Whether one instance tries, and the others run what is known to be good. */
  readonly canary: boolean
  /** Signals beside the ten of the catalogue that say what the service is asked to do. */
  readonly furtherSignals: readonly string[]
}

// ------------------------------------------------------------------------------------------------------------ modes

/** `shadow`: decisions are recorded and shown. `advise`: changes of them are pushed as well. `act`: autoscalers are given them. */
export const serviceModes = ['shadow', 'advise', 'act'] as const
export type ServiceMode = typeof serviceModes[number]

/** Everything about one service that an operator may set; `evaluate` gets it as an argument. */
export interface Policy {
  readonly mode: ServiceMode
  readonly minReplicas: number
  readonly maxReplicas: number
  readonly target: Target
  readonly startUpSeconds: number | 'auto'
  /** Length of one sample interval. */
  readonly stepSeconds: number
  /** A hint; 86 400 where nobody knows better. */
  readonly seasonSeconds: number
  /** Share of requests that may meet too few replicas. */
  readonly violationTarget: number
  /** Takes the place of `violationTarget`: then money decides how many violations are worth their price. */
  readonly objective?: Objective
  readonly behavior: Behavior
  /** What HPA, with which we compare, would go by; what it does as it comes where not given. */
  readonly hpaBehavior?: Behavior
  /** An absent load is bridged with the last decision for this long, then the floor is all that is left. */
  readonly holdSeconds: number
  /** How long after its sample a decision may be handed out. */
  readonly decisionTtlSeconds: number
  readonly falseAlarmsPerWeek: number
  readonly anomalies?: AnomalyRules
  /** The five parameters of the preset where nothing is said. */
  readonly tuning?: TuningRules
  readonly override?: Override
  /** Further ones; where they contradict each other, the one with the most replicas counts. */
  readonly overrides?: readonly Override[]
  /** Scale-in is held for so long when the load collapses or a service that we depend on is in trouble; 0 never. */
  readonly outageHold?: { readonly ttlSeconds: number }
  /** Of the services that this one depends on, those in trouble; read anew for every batch. */
  readonly upstreams?: readonly UpstreamTrouble[]
  /** What a load that nobody could expect may do before it has lasted: `factor` times the replicas a step, for `steps` steps; 0 steps let it pass. */
  readonly spikeCap?: { readonly factor: number, readonly steps: number }
  readonly budget?: { readonly instanceHoursPerDay: number, readonly timeZone: string }
  readonly schedules?: readonly Schedule[]
  readonly drivers?: readonly Driver[]
  /** Where `minReplicas` is 0: none are run when the load has not been above `activationLoad` for `idleSeconds`. */
  readonly idle?: { readonly activationLoad: number, readonly idleSeconds: number }
  /** True for the built-in demonstration; shown wherever the service shows. */
  readonly demo?: boolean
}

// -------------------------------------------------------------------------------------------------------- decision

/** The ladder: each rung is used where the one before has no opinion. */
export type DecisionSource = 'forecast' | 'reactive' | 'hold' | 'floor'

export interface Adjustment {
  readonly stage: string
  readonly from: number
  readonly to: number
  /** A reason word of HPA where one exists (`ScaleUpLimit`, `TooFewReplicas`, …), then the numbers. */
  readonly reason: string
}

export interface Forecast {
  readonly horizonSeconds: number
  /** Of the largest load within the horizon, ascending in `quantile`. */
  readonly quantiles: readonly { readonly quantile: number, readonly load: number }[]
  readonly modelVersion: string
  /** Why it is of this model, where the service has one of its own, too. */
  readonly reason?: string
  /** Absent before the first forecast has come due. */
  readonly calibration?: ForecastCalibration
}

/** How often the load stayed at or below what was forecast of it: 0.95 of the time is right for the quantile 0.95. */
export interface ForecastCalibration {
  /** That have come due; the share is of the last thousand, with more weight on the newest. */
  readonly forecasts: number
  readonly coverage: readonly { readonly quantile: number, readonly share: number }[]
}

/** What one source asks for; with `signal` it is that of a further driver. */
export interface Recommendation { readonly source: DecisionSource, readonly replicas: number, readonly reason: string, readonly signal?: string }

export interface Decision {
  readonly service: string
  /** Of the service when it was decided; only in `act` autoscalers are given it. */
  readonly mode: ServiceMode
  /** Epoch ms of the sample that it rests on. */
  readonly asOf: number
  readonly validUntil: number
  readonly replicas: number
  /** Ready replicas as last reported, or as last decided where nobody reports them. */
  readonly currentReplicas: number
  readonly source: DecisionSource
  readonly rawRecommendations: readonly Recommendation[]
  readonly adjustments: readonly Adjustment[]
  /** What is worth knowing although it changed nothing, such as a budget that runs out. */
  readonly notices?: readonly string[]
  /** Epoch ms since when the load is collapsed, or an operator says that it is; absent where it is not. */
  readonly outageSince?: number
  /** One sentence that an engineer reads. */
  readonly reason: string
  readonly load: number | null
  readonly capacity: number | null
  readonly forecast: Forecast | null
  readonly topFeatures: readonly { readonly name: string, readonly value: number, readonly importance: number }[]
  readonly missingSignals: readonly string[]
  readonly modelVersion: string
  readonly demo?: boolean
  /** What makes a decision a link of the chain of its service: the hash of the one before, null for the first, and its own. */
  readonly previousHash?: string | null
  readonly hash?: string
}

// --------------------------------------------------------------------------------------------------------- savings

/** What an autoscaler made of a load. */
export interface AutoscalerResult {
  /** Violating requests / requests. */
  readonly violationRatio: number
  /** Minutes of which all requests violated; one in which half of them did counts half. */
  readonly violationMinutes: number
  /** Paid for: ready and starting. */
  readonly instanceHours: number
  readonly changesPerHour: number
}

/** What a service would have come to with us and with HPA, each in a simulated cluster that obeyed it, since it was first seen. */
export interface Savings {
  readonly service: string
  /** Epoch ms. */
  readonly since: number
  readonly until: number
  /** With a known load; gaps do not count. */
  readonly hours: number
  readonly prescale: AutoscalerResult
  readonly hpa: AutoscalerResult
}

// --------------------------------------------------------------------------------------------------------- verdict

export type Severity = 'none' | 'low' | 'medium' | 'high' | 'critical'
export type MaintenanceAction = 'no_action_needed' | 'monitor_closely' | 'planned_maintenance' | 'immediate_maintenance'

/** A time in which maintenance would disturb least. */
export interface MaintenanceWindow {
  readonly start: number
  readonly end: number
  /** The most that is expected in it, and its share of the most that is expected within the season. */
  readonly expectedLoad: number
  readonly shareOfPeak: number
}

export interface Maintenance {
  readonly action: MaintenanceAction
  readonly probability: number
  readonly reason: string
  /** The quietest first; none where no season of the load is known. */
  readonly windows?: readonly MaintenanceWindow[]
}

export interface Cause {
  readonly signal: string
  readonly value: number
  /** The range in which the signal normally lies, from what was learned. */
  readonly expectedLow: number
  readonly expectedHigh: number
  /** Share of the score; all causes of a verdict add up to at most 1. */
  readonly share: number
  readonly text: string
}

/** How far the last whole day lies from the days before: population stability indexes, 0 for not at all, more than 0.25 for much. */
export interface Drift {
  /** Of the score. */
  readonly score: number
  /** Signals whose level has moved, most first; at most five. */
  readonly signals: readonly { readonly signal: string, readonly index: number }[]
  /** Absent where it has not risen of late. */
  readonly forecastError?: ForecastErrorRise
  /** What it means, null where nothing has moved. */
  readonly reason: string | null
}

/** When the errors of the forecast rose, as |ln (load / expected)|, from which mean, and what it is now. */
export interface ForecastErrorRise { readonly at: number, readonly before: number, readonly after: number }

export interface Verdict {
  readonly service: string
  readonly asOf: number
  /** 0 to 1; higher is more anomalous. */
  readonly score: number
  readonly threshold: number
  readonly isAnomaly: boolean
  /** How probable a score at least as high is while the service is calm, measured; null while too little is known, absent in verdicts of before. */
  readonly tailProbability?: number | null
  readonly severity: Severity
  readonly causes: readonly Cause[]
  readonly maintenance: Maintenance
  readonly missingSignals: readonly string[]
  /** Absent in verdicts of before it was measured. */
  readonly drift?: Drift
  readonly modelVersion: string
  /** Id of the incident that is open with this sample; null or absent where none is. */
  readonly incident?: string | null
}

// -------------------------------------------------------------------------------------------------------- incident

export type Direction = 'up' | 'down' | 'both'

/** A signal that took part in an incident, as it was at its worst. */
export interface IncidentCause {
  readonly signal: string
  /** `both`: it moved unusually within its range. */
  readonly direction: Direction
  readonly firstAt: number
  readonly lastAt: number
  readonly peakAt: number
  readonly value: number
  readonly expectedLow: number
  readonly expectedHigh: number
  /** Mean share of the score over the anomalous samples; of all causes together at most 1. */
  readonly share: number
  readonly text: string
}

/** What somebody said about an incident. */
export interface IncidentFeedback {
  readonly verdict: 'normal' | 'real'
  readonly at: number
  readonly by: string
  readonly note?: string
}

/** What travels to the worker: what somebody says about an incident; null takes back what was said before. */
export interface IncidentRemark {
  readonly incident: string
  readonly verdict: IncidentFeedback['verdict'] | null
  readonly at: number
  readonly by: string
  readonly note?: string
}

/** Consecutive anomalies of one service, those that came back soon included. All times are epoch ms of samples. */
export interface Incident {
  /** `SERVICE.START`, the same whoever computes it. */
  readonly id: string
  readonly service: string
  readonly state: 'open' | 'closed'
  /** Grows with every change that is told. */
  readonly revision: number
  readonly startedAt: number
  /** The newest anomalous sample. */
  readonly lastAnomalyAt: number
  /** Null while it is open; else `lastAnomalyAt`, and not the time at which it had been quiet for long enough. */
  readonly endedAt: number | null
  readonly peak: { readonly at: number, readonly score: number }
  /** The highest so far, so that nothing flaps with every sample. */
  readonly severity: Severity
  readonly anomalies: number
  readonly reopened: number
  /** Largest share first. */
  readonly causes: readonly IncidentCause[]
  /** What was called for when it was most urgent. */
  readonly maintenance: Omit<Maintenance, 'windows'>
  readonly feedback: IncidentFeedback | null
}

/** `my.shop.1763640000000` is of `my.shop`. */
export const serviceOfIncident = (id: string) => id.slice(0, Math.max(0, id.lastIndexOf('.')))

export interface IncidentChange { readonly change: 'opened' | 'updated' | 'closed', readonly incident: Incident }

// ------------------------------------------------------------------------------------------------------ suggestion

/** Where a suggestion comes from: the network that is told best configurations, what results have taught, or the two-point method. */
export type SuggestionSource = 'network' | 'results' | 'bluefin'
/** `proof`: the defaults for a while, so that the gain can be measured. */
export type SuggestionKind = 'defaults' | 'incumbent' | 'exploration' | 'revert' | 'proof'

export interface SuggestedChange {
  readonly name: string
  readonly from: ParameterValue
  readonly to: ParameterValue
  readonly unit?: string
}

/** In the unit of performance; intervals of 90 %. The gain is over the defaults. */
export interface ExpectedPerformance {
  readonly performance: number
  readonly low: number
  readonly high: number
  readonly gain: number
  readonly gainLow: number
  readonly gainHigh: number
}

/** What tuning was worth so far, from periods with the defaults between periods with what was suggested. */
export interface TuningProof {
  /** Epoch ms of the first result; null before it. */
  readonly since: number | null
  readonly periods: { readonly defaults: number, readonly suggested: number }
  /** In the unit of performance, with an interval of 95 %; `ratio` is of the performance of the defaults. */
  readonly gain: { readonly mean: number, readonly low: number, readonly high: number, readonly ratio: number | null } | null
  readonly outcome: 'gain' | 'no-measurable-gain' | 'loss' | 'too-few-periods'
  readonly reason: string
}

/** What one instance should run beside the others. */
export interface CanarySuggestion {
  readonly config: Configuration
  readonly kind: Extract<SuggestionKind, 'exploration' | 'proof'>
  /** Against the configuration of the others. */
  readonly changed: readonly SuggestedChange[]
  readonly expected: ExpectedPerformance | null
  readonly reason: string
}

export interface Suggestion {
  readonly service: string
  readonly asOf: number
  readonly source: SuggestionSource
  readonly config: Configuration
  readonly changed: readonly SuggestedChange[]
  readonly reason: string
  /** Feedbacks that were learned from for this service. */
  readonly observations: number
  readonly modelVersion: string
  /** Absent in what an earlier release has written. */
  readonly mode?: Exclude<TuningMode, 'off'>
  /** From here to `proof` absent where the network suggests. */
  readonly kind?: SuggestionKind
  /** Null before anything was observed. */
  readonly expected?: ExpectedPerformance | null
  /** Results of nearly this configuration in nearly this state. */
  readonly observationsNearby?: number
  /** The configuration to go back to. */
  readonly undo?: Configuration
  /** Only where `tuning.canary` is set; null while nothing is to be tried. */
  readonly canary?: CanarySuggestion | null
  readonly proof?: TuningProof
  /** What an operator accepted last, and so what may run without asking again. */
  readonly accepted?: SuggestionAnswer
  /** What an operator said to this very configuration. */
  readonly refused?: SuggestionAnswer
}

/** What an operator says to a suggested configuration. */
export interface SuggestionAnswer {
  readonly answer: 'accepted' | 'refused'
  readonly config: Configuration
  readonly at: number
  readonly by: string
  readonly note?: string
}

/** What a service tells us about a configuration that ran (`performance`) or that somebody knows to be best (`optimal`). */
export interface Feedback {
  readonly id: string
  readonly service: string
  readonly at: number
  readonly state?: Signals
  readonly config?: Configuration
  readonly performance?: number
  /** It is of the one instance that tries, and not of the others. */
  readonly canary?: boolean
  readonly optimal?: Configuration
}

// ---------------------------------------------------------------------------------------------------------- events

/** What the worker writes with every commit and anybody may follow. */
export type ServiceEvent =
  | { readonly kind: 'decision', readonly decision: Decision }
  | { readonly kind: 'verdict', readonly verdict: Verdict }
  | { readonly kind: 'suggestion', readonly suggestion: Suggestion }
  | { readonly kind: 'incident' } & IncidentChange
  | { readonly kind: 'model', readonly model: ModelChange }

/** Another model serves than before; versions as decisions carry them, null for none. */
export interface ModelChange {
  readonly name: string
  readonly before: string | null
  readonly version: string | null
  /** Of one service alone: `version` is the model of its own that came to this life, `before` what was in use there. */
  readonly service?: string
  readonly life?: ModelLife
  readonly reason?: string
}

// ---------------------------------------------------------------------------------------------------------- models

/**
 * The life of a model that one service was learned from. `shadow`: it forecasts beside the one in use, and both are compared with what comes.
 * `canary`: it is in use, on probation. `active`: it is in use.
 */
export const modelLives = ['shadow', 'canary', 'active'] as const
export type ModelLife = typeof modelLives[number]

/** How a service's own model does against its rival: the model in use, or for the one that is in use the shipped one. */
export interface ModelStanding {
  /** As decisions carry it. */
  readonly version: string
  readonly life: ModelLife
  /** Epoch ms since when it has this life. */
  readonly since: number
  /** That both have made since then and that have come due. */
  readonly forecasts: number
  /** Mean pinball losses over the quantiles of ln (load / present level), of the last five hundred; lower is better. */
  readonly loss: number
  readonly rival: string
  readonly rivalLoss: number
}

// ------------------------------------------------------------------------------------------------------ raw series

/** One value of one series, as exporters give it; label names and values are entries, never keys of an object. */
export interface Point {
  readonly metric: string
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly at: number
  /** Not finite only as the staleness marker, which `stale` says. */
  readonly value: number
  readonly stale?: boolean
}
