import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { columnIndexes, readCsv, readNumber } from './csv.ts'
import type { KnownAnomaly } from './train-anomaly-model.ts'

/** What is known to be abnormal in a trace of a directory: `<name>-anomalies.csv` with `from` and `to` in epoch seconds; nothing without that file. */
export async function readKnownAnomalies (directory: string, name: string): Promise<KnownAnomaly[]> {
  const path = join(directory, `${name}-anomalies.csv`)
  if (!existsSync(path)) return []
  const known: KnownAnomaly[] = []
  for await (const { header, rows, lines } of readCsv(path)) {
    const columns = columnIndexes(path, header, ['from', 'to'])
    rows.forEach((row, i) => {
      const [from, to] = columns.map(column => readNumber(row[column], { path, line: lines[i], column: header[column] }) * 1000)
      known.push({ from, to })
    })
  }
  return known
}
