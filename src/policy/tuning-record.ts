import { DenseNetwork } from '../ml/dense-network.ts'
import { readModelFile, sectionOf, writeModelFile } from '../ml/model-file.ts'
import { loadConfigModel, type ConfigModel } from './suggest.ts'

/** One thing that a service taught: in a state, the best configuration. */
export interface Lesson {
  /** Shape [10], see features/tuning-features.ts. */
  readonly x: ArrayLike<number>
  /** Shape [5], places on the scales; NaN for a parameter that was not told. */
  readonly places: ArrayLike<number>
}

/** What is kept per service beside its state: its own network and the newest lessons, from which each later step learns again. */
export interface TuningRecord {
  /** The file of ConfigNetwork. */
  readonly network: Uint8Array
  readonly lessons: readonly Lesson[]
  /** Version of the shipped network that it started from. */
  readonly base: string
}

const kind = 'tuning-record'
const inputs = 10
const outputs = 5
/** The last place held the performance of results, which an earlier release taught the network as well; NaN for a best configuration. */
const width = inputs + outputs + 1
/** 128 lessons are 16 KiB with the network's 35. */
export const lessonsKept = 128

export function writeTuningRecord ({ network, lessons, base }: TuningRecord): Uint8Array {
  const kept = lessons.slice(-lessonsKept)
  const rows = new Float64Array(kept.length * width)
  kept.forEach(({ x, places }, i) => {
    rows.set(x, i * width)
    rows.set(places, i * width + inputs)
    rows[i * width + inputs + outputs] = NaN
  })
  return writeModelFile({ kind, features: [], meta: { base }, sections: { network: Uint8Array.from(network), lessons: rows } })
}

/** @throws PrescaleError 'model-format' if it is no tuning record, altered or cut short. */
export function readTuningRecord (bytes: Uint8Array): TuningRecord {
  const file = readModelFile(bytes, kind)
  const rows = sectionOf(file, 'lessons', { type: 'Float64Array' })
  const lessons = Array.from({ length: rows.length / width }, (_, i) => rows.subarray(i * width, (i + 1) * width))
    .filter((row) => Number.isNaN(row[inputs + outputs]))
    .map((row): Lesson => ({ x: row.subarray(0, inputs), places: row.subarray(inputs, inputs + outputs) }))
  return { network: sectionOf(file, 'network', { type: 'Uint8Array' }), lessons, base: String(file.meta.base) }
}

const opened = new WeakMap<Uint8Array, ConfigModel>()

/**
 * The service's own network for `suggest`; its version is the shipped one's and the number of steps learned since: `1.0.0+24`.
 * The same bytes are read once, however many samples of a batch ask.
 *
 * @throws PrescaleError 'model-format' if it is no tuning record, or one for other signals or parameters.
 */
export function openTuningRecord (bytes: Uint8Array): ConfigModel {
  const known = opened.get(bytes)
  if (known) return known
  const { network, base } = readTuningRecord(bytes)
  const steps = DenseNetwork.fromBytes(network).content.optimizer?.steps ?? 0
  const model = loadConfigModel(network, `${base}+${steps}`)
  opened.set(bytes, model)
  return model
}
