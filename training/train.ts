import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PrescaleError } from '../src/errors.ts'
import { modelKindOf } from '../src/ml/model-file.ts'
import { createModelRegistry } from '../src/store/model-registry.ts'
import { readDataset, type Dataset } from './dataset.ts'
import { readPrometheus, type PrometheusHistory } from './prometheus-history.ts'
import type { TrainReport } from './report.ts'
import { missingFor, trainable, trainers, type Trainable, type Trained, type TrainerOptions } from './trainers.ts'

export { trainable, type Trainable } from './trainers.ts'

export interface TrainOptions extends Partial<TrainerOptions> {
  /** A CSV file or a directory of them (dataset.ts); either this or `prometheus`. */
  readonly data?: string
  readonly prometheus?: PrometheusHistory
  /** Everything that the data allow, by default. */
  readonly only?: readonly Trainable[]
  /** Directory of models. */
  readonly out?: string
  /** Of every model trained now; the next number after the newest by default. */
  readonly version?: string
  /** Epoch ms. */
  readonly now?: () => number
}

/**
 * Trains the models that the data allow and puts each into the registry as a new version; the same data and seed give the same model files.
 *
 * @throws PrescaleError in a clear sentence: missing file or columns, too few rows, nothing but gaps, a server that does not answer, a version that exists.
 */
export async function train (options: TrainOptions): Promise<TrainReport[]> {
  const { seed = 1, out = 'models', only, now = Date.now } = options
  const dataset = await readSource(options)
  const possible = trainable.filter(name => missingFor(name, dataset) === null)
  const wanted = only ?? possible
  for (const name of wanted) {
    const missing = missingFor(name, dataset)
    if (missing !== null) throw new PrescaleError('invalid-request', `The model ${name} cannot be trained from ${dataset.source}: ${missing}.`)
  }
  if (wanted.length === 0) throw new PrescaleError('invalid-request', `There is nothing to learn from in ${dataset.source}: ${trainable.map(name => `for ${name} ${missingFor(name, dataset)}`).join('; ')}.`)

  const reports: TrainReport[] = []
  await mkdir(out, { recursive: true })
  for (const name of trainable.filter(name => wanted.includes(name))) {
    const startedAt = now()
    const trained = await trainers[name](dataset, { ...options, seed })
    reports.push(await publish(trained, { ...options, seed, out, startedAt, now }))
  }
  return reports
}

function readSource ({ data, prometheus }: TrainOptions): Promise<Dataset> | Dataset {
  if (data !== undefined && prometheus === undefined) return readDataset(data)
  if (data === undefined && prometheus !== undefined) return readFromPrometheus(prometheus)
  throw new PrescaleError('invalid-request', 'Either data or a Prometheus server is needed to learn from, and not both.')
}

async function readFromPrometheus (options: PrometheusHistory): Promise<Dataset> {
  return { source: options.url, histories: await readPrometheus(options), workloads: [], config: null }
}

async function publish ({ name, bytes, features, variant, rows, holdOutRows, range, comparisons, metrics = {} }: Trained,
  { seed, out, version: wished, startedAt, now }: { seed: number, out: string, version?: string, startedAt: number, now: () => number }): Promise<TrainReport> {
  const registry = createModelRegistry({ directory: out })
  const version = wished ?? nextVersion(await registry.versions(name))
  const finishedAt = now()
  const compared = comparisons.flatMap(({ metric, model, naive }) => [[metric, model], [`naive${metric[0].toUpperCase()}${metric.slice(1)}`, naive]] as const)
  await registry.save({
    bytes,
    manifest: {
      name,
      version,
      kind: modelKindOf(bytes),
      ...(variant !== undefined && { variant }),
      features: [...features],
      trainedAt: new Date(finishedAt).toISOString(),
      rows,
      range: range && { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() },
      seed,
      metrics: { ...Object.fromEntries(compared), ...metrics, holdOutRows }
    }
  })
  return { name, version, directory: join(out, name, version), bytes: bytes.length, rows, holdOutRows, seconds: (finishedAt - startedAt) / 1000, comparisons, metrics }
}

/** "1" after nothing, "8" after "7.2". */
function nextVersion ([newest]: readonly string[]): string {
  return String(Math.floor(Number.parseFloat(newest ?? '0') || 0) + 1)
}
