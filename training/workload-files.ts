import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PrescaleError } from '../src/errors.ts'
import { columnIndexes, createCsvWriter, readCsv, readNumber, writeRows } from './csv.ts'
import type { Workload } from './generate-workloads.ts'

const indexFile = 'index.csv'
const loadsFile = 'loads.csv.gz'
const indexHeader = ['name', 'startAt', 'stepSeconds', 'seasonSeconds', 'capacity']

/**
 * Writes many workloads as two files, a third of the size of one trace file each: `index.csv` says when each begins and what is known of it,
 * `loads.csv.gz` has a column of loads for each and a row for each step, with an empty cell where nothing was measured.
 */
export async function writeWorkloads (directory: string, workloads: readonly Workload[]): Promise<void> {
  await mkdir(directory, { recursive: true })
  await writeRows(join(directory, indexFile), indexHeader,
    workloads.map(({ name, startAt, stepSeconds, seasonSeconds, capacity }) => [name, startAt, stepSeconds, seasonSeconds, capacity]))
  const writer = createCsvWriter(join(directory, loadsFile), workloads.map(({ name }) => name))
  const steps = Math.max(...workloads.map(({ loads }) => loads.length))
  for (let step = 0; step < steps; step++) {
    await writer.write(workloads.map(({ loads }) => Number.isFinite(loads[step]) ? Number(loads[step].toPrecision(3)) : ''))
  }
  await writer.close()
}

/** @throws PrescaleError with file and line where the two files do not fit each other or hold text for a number. */
export async function readWorkloads (directory: string): Promise<Workload[]> {
  const index = await readIndex(join(directory, indexFile))
  const path = join(directory, loadsFile)
  const loads = index.map((): number[] => [])
  for await (const { header, rows, lines } of readCsv(path)) {
    const columns = columnIndexes(path, header, index.map(({ name }) => name))
    rows.forEach((row, i) => columns.forEach((column, w) => {
      loads[w].push(readNumber(row[column], { path, line: lines[i], column: header[column] }))
    }))
  }
  return index.map((workload, w) => ({ ...workload, loads: Float64Array.from(loads[w]) }))
}

async function readIndex (path: string): Promise<Omit<Workload, 'loads'>[]> {
  const index: Omit<Workload, 'loads'>[] = []
  for await (const { header, rows, lines } of readCsv(path)) {
    const columns = columnIndexes(path, header, indexHeader)
    rows.forEach((row, i) => {
      const [startAt, stepSeconds, seasonSeconds, capacity] = columns.slice(1).map((column) => {
        const value = readNumber(row[column], { path, line: lines[i], column: header[column] })
        if (value > 0) return value
        throw new PrescaleError('invalid-request', `${path}:${lines[i]}: the column ${header[column]} holds ${value}; a number above 0 is expected.`)
      })
      index.push({ name: row[columns[0]], startAt, stepSeconds, seasonSeconds, capacity })
    })
  }
  return index
}
