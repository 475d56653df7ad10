import type { Feedback, Suggestion } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { tuningFeatures, tuningSignals } from '../features/tuning-features.ts'
import { ConfigNetwork } from '../ml/config-network.ts'
import { createRandom } from '../ml/random.ts'
import { lessonWeights } from './advantage.ts'
import { configurationProblem, presetParameters, toScale, type Configuration } from './parameters.ts'
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

/**
 * Learns from what services report. A known best configuration trains the service's own network directly; an observed result pulls it towards the
 * configuration that ran as far as it did better than usual (advantage.ts). Same network, same feedback: same bytes.
 */
export function createTuner ({ seed = 1, learningRate = 2e-3, epochs = 2 }: TunerOptions = {}) {
  async function learn ({ service, network, state, feedback, model }: LearnInput): Promise<Learned> {
    const before = state ?? emptyTuningState()
    const { lessons, running, ignored } = readFeedback(feedback, { state: before, typical: model?.network.content.typical ?? null })
    if (lessons.length === 0 || model === null) return { network, state: { ...before, running }, suggestion: null, ignored }

    const record = recordOf(network, model)
    const bytes = await study({ ...record, lessons: [...record.lessons, ...lessons].slice(-lessonsKept) })
    const optima = lessons.filter(({ performance }) => Number.isNaN(performance)).length
    const after: TuningState = { ...before, running, optima: before.optima + optima, results: before.results + lessons.length - optima }
    return { network: bytes, state: after, suggestion: suggestFor(after, service, openTuningRecord(bytes)), ignored }
  }

  async function study (record: TuningRecord): Promise<Uint8Array> {
    const weights = lessonWeights(record.lessons)
    const useful = record.lessons.map((lesson, i) => ({ lesson, weight: weights[i] })).filter(({ weight }) => weight > 0)
    if (useful.length === 0) return writeTuningRecord(record)
    const network = await ConfigNetwork.fromBytes(record.network, { learningRate })
    try {
      // Another order each time, the same when it is repeated: the seed goes with the number of steps learned.
      const random = createRandom(seed + (network.content.optimizer?.steps ?? 0))
      await network.learn({
        x: useful.flatMap(({ lesson }) => Array.from(lesson.x)),
        y: useful.flatMap(({ lesson }) => Array.from(lesson.places, place => Number.isNaN(place) ? 0 : place)),
        weights: useful.flatMap(({ lesson, weight }) => Array.from(lesson.places, place => Number.isNaN(place) ? 0 : weight))
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
  let running = state.running
  const seen = new Set<string>()
  for (const item of feedback) {
    const reason = seen.has(item.id) ? 'the id appears twice' : problem(item)
    seen.add(item.id)
    const x = reason === null ? stateOf(item, { state, typical }) : null
    if (reason === null && item.config) running = { ...running, ...item.config }
    if (reason !== null || typeof x === 'string') {
      ignored.push({ id: item.id, reason: reason ?? String(x) })
      continue
    }
    if (item.optimal) lessons.push({ x: x!, places: placesOf(item.optimal), performance: NaN })
    if (item.config && item.performance !== undefined) lessons.push({ x: x!, places: placesOf(item.config), performance: item.performance })
  }
  return { lessons, running, ignored }
}

function problem ({ config, performance, optimal }: Feedback): string | null {
  if (!optimal && (!config || performance === undefined)) return 'neither optimal nor config with performance is given'
  if (performance !== undefined && !Number.isFinite(performance)) return `performance is ${performance}, a finite number is expected`
  return (optimal && configurationProblem(optimal)) ?? (config && configurationProblem(config)) ?? null
}

/** The state that a feedback speaks of, or why there is none. */
function stateOf ({ state: told }: Feedback, { state, typical }: { state: TuningState, typical: readonly number[] | null }): ArrayLike<number> | string {
  if (typical === null) return 'no configuration network is loaded'
  if (!told) return state.last?.x ?? 'it names no state and no sample with enough signals came before it'
  const { x, missing } = tuningFeatures(told, typical)
  const measured = tuningSignals.length - missing.length
  return measured >= leastSignals ? x : `its state has ${measured} of ${tuningSignals.length} signals, ${leastSignals} are needed (missing: ${missing.join(', ')})`
}

function placesOf (config: Configuration): number[] {
  return presetParameters.map(parameter => config[parameter.name] === undefined ? NaN : toScale(parameter, config[parameter.name]))
}
