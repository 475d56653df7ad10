import type { Sample, Suggestion, TuningRules } from '../domain.ts'
import { fnv1a } from '../hash.ts'
import { emptyTuningState, suggest, type ConfigModel, type Standing, type TuningState } from '../policy/suggest.ts'
import { isPreset, presetRules } from './preset.ts'
import { remember, rowsKept, sampleAt } from './recent-samples.ts'
import { configurationProblem } from './space.ts'

/**
 * Whether the network suggests: it knows the five parameters of the preset, and either was told best configurations last, or nothing was told yet.
 * Where suggestions are applied or tried on one instance, an untaught network is none to follow.
 */
export function usesNetwork (state: TuningState | null, rules: TuningRules): boolean {
  if (!isPreset(rules)) return false
  const form = state?.newest?.form
  return form === undefined ? rules.mode === 'suggest' && !rules.canary : form === 'optimal'
}

/** What the network suggests as far as it may run: it knows no constraints. */
export function allowed (suggestion: Suggestion | null, rules: TuningRules): Suggestion | null {
  return suggestion !== null && configurationProblem(suggestion.config, rules) === null ? suggestion : null
}

interface FollowOptions {
  readonly rules: TuningRules
  readonly model: ConfigModel | null
  /** See holdOf. */
  readonly hold: string | null
}

/** What one sample means for tuning: it is remembered, and where the network suggests, it does so anew. */
export function followSample (state: TuningState | null, sample: Sample, { rules, model, hold }: FollowOptions): { state: TuningState | null, suggestion: Suggestion | null } {
  if (rules.mode === 'off') return { state, suggestion: null }
  const before = state ?? emptyTuningState()
  // Of a service that nobody tunes the newest sample is enough.
  const rows = rules === presetRules && before.newest === undefined ? 1 : rowsKept
  const kept = { ...before, recent: remember(before.recent ?? null, sample, { ...rules, rows }), hold: { at: sample.at, reason: hold } }
  const { state: next, suggestion } = suggest(kept, sample, model)
  const found = usesNetwork(before, rules) ? allowed(suggestion, rules) : null
  return { state: next, suggestion: found && { ...found, mode: rules.mode } }
}

const loadOf = (signals: Sample['signals']) => signals.requestsPerSecond ?? null

export function standingFor (signals: Sample['signals'], tries: boolean, rules: TuningRules): Standing {
  return { tries, load: loadOf(signals), rules: fnv1a(JSON.stringify(rules)) }
}

/** So many times more or less load is another state of the service. */
const otherLoad = 1.5

/** Whether what results suggest is to be made anew although no result came: for other rules, trouble while something is tried, or another load. */
export function isDue (state: TuningState | null, rules: TuningRules): boolean {
  if (state === null || rules.mode === 'off' || usesNetwork(state, rules)) return false
  const { standing, hold, recent } = state
  if (standing === undefined || standing.rules !== fnv1a(JSON.stringify(rules))) return true
  if (standing.tries && (hold?.reason ?? null) !== null) return true
  const load = recent === undefined ? null : loadOf(sampleAt(recent, Infinity)?.signals ?? {})
  if (standing.load === null || load === null) return load !== standing.load && load !== null
  return Math.max(load, 1) > otherLoad * Math.max(standing.load, 1) || otherLoad * Math.max(load, 1) < Math.max(standing.load, 1)
}
