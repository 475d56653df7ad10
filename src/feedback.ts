import type { Feedback } from './domain.ts'
import type { Tuner } from './policy/tuner.ts'
import { emptyTuningState, type ConfigModel, type TuningState } from './policy/suggest.ts'
import { openTuningRecord } from './policy/tuning-record.ts'
import type { LearnInput, Learned } from './process-envelope.ts'
import { allowed, usesNetwork } from './tuning/follow.ts'
import { isPreset, tuningRules } from './tuning/preset.ts'
import { sampleAt } from './tuning/recent-samples.ts'
import type { TuningOutcome, TuningTask } from './tuning/turn.ts'

type Ignored = NonNullable<Learned['ignored']>

interface LearnOptions {
  readonly turn: (task: TuningTask) => Promise<TuningOutcome>
  readonly teach: Tuner['learn']
}

/** Learns from feedback: best configurations teach the network, results teach what is kept beside it. Whichever came last suggests. */
export async function learnFromFeedback (input: LearnInput, { turn, teach }: LearnOptions): Promise<Learned> {
  const { state, feedback, policy } = input
  const rules = tuningRules(policy)
  if (rules.mode === 'off') return { network: input.network, state, ignored: feedback.map(({ id }) => ({ id, reason: 'tuning of this service is off (tuning.mode)' })) }
  const optima = feedback.filter(({ optimal }) => optimal !== undefined)
  const results = feedback.filter(({ optimal, config, performance }) => optimal === undefined || (config !== undefined && performance !== undefined))

  const taught = await learnOptima(input, optima, teach)
  const tuning = state.tuning ?? emptyTuningState()
  if (results.length === 0 && usesNetwork(taught.tuning, rules)) return { ...taught, state: { ...state, tuning: taught.tuning } }
  const record = await input.readRecord()
  const outcome = await turn({ service: input.service, state: taught.tuning ?? tuning, record, feedback: results, rules, holdMs: 1000 * policy.decisionTtlSeconds })
  const learned = { network: taught.network, state: { ...state, tuning: outcome.state }, record: outcome.record, ignored: [...taught.ignored, ...outcome.ignored] }
  return { ...learned, suggestion: usesNetwork(outcome.state, rules) ? taught.suggestion : outcome.suggestion }
}

interface Taught extends Pick<Learned, 'network' | 'suggestion'> { readonly tuning: TuningState, readonly ignored: Ignored }

async function learnOptima ({ service, network, state, models, policy }: LearnInput, optima: readonly Feedback[], teach: LearnOptions['teach']): Promise<Taught> {
  const before = state.tuning ?? emptyTuningState()
  if (optima.length === 0) return { network, tuning: before, ignored: [] }
  if (!isPreset(tuningRules(policy))) {
    return { network, tuning: before, ignored: optima.map(({ id }) => ({ id, reason: 'the network knows the five parameters of the preset only, and others are declared' })) }
  }
  const learned = await teach({ service, network, state: before, feedback: optima.map(one => withState(one, before)), model: models.config })
  const at = Math.max(...optima.map(one => one.at))
  const isNews = learned.state.optima > before.optima && at >= (before.newest?.at ?? -Infinity)
  const suggestion = allowed(learned.suggestion, tuningRules(policy))
  return { ...learned, suggestion, tuning: { ...learned.state, ...(isNews && { newest: { at, form: 'optimal' as const } }) } }
}

/** What the samples said at that time, where a feedback does not say it. */
function withState (feedback: Feedback, { recent }: TuningState): Feedback {
  if (feedback.state !== undefined || recent === undefined) return feedback
  const sample = sampleAt(recent, feedback.at)
  return sample === null ? feedback : { ...feedback, state: sample.signals }
}

/** What a service taught; the shared network as long as that can not be read, for instance by a later release. */
export function openNetwork (network: Uint8Array, shared: ConfigModel | null): ConfigModel | null {
  try {
    return openTuningRecord(network)
  } catch {
    return shared
  }
}
