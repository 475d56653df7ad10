import type { Configuration, Feedback, Suggestion } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { tuningFeatures, tuningSignals } from '../features/tuning-features.ts'
import { ConfigNetwork } from '../ml/config-network.ts'
import { createRandom } from '../ml/random.ts'
import { configurationProblem, presetParameters, toScale } from './parameters.ts'
import { emptyTuningState, leastSignals, suggestFor, type ConfigModel, type TuningState } from './suggest.ts'
import { lessonsKept, openTuningRecord, readTuningRecord, writeTuningRecord, type Lesson, type TuningRecord } from './tuning-record.ts'

export interface LearnInput {
  readonly service: string
  /** What `learn` returned last; null for a service that has taught nothing yet. */
  readonly network: Uint8Array | null
  readonly state: TuningState | null
  /** Not learned from before: who keeps the ids knows. */
  readonly feedback: readonly Feedback[]
  /** The shipped network, from which a service's own starts. */
  readonly model: ConfigModel | null
}
export interface Learned {
  readonly network: Uint8Array | null
  readonly state: TuningState
  /** For the newest state that is known; null where none is. */
  readonly suggestion: Suggestion | null
  readonly ignored: readonly { readonly id: string, readonly reason: string }[]
}

export interface TunerOptions {
  readonly seed?: number
  readonly learningRate?: number
  /** Passes over the lessons that are kept, for each call: at most 4 steps each. */
  readonly epochs?: number
}

/** Learns from best configurations that somebody knows: they train the service's own network. Same network, same feedback: same bytes. */
export function createTuner ({ seed = 1, learningRate = 2e-3, epochs = 2 }: TunerOptions = {}) {
  async function learn ({ service, network, state, feedback, model }: LearnInput): Promise<Learned> {
    const before = state ?? emptyTuningState()
    const { lessons, ignored } = readFeedback(feedback, { state: before, typical: model?.network.content.typical ?? null })
    if (lessons.length === 0 || model === null) return { network, state: before, suggestion: null, ignored }

    const record = recordOf(network, model)
    const bytes = await study({ ...record, lessons: [...record.lessons, ...lessons].slice(-lessonsKept) })
    const after: TuningState = { ...before, optima: before.optima + lessons.length }
    return { network: bytes, state: after, suggestion: suggestFor(after, service, openTuningRecord(bytes)), ignored }
  }

  async function study (record: TuningRecord): Promise<Uint8Array> {
    const { lessons } = record
    const network = await ConfigNetwork.fromBytes(record.network, { learningRate })
    try {
      // Another order each time, the same when it is repeated: the seed goes with the number of steps learned.
      const random = createRandom(seed + (network.content.optimizer?.steps ?? 0))
      await network.learn({
        x: lessons.flatMap(({ x }) => Array.from(x)),
        y: lessons.flatMap(({ places }) => Array.from(places, place => Number.isNaN(place) ? 0 : place)),
        weights: lessons.flatMap(({ places }) => Array.from(places, place => Number.isNaN(place) ? 0 : 1))
      }, { epochs, random })
      return writeTuningRecord({ ...record, network: network.toBytes() })
    } finally {
      network.dispose()
    }
  }

  return { learn }
}
export type Tuner = ReturnType<typeof createTuner>

/** A record that cannot be used is begun anew. */
function recordOf (network: Uint8Array | null, model: ConfigModel): TuningRecord {
  const anew = { network: model.network.toBytes(), lessons: [], base: model.version }
  if (network === null) return anew
  try {
    openTuningRecord(network) // checks signals and parameters too
    return readTuningRecord(network)
  } catch (error) {
    if (error instanceof PrescaleError && error.code === 'model-format') return anew
    throw error
  }
}

/** Feedback as lessons, in its order; what cannot be used is named with the reason and left out. */
function readFeedback (feedback: readonly Feedback[], { state, typical }: { state: TuningState, typical: readonly number[] | null }) {
  const lessons: Lesson[] = []
  const ignored: { id: string, reason: string }[] = []
  for (const item of feedback) {
    const { id, optimal } = item
    const reason = optimal === undefined ? 'it names no optimal configuration' : configurationProblem(optimal)
    const x = reason === null ? stateOf(item, { state, typical }) : null
    if (reason !== null || typeof x === 'string') ignored.push({ id, reason: reason ?? String(x) })
    else lessons.push({ x: x!, places: placesOf(optimal!) })
  }
  return { lessons, ignored }
}

/** The state that a feedback speaks of, or why there is none. */
function stateOf ({ state: told }: Feedback, { state, typical }: { state: TuningState, typical: readonly number[] | null }): ArrayLike<number> | string {
  if (typical === null) return 'no configuration network is loaded'
  if (!told) return state.last?.x ?? 'it names no state and no sample with enough signals came before it'
  const { x, missing } = tuningFeatures(told, typical)
  const measured = tuningSignals.length - missing.length
  return measured >= leastSignals ? x : `its state has ${measured} of ${tuningSignals.length} signals, ${leastSignals} are needed (missing: ${missing.join(', ')})`
}

/** Only of a checked configuration. */
function placesOf (config: Configuration): number[] {
  return presetParameters.map(parameter => config[parameter.name] === undefined ? NaN : toScale(parameter, Number(config[parameter.name])))
}
