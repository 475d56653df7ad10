import type { CanarySuggestion, Configuration, ExpectedPerformance, Signals, SuggestedChange, SuggestionKind, SuggestionSource, TuningRules } from '../domain.ts'
import { bluefinDefaults, proposeBluefin } from './bluefin.ts'
import { changeCost, expectedDifference } from './change-cost.ts'
import { createGuard } from './guard.ts'
import { decode, encode, type ParameterSpace } from './parameters.ts'
import { isProofTurn } from './proof.ts'
import { bluefinOf, optionsOf, type TuningRecord } from './record.ts'
import { changesBetween, sameConfiguration, spaceOf } from './space.ts'
import { proposeConfig } from './tuner.ts'

export interface SuggestionMoment {
  readonly signals: Signals
  /** Why nothing may be tried now; null when all is well. */
  readonly hold: string | null
  /** What an operator does not want as it is. */
  readonly refused?: Configuration
}

/** What results suggest to run next. */
export interface ResultSuggestion {
  readonly source: Exclude<SuggestionSource, 'network'>
  readonly config: Configuration
  readonly kind: SuggestionKind
  readonly changed: readonly SuggestedChange[]
  readonly expected: ExpectedPerformance | null
  readonly reason: string
  readonly undo: Configuration
  readonly observationsNearby: number
  readonly canary?: CanarySuggestion | null
}

interface Setting { readonly space: ParameterSpace, readonly rules: TuningRules, readonly moment: SuggestionMoment }

/** The next configuration; pure: the same record, moment and rules give the same. */
export function suggestFromResults (record: TuningRecord, moment: SuggestionMoment, rules: TuningRules): ResultSuggestion {
  const setting = { space: spaceOf(rules), rules, moment }
  if (!rules.canary) return suggestOne(record, setting)
  const others = suggestOne(record, { ...setting, moment: { ...moment, hold: moment.hold ?? onlyOneTries } })
  return { ...others, canary: canaryOf(record, setting, others.config) }
}

const onlyOneTries = 'only one instance tries'

/** What one instance should try beside the others; null where nothing is to be tried. */
function canaryOf (record: TuningRecord, setting: Setting, theirs: Configuration): CanarySuggestion | null {
  // It is there to try: the share is for what all instances run.
  const eager = { ...setting, rules: { ...setting.rules, explorationShare: setting.rules.explorationShare > 0 ? 1 : 0 } }
  const { kind, config, expected, reason } = suggestOne(record, eager)
  if ((kind !== 'exploration' && kind !== 'proof') || sameConfiguration(setting.space, config, theirs)) return null
  return { kind, config, expected, reason, changed: changesBetween(setting.space, theirs, config) }
}

function suggestOne (record: TuningRecord, setting: Setting): ResultSuggestion {
  const { space, rules, moment } = setting
  const undo = known(space, record.tuner.current)
  if (space.width === 0) return plain(setting, undo, { kind: 'defaults', config: space.defaults, reason: 'Every parameter has one value only: there is nothing to tune.' })
  if (moment.hold === null && isProofTurn(record, rules.proofShare)) {
    return plain(setting, undo, { kind: 'proof', config: space.defaults, reason: 'The defaults for a while, so that the gain over them can be measured.' })
  }
  const found = rules.strategy === 'bluefin' ? byBluefin(record, setting, undo) : bySurrogate(record, setting, undo)
  const held = moment.hold === null || moment.hold === onlyOneTries ? found : { ...found, reason: `${found.reason} Nothing is tried: ${moment.hold}.` }
  return isRefused(found.config, setting) ? plain(setting, undo, { kind: 'incumbent', config: undo, reason: 'What would be suggested was refused by an operator: what runs stays.' }) : held
}

const isRefused = (config: Configuration, { space, moment: { refused } }: Setting) => refused !== undefined && sameConfiguration(space, config, refused)

/** A configuration that ran, as far as its parameters are still declared and within their bounds. */
function known (space: ParameterSpace, current: Configuration | null): Configuration {
  return current === null ? space.defaults : decode(space, encode(space, current))
}

function bySurrogate (record: TuningRecord, setting: Setting, undo: Configuration): ResultSuggestion {
  const { space, rules, moment: { signals, hold } } = setting
  const options = optionsOf(record.first, rules)
  const { proposal } = proposeConfig(record.tuner, { signals, mustNotExplore: hold !== null }, space, options)
  const found: ResultSuggestion = { source: 'results', ...proposal }
  const cost = changeCost(space, undo, found.config)
  if (cost === 0 || found.kind === 'revert') return found
  const { mean, deviation } = expectedDifference(record.tuner, { from: undo, to: found.config, signals, space, options })
  // A trial may turn out better than it is expected to be.
  if (mean + (found.kind === 'exploration' ? deviation : 0) >= cost) return found
  const reason = `What runs stays: a change to what may be better would cost ${cost}, and is expected to gain ${Number(mean.toPrecision(3))}.`
  return plain(setting, undo, { kind: 'incumbent', config: undo, reason })
}

function byBluefin (record: TuningRecord, setting: Setting, undo: Configuration): ResultSuggestion {
  const { space, rules, moment: { signals, hold } } = setting
  const state = bluefinOf(record, space, rules)
  const guard = createGuard(space, signals, undo)
  const tries = hold === null && rules.explorationShare > 0
  const config = decode(space, guard(tries ? proposeBluefin(state, bluefinDefaults) : state.center))
  const reason = tries
    ? `Half ${state.first === null ? 1 : 2} of round ${state.round + 1} of the two-point method: a step in a direction drawn by chance, and then the opposite one.`
    : 'Where the two-point method has come to.'
  return plain(setting, undo, { kind: tries ? 'exploration' : 'incumbent', config, reason })
}

function plain ({ space, rules }: Setting, undo: Configuration, { kind, config, reason }: Pick<ResultSuggestion, 'kind' | 'config' | 'reason'>): ResultSuggestion {
  const changed = changesBetween(space, undo, config)
  return { source: rules.strategy === 'bluefin' ? 'bluefin' : 'results', config, kind, changed, expected: null, reason, undo, observationsNearby: 0 }
}
