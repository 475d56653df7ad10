import type { Configuration, Signals, TuningRules } from '../domain.ts'
import { learnBluefin, bluefinDefaults, proposeBluefin } from './bluefin.ts'
import { decode, type ParameterSpace } from './parameters.ts'
import { addBeside, addPeriod, isProofTurn } from './proof.ts'
import { bluefinOf, firstKept, optionsOf, type TuningRecord } from './record.ts'
import { sameConfiguration, spaceOf } from './space.ts'
import { learnFrom } from './tuner.ts'

/** A configuration that ran, in which state, and how it went. */
export interface Result {
  readonly id: string
  /** Epoch ms. */
  readonly at: number
  readonly signals: Signals
  readonly config: Configuration
  /** Higher is better. */
  readonly performance: number
  /** Of the one instance that tries. */
  readonly canary?: boolean
}

/**
 * What is known after one more result; pure. Parameters that the result leaves out ran at their defaults.
 *
 * @returns the record as it was, and why, where nothing can be learned from it.
 */
export function learnResult (record: TuningRecord, result: Result, rules: TuningRules): { record: TuningRecord, ignored: string | null } {
  const space = spaceOf(rules)
  const config = { ...space.defaults, ...result.config }
  const first = record.first.length < firstKept && result.performance !== 0 ? [...record.first, result.performance] : record.first
  const { performance: utility, canary = false, ...rest } = result
  const { current, surprised } = record.tuner
  const taught = learnFrom(record.tuner, { ...rest, config, utility }, space, optionsOf(first, rules))
  // What happens to one instance says nothing of what the others run, and does not send them back.
  const learned = canary ? { ...taught, current, surprised } : taught
  if (learned.learned === record.tuner.learned) return { record, ignored: 'it is older than all that is still remembered' }
  // The chance of each suggestion goes with what was learned: asking again changes nothing.
  const next = { ...record, first, tuner: { ...learned, draws: learned.learned } }
  if (result.at < record.newestAt) return { record: next, ignored: null }
  const believed = learned.observations.find(({ id }) => id === result.id)?.utility ?? utility
  return { record: { ...next, ...takeNewest(record, { ...result, config, performance: believed }, { space, rules }) }, ignored: null }
}

/** What only the newest result tells: the two-point method and the proof know no other order. */
function takeNewest (record: TuningRecord, { at, config, performance, canary = false }: Result, { space, rules }: { space: ParameterSpace, rules: TuningRules }) {
  const bluefin = rules.strategy === 'bluefin' ? bluefinOf(record, space, rules) : record.bluefin
  const answersBluefin = rules.strategy === 'bluefin' && sameConfiguration(space, config, decode(space, proposeBluefin(bluefin!, bluefinDefaults)))
  const scale = 100 / optionsOf(record.first, rules).utilityRange
  const period = { at, performance, isDefaults: sameConfiguration(space, config, space.defaults) }
  const proof = rules.canary
    ? addBeside(record.proof, { ...period, isCanary: canary }, space.defaults)
    : addPeriod(record.proof, { ...period, isProofTurn: isProofTurn(record, rules.proofShare) }, space.defaults)
  return {
    newestAt: at,
    proof,
    bluefin: answersBluefin ? { ...bluefin!, ...learnBluefin(bluefin!, performance * scale, bluefinDefaults) } : bluefin
  }
}
