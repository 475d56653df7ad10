import { chained } from './chain.ts'
import type {
  Decision, Feedback, Incident, IncidentRemark, Point, Policy, Sample, Savings, ServiceEvent, Suggestion, SuggestionAnswer, TimedOverride, UpstreamTrouble, Verdict
} from './domain.ts'
import { assemble, type AssembleOptions, type SeriesState } from './ingest/assemble.ts'
import { addLoads, type LoadHistoryChange, type MeasuredLoad } from './features/load-history.ts'
import type { SignalMapping } from './ingest/mapping.ts'
import type { LoadForecaster } from './ml/forecaster.ts'
import { emptyState, evaluate, type IncidentNews, type Models, type ServiceState } from './pipeline.ts'
import { emptyIncidentState } from './policy/incident.ts'
import { remark } from './policy/incident-feedback.ts'
import { contestChanges, inUse } from './policy/model-contest.ts'
import { savingsOf } from './policy/savings.ts'
import { answerSuggestion, emptyTuningState, suggestFor, type ConfigModel } from './policy/suggest.ts'
import { allowed, isDue, usesNetwork } from './tuning/follow.ts'
import { tuningRules } from './tuning/preset.ts'
import type { TuningRecord } from './tuning/record.ts'
import type { TuningOutcome, TuningTask } from './tuning/turn.ts'
import { withItems, type Envelope } from './store/envelope.ts'
import type { Changes, StoredService } from './store/state-store.ts'

/** What configuration says about one service, its stored settings merged in. */
export interface ResolvedService {
  readonly policy: Policy
  readonly mappings: readonly SignalMapping[]
  readonly lateSeconds: number
  readonly limits?: AssembleOptions['limits']
}

export interface LearnInput {
  readonly service: string
  /** What this service taught so far; null when nothing yet. */
  readonly network: Uint8Array | null
  readonly state: ServiceState
  readonly feedback: readonly Feedback[]
  readonly policy: Policy
  readonly models: Models
  /** What results taught so far; null when nothing yet. Read only when somebody asks. */
  readonly readRecord: () => Promise<TuningRecord | null>
}
export interface Learned {
  readonly network: Uint8Array | null
  readonly state: ServiceState
  /** Absent where results taught nothing. */
  readonly record?: TuningRecord
  readonly suggestion?: Suggestion | null
  /** What nothing could be learned from; it is put aside with the reason. */
  readonly ignored?: readonly { readonly id: string, readonly reason: string }[]
}

export interface Evaluators {
  /** Asked for every sample, so that models can be swapped in between. */
  readonly models: () => Models
  readonly resolve: (service: string, settings: unknown) => ResolvedService
  /** Steps whose loads are kept for training and simulations, beside the state. */
  readonly historySteps?: number
  /** Without it feedback is put aside. */
  readonly learn?: (input: LearnInput) => Promise<Learned>
  /** Suggests from results; without it nothing is suggested from them. */
  readonly turn?: (task: TuningTask) => Promise<TuningOutcome>
  /** What a service taught stands in for the shared configuration model while its samples are evaluated. */
  readonly openNetwork?: (network: Uint8Array, shared: ConfigModel | null) => ConfigModel | null
}

export type Outcome = Omit<Changes<ServiceState, SeriesState>, 'job'> & {
  /** Samples by what became of them. */
  readonly tally: Readonly<Record<'decided' | 'warming-up' | 'stale' | 'rejected' | 'put-aside', number>>
}

type Stored = StoredService<ServiceState, SeriesState>
/** With what the store knows besides: the ids of the feedbacks that the service has learned from already. */
type Evaluating = Evaluators & {
  readonly knownFeedback: ReadonlySet<string>
  /** The incidents that remarks are about, as they were committed, by id. */
  readonly knownIncidents: ReadonlyMap<string, Incident>
  /** Models that were learned from this service. */
  readonly local?: readonly LoadForecaster[]
  /** Of the services that this one depends on, those in trouble. */
  readonly upstreams?: readonly UpstreamTrouble[]
  /** What results taught the service so far. */
  readonly readRecord?: () => Promise<TuningRecord | null>
}

/** Two weeks of minutes. */
const historySteps = 20_160

/** So many samples are evaluated before other work of the process, such as renewing the lock on the job, gets its turn. */
const samplesPerTurn = 8

/**
 * What one batch makes of one service, without Redis: everything to be committed at once.
 *
 * Evaluation is a function of its arguments, so what throws once throws always: that sample (or that whole batch of points or
 * feedback) is put aside with the reason, and the rest goes on without it.
 */
export async function processEnvelope (stored: Stored, envelope: Envelope, evaluators: Evaluating): Promise<Outcome> {
  const batch = startBatch(stored, envelope)
  try {
    const resolved = withPresent(evaluators.resolve(envelope.service, stored.settings), stored.overrides, evaluators)
    if (envelope.kind === 'feedback') {
      await learnFrom(batch, envelope.feedback, { resolved, evaluators })
    } else if (envelope.kind === 'remarks') {
      for (const one of envelope.remarks) takeRemark(batch, one, evaluators.knownIncidents)
    } else if (envelope.kind === 'answers') {
      for (const one of envelope.answers) takeAnswer(batch, one, { resolved, evaluators })
      await suggestFromResults(batch, { resolved, evaluators })
    } else {
      const samples = envelope.kind === 'samples' ? envelope.samples : samplesOf(batch, envelope.points, resolved)
      await evaluateAll(batch, samples, { resolved, evaluators })
      await suggestFromResults(batch, { resolved, evaluators })
      batch.loads = addLoads(stored.loads, knownLoads(batch), { stepMs: resolved.policy.stepSeconds * 1000, slots: evaluators.historySteps ?? historySteps })
    }
  } catch (error) {
    // Half of a batch must not be kept when the whole of it will be tried again.
    const untouched = startBatch(stored, envelope)
    putAside(untouched, envelope, error)
    return untouched
  }
  return batch
}

/** The policy with what is true at present: what operators said, and how the services do that this one depends on. */
function withPresent (resolved: ResolvedService, said: readonly TimedOverride[], { upstreams = [] }: Evaluating): ResolvedService {
  if (upstreams.length === 0 && said.length === 0) return resolved
  const { policy } = resolved
  return { ...resolved, policy: { ...policy, ...upstreams.length > 0 && { upstreams }, ...said.length > 0 && { overrides: [...policy.overrides ?? [], ...said] } } }
}

function knownLoads ({ decisions }: Pick<Batch, 'decisions'>): MeasuredLoad[] {
  return decisions.flatMap(({ asOf, load }) => load === null ? [] : [{ at: asOf, load }])
}

type Batch = ReturnType<typeof startBatch>
interface Setting { readonly resolved: ResolvedService, readonly evaluators: Evaluating }

function startBatch (stored: Stored, { service }: Envelope) {
  const fresh = emptyState()
  return {
    service,
    // A state of another version was written by another release; learning anew is safer than misreading it.
    state: stored.state?.version === fresh.version ? stored.state : fresh,
    savings: undefined as Savings | undefined,
    loads: null as LoadHistoryChange | null,
    contest: undefined as Outcome['contest'],
    series: stored.series,
    network: stored.network,
    record: undefined as TuningRecord | undefined,
    /** Hash of the decision that the next one follows. */
    chain: stored.chain,
    decisions: [] as Decision[],
    verdict: undefined as Verdict | undefined,
    suggestion: undefined as Suggestion | undefined,
    events: [] as ServiceEvent[],
    /** By id, each as it is after the batch. */
    incidents: new Map<string, Incident>(),
    putAside: [] as { kind: Envelope['kind'], reason: string, payload: unknown }[],
    feedbackIds: [] as { id: string, at: number }[],
    tally: { decided: 0, 'warming-up': 0, stale: 0, rejected: 0, 'put-aside': 0 }
  }
}

function putAside (batch: Batch, envelope: Envelope, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  batch.putAside.push({ kind: envelope.kind, reason, payload: envelope })
  if (envelope.kind === 'samples') batch.tally['put-aside'] += envelope.samples.length
}

function samplesOf (batch: Batch, points: readonly Point[], { mappings, policy, lateSeconds, limits }: ResolvedService): readonly Sample[] {
  const options = { service: batch.service, stepSeconds: policy.stepSeconds, lateSeconds, limits }
  const { series, samples, rejected } = assemble(batch.series, points, mappings, options)
  batch.series = series
  batch.tally.rejected += rejected
  return samples
}

async function evaluateAll (batch: Batch, samples: readonly Sample[], { resolved: { policy }, evaluators }: Setting): Promise<void> {
  for (const [index, sample] of samples.entries()) {
    if (index % samplesPerTurn === samplesPerTurn - 1) await new Promise((resolve) => setImmediate(resolve))
    try {
      evaluateOne(batch, sample, { policy, models: modelsFor(batch, evaluators) })
    } catch (error) {
      putAside(batch, withItems({ kind: 'samples', service: batch.service, samples: [] }, [sample]), error)
    }
  }
}

function evaluateOne (batch: Batch, sample: Sample, { policy, models }: { policy: Policy, models: Models }): void {
  const before = batch.state
  const evaluation = evaluate(before, sample, models, policy)
  batch.state = evaluation.state
  batch.tally[evaluation.status]++
  if (evaluation.status === 'stale') return
  batch.verdict = evaluation.verdict
  batch.events.push({ kind: 'verdict', verdict: evaluation.verdict })
  noteContest(batch, before, models)
  noteIncidents(batch, evaluation.incidents)
  if (evaluation.status !== 'decided') return
  const decision = chained(evaluation.decision, batch.chain)
  batch.chain = decision.hash
  batch.decisions.push(decision)
  batch.events.push({ kind: 'decision', decision })
  batch.savings = savingsOf(batch.service, evaluation.state.savings ?? null) ?? undefined
  if (evaluation.suggestion) suggestTo(batch, evaluation.suggestion)
}

/** How the service's own models do after one more sample. */
function noteContest (batch: Batch, { forecasts: before }: ServiceState, { forecast: shipped }: Models): void {
  const [old, standings] = [before?.contest ?? [], batch.state.forecasts?.contest ?? []]
  if (old.length === 0 && standings.length === 0) return
  batch.contest = { standings, inUse: inUse(standings)?.version ?? null }
  for (const model of contestChanges(old, standings, { service: batch.service, shipped: shipped?.version ?? 'none' })) batch.events.push({ kind: 'model', model })
}

/** An incident that is not kept any more has nothing to teach. */
function takeRemark (batch: Batch, one: IncidentRemark, known: ReadonlyMap<string, Incident>): void {
  const incident = batch.incidents.get(one.incident) ?? known.get(one.incident)
  if (incident === undefined) return
  const { state, incident: revised } = remark(batch.state.incidents ?? emptyIncidentState, incident, one)
  batch.state = { ...batch.state, incidents: state }
  noteIncidents(batch, { changes: [{ change: 'updated', incident: revised }], touched: null })
}

function takeAnswer (batch: Batch, answer: SuggestionAnswer, { resolved: { policy }, evaluators }: Setting): void {
  const { standing: _, ...tuning } = answerSuggestion(batch.state.tuning, answer)
  batch.state = { ...batch.state, tuning }
  const { config } = modelsFor(batch, evaluators)
  const rules = tuningRules(policy)
  const suggestion = usesNetwork(tuning, rules) && config && allowed(suggestFor(tuning, batch.service, config), rules)
  if (suggestion) suggestTo(batch, suggestion)
}

/** Where results suggest, and what they suggested does not fit any more. */
async function suggestFromResults (batch: Batch, { resolved: { policy }, evaluators: { turn, readRecord } }: Setting): Promise<void> {
  const rules = tuningRules(policy)
  const state = batch.state.tuning
  if (turn === undefined || !isDue(state, rules)) return
  const record = await readRecord?.() ?? null
  const outcome = await turn({ service: batch.service, state: state ?? emptyTuningState(), record, feedback: [], rules, holdMs: 1000 * policy.decisionTtlSeconds })
  batch.state = { ...batch.state, tuning: outcome.state }
  suggestTo(batch, outcome.suggestion)
}

function noteIncidents ({ events, incidents }: Batch, { changes, touched }: IncidentNews): void {
  for (const change of changes) {
    incidents.set(change.incident.id, change.incident)
    events.push({ kind: 'incident', ...change })
  }
  if (touched) incidents.set(touched.id, touched)
}

function suggestTo (batch: Batch, suggestion: Suggestion): void {
  batch.suggestion = suggestion
  batch.events.push({ kind: 'suggestion', suggestion })
}

function modelsFor ({ network }: Batch, { models, openNetwork, local = [] }: Evaluating): Models {
  const shared = local.length === 0 ? models() : { ...models(), local }
  return network && openNetwork ? { ...shared, config: openNetwork(network, shared.config) } : shared
}

/** A feedback whose id was seen before, in an earlier batch or in this one, teaches nothing again: the first one counts. */
async function learnFrom (batch: Batch, feedback: readonly Feedback[], { resolved: { policy }, evaluators }: Setting): Promise<void> {
  const seen = new Set(evaluators.knownFeedback)
  const fresh = feedback.filter(({ id }) => !seen.has(id) && seen.add(id))
  if (fresh.length === 0) return
  if (!evaluators.learn) throw new Error('There is no configuration network that could learn from feedback.')
  const { service, network, state } = batch
  const { readRecord = async () => null } = evaluators
  const learned = await evaluators.learn({ service, network, state, feedback: fresh, policy, models: evaluators.models(), readRecord })
  batch.network = learned.network
  batch.record = learned.record
  batch.state = learned.state
  if (learned.suggestion) suggestTo(batch, learned.suggestion)
  for (const { id, reason } of learned.ignored ?? []) {
    putAside(batch, { kind: 'feedback', service, feedback: fresh.filter((one) => one.id === id) }, new Error(`feedback ${id}: ${reason}`))
  }
  batch.feedbackIds.push(...fresh.map(({ id, at }) => ({ id, at })))
}
