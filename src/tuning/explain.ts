import type { Configuration, ExpectedPerformance, SuggestedChange, SuggestionKind } from '../domain.ts'
import { countNearby } from './observations.ts'
import type { Outlook } from './outlook.ts'
import { decode, type ParameterSpace } from './parameters.ts'
import { changesBetween } from './space.ts'
import type { TunerState } from './state.ts'

/** What the tuner itself proposes; a proof is none of its business. */
export type ProposalKind = Exclude<SuggestionKind, 'proof'>

export interface Explanation {
  /** Null before anything was observed. */
  readonly expected: ExpectedPerformance | null
  readonly changed: readonly SuggestedChange[]
  readonly reason: string
  /** The configuration to go back to. */
  readonly undo: Configuration
  readonly observationsNearby: number
}

interface Subject {
  readonly choice: { readonly unit: readonly number[], readonly kind: ProposalKind }
  readonly outlook: Outlook
  readonly state: TunerState
  readonly space: ParameterSpace
}

const deviations = 1.645

/** Why this proposal: what changes against what ran last, what it is expected to bring, on how much evidence, and how to undo it. */
export function explain ({ choice, outlook, state, space }: Subject): Explanation {
  const config = decode(space, choice.unit)
  const undo = state.current ?? space.defaults
  const changed = changesBetween(space, undo, config)
  const observationsNearby = countNearby(state.observations, outlook.context, choice.unit)
  if (state.level === null) {
    return { expected: null, changed, reason: 'Nothing has been observed yet; this stays close to the defaults.', undo, observationsNearby }
  }
  const gain = outlook.gain(choice.unit)
  const performance = outlook.utility(choice.unit)
  const spread = deviations * outlook.utilityDeviation(choice.unit)
  const reach = deviations * gain.deviation
  const expected = { performance, low: performance - spread, high: performance + spread, gain: gain.mean, gainLow: gain.mean - reach, gainHigh: gain.mean + reach }
  return { expected, changed, reason: reasonOf(choice.kind, expected, { changed, observationsNearby }), undo, observationsNearby }
}

const round = (value: number) => Number(value.toFixed(1))

function reasonOf (kind: ProposalKind, { gain, gainLow, gainHigh }: ExpectedPerformance, { changed, observationsNearby }: Pick<Explanation, 'changed' | 'observationsNearby'>): string {
  if (kind === 'revert') return 'The last result was much worse than expected: back to the defaults for one step.'
  if (kind === 'defaults') return 'No configuration that ran lately is better than the defaults for certain.'
  const evidence = `expected gain over the defaults ${round(gain)} (90 %: ${round(gainLow)} to ${round(gainHigh)}), ${observationsNearby} observations nearby`
  if (kind === 'incumbent') return `The best of what has run: ${evidence}.`
  const changes = changed.map(({ name, from, to }) => `${name} ${String(from)} → ${String(to)}`).join(', ')
  return `A trial within the safe region${changes === '' ? '' : ` (${changes})`}: ${evidence}.`
}
