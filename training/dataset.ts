import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PrescaleError } from '../src/errors.ts'
import { presetParameters } from '../src/policy/parameters.ts'
import { readCsv } from './csv.ts'
import { isHistory, readHistory, type History } from './history.ts'
import { readConfigRows, type ConfigRows } from './train-config.ts'
import type { Workload } from './generate-workloads.ts'
import { readWorkloads } from './workload-files.ts'

/** What there is to learn from, by kind; any part may be empty. */
export interface Dataset {
  /** Where it came from, for messages. */
  readonly source: string
  readonly histories: readonly History[]
  /** Loads alone, made by the generator. */
  readonly workloads: readonly Workload[]
  readonly config: ConfigRows | null
}

/**
 * A CSV file, or a directory of them. Each file is told by its columns: a time makes it a trace of a service, the five parameters make it states with their
 * best configurations; a folder `workloads` is the generator's. Other files of a directory are left alone.
 *
 * @throws PrescaleError 'not-found' if there is no such file, 'invalid-request' with file and line for what cannot be read, and for a single file that is neither.
 */
export async function readDataset (path: string): Promise<Dataset> {
  const entry = await stat(path).catch(() => null)
  if (entry === null) throw new PrescaleError('not-found', `${path}: there is no such file or directory.`)
  const names = entry.isDirectory() ? (await readdir(path)).sort() : []
  const files = entry.isDirectory() ? names.filter(name => /\.csv(\.gz)?$/.test(name)).map(name => join(path, name)) : [path]
  const histories: History[] = []
  let config: ConfigRows | null = null
  for (const file of files) {
    const header = await headerOf(file)
    if (isHistory(header)) histories.push(await readHistory(file))
    else if (presetParameters.some(({ name }) => header.includes(name))) config = await readConfigRows(file)
    else if (!entry.isDirectory()) throw neither(file, header)
  }
  const workloads = names.includes('workloads') ? await readWorkloads(join(path, 'workloads')) : []
  return { source: path, histories, workloads, config }
}

async function headerOf (file: string): Promise<readonly string[]> {
  const batches = readCsv(file)
  const first = await batches.next()
  await batches.return(undefined)
  return first.done ? [] : first.value.header
}

function neither (file: string, header: readonly string[]): PrescaleError {
  return new PrescaleError('invalid-request',
    `${file}:1: the columns ${header.join(', ')} are neither a trace (at or timestamp, requestsPerSecond, …) nor states with best configurations ` +
    `(ten signals and ${presetParameters.map(({ name }) => name).join(', ')}).`)
}
