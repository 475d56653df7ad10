import type { Sample, Suggestion, SuggestionAnswer } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { tuningFeatures, tuningSignals } from '../features/tuning-features.ts'
import { DenseNetwork } from '../ml/dense-network.ts'
import { defaultConfiguration, fromScale, presetParameters, toScale, type Configuration, type Parameter } from './parameters.ts'

/** What is remembered between samples; what a service taught the network is kept beside it (tuning-record.ts). */
export interface TuningState {
  readonly version: 1
  /** The newest sample as the network sees it: feedback without a state of its own means this one. */
  readonly last: { readonly at: number, readonly x: readonly number[], readonly missing: readonly string[] } | null
  /** The configuration that the service last reported; null until it does, then the defaults are taken to run. */
  readonly running: Configuration | null
  /** Feedbacks that the network has learned from: known best configurations, and observed results. */
  readonly optima: number
  readonly results: number
  /** What operators accepted and refused last; absent in states that were kept before anybody could. */
  readonly accepted?: SuggestionAnswer
  readonly refused?: SuggestionAnswer
}

export interface ConfigModel {
  readonly version: string
  readonly network: DenseNetwork
}

export function emptyTuningState (): TuningState {
  return { version: 1, last: null, running: null, optima: 0, results: 0 }
}

/**
 * A loaded network with a name for decisions to carry.
 *
 * @throws PrescaleError 'model-format' if the file is none, or one for other signals or parameters.
 */
export function loadConfigModel (bytes: Uint8Array, version: string): ConfigModel {
  const network = DenseNetwork.fromBytes(bytes)
  const expect = (what: string, actual: readonly string[], expected: readonly string[]) => {
    if (actual.join() !== expected.join()) {
      throw new PrescaleError('model-format', `The network knows the ${what} ${actual.join(', ')}; expected ${expected.join(', ')}.`)
    }
  }
  expect('signals', network.features, tuningSignals)
  expect('parameters', network.parameters, presetParameters.map(({ name }) => name))
  return { version, network }
}

/** With fewer of the ten signals the network would mostly be told what it usually sees. */
export const leastSignals = 7
/** A change of less than this share of a parameter's scale is not worth a restart. */
const leastChange = 0.02

/**
 * The configuration that suits the service's present state. Pure; the state that it returns remembers this one for later feedback.
 * Without a network there is no suggestion; with too few signals it is what runs.
 */
export function suggest (state: TuningState | null, sample: Sample, model: ConfigModel | null): { state: TuningState, suggestion: Suggestion | null } {
  const before = state ?? emptyTuningState()
  if (model === null) return { state: before, suggestion: null }
  const { x, missing } = tuningFeatures(sample.signals, model.network.content.typical)
  const measured = tuningSignals.length - missing.length
  if (measured >= leastSignals) {
    const after: TuningState = { ...before, last: { at: sample.at, x: Array.from(x), missing } }
    return { state: after, suggestion: suggestFor(after, sample.service, model) }
  }
  const suggestion: Suggestion = {
    service: sample.service,
    asOf: sample.at,
    config: runningConfiguration(before),
    changed: [],
    reason: `Only ${measured} of ${tuningSignals.length} signals are measured (missing: ${missing.join(', ')}), ${leastSignals} are needed: nothing is changed.`,
    observations: before.optima + before.results,
    modelVersion: model.version
  }
  return { state: before, suggestion }
}

/** The suggestion for the newest state that is remembered; null before the first. */
export function suggestFor (state: TuningState, service: string, { network, version }: ConfigModel): Suggestion | null {
  if (state.last === null) return null
  const running = runningConfiguration(state)
  const config = configurationFor(network.predict(state.last.x), running)
  const changed = presetParameters.filter(({ name }) => config[name] !== running[name])
  const { accepted, refused } = state
  const isRefused = refused !== undefined && sameConfiguration(refused.config, config)
  return {
    service,
    asOf: state.last.at,
    config,
    changed: isRefused ? [] : changed.map(({ name }) => name),
    reason: [...isRefused ? [refusal(refused)] : [], changes(changed, { config, running }), evidence(state), ...standIns(state.last.missing)].join(' '),
    observations: state.optima + state.results,
    modelVersion: version,
    ...(accepted && { accepted }),
    ...(isRefused && { refused })
  }
}

/** The state after an operator has spoken: what was accepted is taken to run from then on; what was refused is not proposed again as it is. */
export function answerSuggestion (state: TuningState | null, answer: SuggestionAnswer): TuningState {
  const before = state ?? emptyTuningState()
  if (answer.answer === 'refused') return { ...before, refused: answer }
  const { refused: _, ...others } = before
  return { ...others, accepted: answer, running: { ...before.running, ...answer.config } }
}

/** Whether two configurations are within what is not worth a restart of one another. */
function sameConfiguration (a: Configuration, b: Configuration): boolean {
  return presetParameters.every((parameter) => {
    const { name } = parameter
    return a[name] === b[name] || Math.abs(toScale(parameter, a[name]) - toScale(parameter, b[name])) < leastChange
  })
}

function refusal ({ by, note }: SuggestionAnswer): string {
  return `${by} refused this configuration${note === undefined ? '' : `: ${note}`}.`
}

function runningConfiguration ({ running }: TuningState): Configuration {
  return { ...defaultConfiguration(), ...running }
}

function configurationFor (places: ArrayLike<number>, running: Configuration): Configuration {
  return Object.fromEntries(presetParameters.map((parameter, i) => {
    const now = running[parameter.name]
    const stays = Math.abs(places[i] - toScale(parameter, now)) < leastChange
    return [parameter.name, stays ? now : fromScale(parameter, places[i])]
  }))
}

/** "threadPoolSize 64 → 40, timeoutMs 1000 → 300 ms." */
function changes (changed: readonly Parameter[], { config, running }: { config: Configuration, running: Configuration }): string {
  if (changed.length === 0) return 'What runs suits the present state.'
  return `${changed.map(({ name, unit }) => `${name} ${running[name]} → ${config[name]}${unit ? ` ${unit}` : ''}`).join(', ')}.`
}

/** How far the suggestion may be trusted, said plainly. */
function evidence ({ optima, results, running }: TuningState): string {
  const from = running === null ? ' The running configuration is not reported; the defaults are assumed.' : ''
  if (optima + results === 0) {
    return `This is the shipped network, trained on a simulated service; nothing is known of this one yet: try it on one instance and report how it went.${from}`
  }
  const counts = [count(optima, 'best configuration'), count(results, 'result')].filter(text => text !== null)
  return `The network has learned from ${counts.join(' and ')} of this service.${from}`
}

function count (number: number, noun: string): string | null {
  return number === 0 ? null : `${number} reported ${noun}${number === 1 ? '' : 's'}`
}

function standIns (missing: readonly string[]): string[] {
  return missing.length === 0 ? [] : [`Not measured, so taken as usual: ${missing.join(', ')}.`]
}
