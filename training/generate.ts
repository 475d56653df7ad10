import { mkdir } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { tuningSignals } from '../src/features/tuning-features.ts'
import { createRandom } from '../src/ml/random.ts'
import { presetParameters } from '../src/policy/parameters.ts'
import { writeRows } from './csv.ts'
import { demoAnomalies, demoShopHeader, demoShopRows } from './demo-shop.ts'
import { generateWorkloads } from './generate-workloads.ts'
import { createProgress } from './progress.ts'
import { bestConfiguration, drawConfiguration, drawWorkload, measured, simulate } from './tuning-simulation.ts'
import { writeWorkloads } from './workload-files.ts'

export interface GenerateOptions {
  readonly out?: string
  readonly seed?: number
  readonly days?: number
  readonly tuningRows?: number
  readonly workloads?: number
  readonly workloadDays?: number
}

/** Writes the data sets that the shipped models are trained on and the demonstration replays; the same seed writes the same bytes. */
export async function generate ({ out = 'data', seed = 1, days = 5, tuningRows = 3000, workloads = 40, workloadDays = 10 }: GenerateOptions = {}): Promise<void> {
  await mkdir(out, { recursive: true })
  await writeRows(join(out, 'demo-shop.csv'), demoShopHeader, demoShopRows(createRandom(seed), days))
  await writeRows(join(out, 'demo-shop-anomalies.csv'), ['from', 'to', 'kind'],
    demoAnomalies.map(({ from, minutes, kind }) => [from, from + minutes * 60, kind]))
  await writeWorkloads(join(out, 'workloads'), generateWorkloads({ count: workloads, seed, steps: workloadDays * 1440 }))
  await writeRows(join(out, 'tuning.csv'), tuningHeader, tuningRecords(tuningRows, seed))
}

export const tuningHeader = [...tuningSignals, ...presetParameters.map(({ name }) => name)]

function * tuningRecords (rows: number, seed: number): Generator<number[]> {
  const random = createRandom(seed)
  const progress = createProgress({ label: 'best configurations', total: rows })
  for (let i = 0; i < rows; i++) {
    const workload = drawWorkload(random)
    const { signals } = simulate(workload, drawConfiguration(random))
    const seen = measured(signals, random)
    const best = bestConfiguration(workload, random)
    yield [...tuningSignals.map(signal => rounded(seen[signal])), ...presetParameters.map(({ name }) => best[name])]
    progress.advance()
  }
  progress.done()
}

/** Four significant digits; what nobody could measure is nothing. */
function rounded (value: number): number { return Math.abs(value) < 1e-6 ? 0 : Number(value.toPrecision(4)) }

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await generate()
