import type { Feedback, Signals, Suggestion, TuningRules } from '../domain.ts'
import type { TuningState } from '../policy/suggest.ts'
import { standingFor } from './follow.ts'
import { proofOf } from './proof.ts'
import { meanPerformance, sampleAt } from './recent-samples.ts'
import { emptyRecord, type TuningRecord } from './record.ts'
import { learnResult } from './results.ts'
import { configurationProblem, spaceOf } from './space.ts'
import { suggestFromResults } from './suggestion.ts'

/** What is known of a service and what it reports; plain values, so that a worker thread can be given it. */
export interface TuningTask {
  readonly service: string
  readonly state: TuningState
  /** Null before the first result. */
  readonly record: TuningRecord | null
  /** Results, in any order; empty where only a suggestion is asked for. */
  readonly feedback: readonly Feedback[]
  readonly rules: TuningRules
  /** A hold of the newest sample counts for so long. */
  readonly holdMs: number
  /** Asked for this state instead of the newest that is known. */
  readonly signals?: Signals
  /** Epoch ms of the one who asks; of the newest feedback or sample where not given. */
  readonly at?: number
}

export interface TuningOutcome {
  readonly record: TuningRecord
  readonly state: TuningState
  readonly suggestion: Suggestion
  /** What nothing could be learned from, with the reason. */
  readonly ignored: readonly { readonly id: string, readonly reason: string }[]
}

/** Learns from results, and suggests what to run next. Pure. */
export function takeTurn (task: TuningTask): TuningOutcome {
  const { service, rules } = task
  let record = task.record ?? emptyRecord(service, spaceOf(rules), rules)
  const ignored: { id: string, reason: string }[] = []
  // Of the same time the one that tries comes first, so that what the others run counts as what runs.
  const inOrder = [...task.feedback].sort((a, b) => a.at - b.at || Number(b.canary ?? false) - Number(a.canary ?? false))
  for (const one of inOrder) {
    const learned = learnOne(record, one, task)
    record = learned.record
    if (learned.ignored !== null) ignored.push({ id: one.id, reason: learned.ignored })
  }
  const state = { ...task.state, results: task.state.results + inOrder.length - ignored.length, ...runningOf(inOrder, task.state) }
  const { signals, at } = momentOf(task, inOrder, record)
  const { hold } = state
  const refused = state.refused?.config
  const held = hold && at - hold.at <= task.holdMs ? hold.reason : null
  const found = suggestFromResults(withAccepted(record, state), { signals, hold: held, ...(refused && { refused }) }, rules)
  const suggestion: Suggestion = {
    service,
    asOf: at,
    mode: rules.mode === 'apply' ? 'apply' : 'suggest',
    ...found,
    observations: record.tuner.learned,
    modelVersion: `results+${record.tuner.learned}`,
    proof: proofOf(record.proof, rules.proofShare),
    ...(state.accepted && { accepted: state.accepted })
  }
  const tries = found.kind === 'exploration' || (found.canary ?? null) !== null
  const standing = standingFor(signals, tries, rules)
  return { record, state: { ...state, standing }, suggestion, ignored }
}

/** What an operator has accepted since the newest result is taken to run. */
function withAccepted (record: TuningRecord, { accepted }: TuningState): TuningRecord {
  return accepted !== undefined && accepted.at > record.newestAt ? { ...record, tuner: { ...record.tuner, current: accepted.config } } : record
}

/** What 32 bits can keep with room to reckon in. */
export const mostPerformance = 1e15

function learnOne (record: TuningRecord, feedback: Feedback, { state, rules }: TuningTask): { record: TuningRecord, ignored: string | null } {
  const { id, at, state: told, config, performance: reported, canary } = feedback
  const { recent } = state
  const without = (ignored: string) => ({ record, ignored })
  if (config === undefined) return without('it names no configuration that ran')
  const problem = configurationProblem(config, rules)
  if (problem !== null) return without(problem)
  // Of a service that has no samples nothing is known but how it goes.
  const signals = told ?? (recent === undefined ? {} : sampleAt(recent, at)?.signals)
  if (signals === undefined) return without('it names no state, and no sample of that time is kept')
  const performance = reported ?? measured(record, at, { state, rules })
  if (typeof performance === 'string') return without(performance)
  if (!(Math.abs(performance) <= mostPerformance)) return without(`performance is ${performance}, a number from -${mostPerformance} to ${mostPerformance} is expected`)
  return learnResult(record, { id, at, signals, config, performance, ...(canary && { canary }) }, rules)
}

/** The mean performance of the samples since the result before, or since the configuration was changed; or why it is not known. */
function measured ({ tuner }: TuningRecord, at: number, { state: { recent, accepted }, rules: { objective } }: Pick<TuningTask, 'state' | 'rules'>): number | string {
  if (objective.kind === 'reported') return 'it says no performance, and tuning.objective is "reported"'
  const changes = [...tuner.observations.map(one => one.at), ...accepted ? [accepted.at] : []]
  const from = changes.reduce((latest, time) => time < at && time > latest ? time : latest, -Infinity)
  const performance = recent === undefined ? NaN : meanPerformance(recent, objective, { from, to: at })
  return Number.isNaN(performance) ? 'it says no performance, and no sample since the last change says what tuning.objective needs' : performance
}

/** What runs, as the newest result says. */
function runningOf (inOrder: readonly Feedback[], { newest }: TuningState): Partial<TuningState> {
  const last = inOrder.findLast(({ canary }) => !canary)
  if (last?.config === undefined || (newest !== undefined && last.at < newest.at)) return {}
  return { running: last.config, newest: { at: last.at, form: 'result' } }
}

/** The state that is suggested for: the one that is asked for, or the newest that a sample or a result told. */
function momentOf ({ state: { recent, hold }, signals, at }: TuningTask, inOrder: readonly Feedback[], { newestAt }: TuningRecord): { signals: Signals, at: number } {
  const sample = recent === undefined ? null : sampleAt(recent, Infinity)
  const told = inOrder.findLast(one => one.state !== undefined)
  const newest = Math.max(0, newestAt, sample?.at ?? 0, inOrder.at(-1)?.at ?? 0, hold?.at ?? 0)
  if (signals !== undefined) return { signals, at: at ?? newest }
  const isTold = told !== undefined && (sample === null || told.at > sample.at)
  return { signals: isTold ? told.state! : sample?.signals ?? {}, at: at ?? newest }
}
