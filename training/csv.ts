import { createReadStream, createWriteStream, existsSync, realpathSync, statSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { once } from 'node:events'
import { pipeline } from 'node:stream'
import { finished } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { parse } from 'csv-parse'
import type { CsvError } from 'csv-parse'
import { PrescaleError } from '../src/errors.ts'

export interface CsvBatch {
  readonly header: string[]
  readonly rows: string[][]
  /** For each row the number of the line it ends on, from 1, the header included: what an editor shows. */
  readonly lines: number[]
}

const batchRows = 1000
/** What cells hold where nothing was measured. */
export const isAbsent = (text: string) => /^(nan|na|null)?$/i.test(text)

/**
 * A CSV file (RFC 4180, UTF-8, first record is the header; `.gz` is unpacked) in batches of up to 1,000 rows. Memory does not grow
 * with the file. A file with a header and no rows yields one empty batch, so that the header can be checked.
 *
 * @throws PrescaleError `not-found` without the file, `invalid-request` with file and line for a file that is not CSV.
 */
export async function * readCsv (path: string): AsyncGenerator<CsvBatch> {
  if (!existsSync(path)) throw new PrescaleError('not-found', `${path}: there is no such file.`)
  const parser = parse({ bom: true, info: true, skip_empty_lines: true })
  const file = createReadStream(path)
  // `pipeline` hands an error of any part to the parser, which throws it out of the loop below.
  if (path.endsWith('.gz')) pipeline(file, createGunzip(), parser, () => {})
  else pipeline(file, parser, () => {})

  let header: string[] | null = null
  let rows: string[][] = []
  let lines: number[] = []
  let yielded = false
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[], info: { lines: number } }>) {
      if (header === null) {
        header = checkedHeader(path, record)
        continue
      }
      rows.push(record)
      lines.push(info.lines)
      if (rows.length === batchRows) {
        yield { header, rows, lines }
        rows = []
        lines = []
        yielded = true
      }
    }
  } catch (error) {
    throw explained(path, error)
  }
  if (header === null) throw new PrescaleError('invalid-request', `${path}:1: the file is empty; a line of column names is expected.`)
  if (rows.length > 0 || !yielded) yield { header, rows, lines }
}

function checkedHeader (path: string, record: string[]): string[] {
  const header = record.map(name => name.trim())
  const twice = header.find((name, i) => header.indexOf(name) !== i)
  if (twice !== undefined) throw new PrescaleError('invalid-request', `${path}:1: the column "${twice}" appears twice.`)
  if (header.includes('')) throw new PrescaleError('invalid-request', `${path}:1: column ${header.indexOf('') + 1} has no name.`)
  return header
}

function explained (path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PrescaleError) return error
  const { code, lines, record, column } = error as CsvError & { record?: string[], column?: number | string }
  const fail = (message: string) => new PrescaleError('invalid-request', message, { cause: error })
  switch (code as string) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
      return fail(`${path}:${lines}: the row has ${record?.length} fields, other rows have another number.`)
    case 'CSV_QUOTE_NOT_CLOSED':
      return fail(`${path}:${lines}: a quoted field is not closed before the end of the file.`)
    case 'Z_DATA_ERROR': case 'Z_BUF_ERROR':
      return fail(`${path}: the file is not gzip, or it is cut off (${error.message}).`)
    case 'EISDIR':
      return fail(`${path}: this is a directory; a CSV file is expected.`)
    default:
      return fail(lines === undefined ? `${path}: ${error.message}` : `${path}:${lines}: ${error.message} (column ${column})`)
  }
}

/**
 * The places of `names` in `header`.
 *
 * @throws PrescaleError `invalid-request` naming every missing column and what the file has instead.
 */
export function columnIndexes (path: string, header: readonly string[], names: readonly string[]): number[] {
  const missing = names.filter(name => !header.includes(name))
  if (missing.length > 0) {
    const noun = missing.length === 1 ? 'the column' : 'the columns'
    throw new PrescaleError('invalid-request', `${path}:1: ${noun} ${missing.join(', ')} missing; the file has ${header.join(', ')}.`)
  }
  return names.map(name => header.indexOf(name))
}

/**
 * The number in a cell; NaN for an absent value (empty, NaN, NA, null).
 *
 * @throws PrescaleError `invalid-request` with file, line and column for text or an infinite value.
 */
export function readNumber (text: string, { path, line, column }: { path: string, line: number, column: string }): number {
  const trimmed = text.trim()
  if (isAbsent(trimmed)) return NaN
  const value = Number(trimmed)
  if (Number.isFinite(value)) return value
  throw new PrescaleError('invalid-request', `${path}:${line}: the column ${column} holds ${JSON.stringify(text)}; a finite number is expected.`)
}

/**
 * Writes a CSV file row by row; a name ending in `.gz` packs it. `write` returns a promise when the disk is behind: await it before the next row.
 * The file is there, whole, once `close` has returned; until then, and after `discard`, one that was there before is untouched.
 * Packed files hold no time of writing, so the same rows give the same bytes.
 *
 * @throws PrescaleError `not-found` from `write` or `close` where there is no such folder.
 */
export function createCsvWriter (path: string, header: readonly string[]) {
  // What is not a file, such as /dev/stdout, cannot be replaced by one.
  const written = existsSync(path) && !statSync(path).isFile() ? path : `${path}.part`
  const file = createWriteStream(written)
  const packer = path.endsWith('.gz') ? createGzip({ level: 9 }) : null
  const sink = packer ?? file
  if (packer) pipeline(packer, file, () => {})
  const failed = finished(file).catch((error: NodeJS.ErrnoException) => { throw unwritable(path, error) })
  failed.catch(() => {}) // reported by close(); until then nobody listens

  function write (row: readonly (string | number)[]): void | Promise<void> {
    if (row.length !== header.length) throw new RangeError(`${path}: expected ${header.length} fields, got ${row.length}.`)
    return send(row)
  }

  function send (row: readonly (string | number)[]): void | Promise<void> {
    if (!sink.write(row.map(field).join(',') + '\n')) return Promise.race([once(sink, 'drain'), failed]).then(() => {})
  }

  async function close (): Promise<void> {
    sink.end()
    await failed
    if (written !== path) await rename(written, path)
  }

  async function discard (): Promise<void> {
    sink.destroy()
    file.destroy()
    await failed.catch(() => {})
    if (written !== path) await rm(written, { force: true })
  }

  send(header)
  return { write, close, discard }
}
export type CsvWriter = ReturnType<typeof createCsvWriter>

/** A whole file at once, from rows in memory or made one by one. */
export async function writeRows (path: string, header: readonly string[], rows: Iterable<readonly (string | number)[]>): Promise<void> {
  const writer = createCsvWriter(path, header)
  for (const row of rows) {
    const wait = writer.write(row)
    if (wait) await wait
  }
  await writer.close()
}

/** @throws PrescaleError `invalid-request` for an output that would take the place of what is read. */
export function checkNotInput (out: string, input: string): void {
  if (existsSync(out) && existsSync(input) && statSync(out).isFile() && realpathSync(out) === realpathSync(input)) {
    throw new PrescaleError('invalid-request', `--out is ${out}, which is what is read; name another file, or it would be lost.`)
  }
}

/** What the file system said, in words for whoever named the path. */
export function unwritable (path: string, error: NodeJS.ErrnoException): Error {
  if (error.code === 'ENOENT') return new PrescaleError('not-found', `${path}: there is no such folder to write to.`)
  return new PrescaleError('invalid-request', `${path}: cannot be written: ${error.message}`, { cause: error })
}

function field (value: string | number): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
