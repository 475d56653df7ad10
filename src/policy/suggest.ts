import type { Configuration, Sample, Suggestion, SuggestionAnswer } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { tuningFeatures, tuningSignals } from '../features/tuning-features.ts'
import { DenseNetwork } from '../ml/dense-network.ts'
import type { RecentSamples } from '../tuning/recent-samples.ts'
import { defaultConfiguration, fromScale, presetParameters, toScale, type Parameter, type PresetConfiguration } from './parameters.ts'

/** What is remembered between samples; what a service taught the network is kept beside it (tuning-record.ts). */
export interface TuningState {
  readonly version: 1
  /** The newest sample as the network sees it: feedback without a state of its own means this one. */
  readonly last: { readonly at: number, readonly x: readonly number[], readonly missing: readonly string[] } | null
  /** The configuration that the service last reported; null until it does, then the defaults are taken to run. */
  readonly running: Configuration | null
  /** Known best configurations that the network has learned from, and results that were learned from without it. */
  readonly optima: number
  readonly results: number
  /** Which of the two the newest feedback was, and its time; absent before the first. */
  readonly newest?: { readonly at: number, readonly form: 'optimal' | 'result' }
  /** The newest samples, why nothing may be tried since the newest one (null when all is well), and what is suggested from results. */
  readonly recent?: RecentSamples
  readonly hold?: { readonly at: number, readonly reason: string | null }
  readonly standing?: Standing
  /** What operators accepted and refused last; absent in states that were kept before anybody could. */
  readonly accepted?: SuggestionAnswer
  readonly refused?: SuggestionAnswer
}

/** What a suggestion from results was made for: with much else than that it is made anew, and what it tries ends when all is not well. */
export interface Standing {
  readonly tries: boolean
  /** requestsPerSecond, null where it was not measured. */
  readonly load: number | null
  readonly rules: number
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
    source: 'network',
    config: runningConfiguration(before),
    changed: [],
    reason: `Only ${measured} of ${tuningSignals.length} signals are measured (missing: ${missing.join(', ')}), ${leastSignals} are needed: nothing is changed.`,
    observations: before.optima,
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
    source: 'network',
    config,
    changed: isRefused ? [] : changed.map(({ name, unit }) => ({ name, from: running[name], to: config[name], ...(unit !== null && { unit }) })),
    reason: [...isRefused ? [refusal(refused)] : [], changes(changed, { config, running }), evidence(state), ...standIns(state.last.missing)].join(' '),
    observations: state.optima,
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
    const [one, other] = [a, b].map(config => config[parameter.name])
    return one === other || Math.abs(toScale(parameter, Number(one)) - toScale(parameter, Number(other))) < leastChange
  })
}

function refusal ({ by, note }: SuggestionAnswer): string {
  return `${by} refused this configuration${note === undefined ? '' : `: ${note}`}.`
}

function runningConfiguration ({ running }: TuningState): PresetConfiguration {
  return Object.fromEntries(Object.entries(defaultConfiguration()).map(([name, byDefault]) => [name, Number(running?.[name] ?? byDefault)]))
}

function configurationFor (places: ArrayLike<number>, running: PresetConfiguration): PresetConfiguration {
  return Object.fromEntries(presetParameters.map((parameter, i) => {
    const now = running[parameter.name]
    const stays = Math.abs(places[i] - toScale(parameter, now)) < leastChange
    return [parameter.name, stays ? now : fromScale(parameter, places[i])]
  }))
}

/** "threadPoolSize 64 → 40, timeoutMs 1000 → 300 ms." */
function changes (changed: readonly Parameter[], { config, running }: Record<'config' | 'running', PresetConfiguration>): string {
  if (changed.length === 0) return 'What runs suits the present state.'
  return `${changed.map(({ name, unit }) => `${name} ${running[name]} → ${config[name]}${unit ? ` ${unit}` : ''}`).join(', ')}.`
}

/** How far the suggestion may be trusted, said plainly. */
function evidence ({ optima, running }: TuningState): string {
  const from = running === null ? ' The running configuration is not reported; the defaults are assumed.' : ''
  if (optima === 0) {
    return `This is the shipped network, trained on a simulated service; nothing is known of this one yet: try it on one instance and report how it went.${from}`
  }
  return `The network has learned from ${optima} reported best configuration${optima === 1 ? '' : 's'} of this service.${from}`
}

function standIns (missing: readonly string[]): string[] {
  return missing.length === 0 ? [] : [`Not measured, so taken as usual: ${missing.join(', ')}.`]
}
