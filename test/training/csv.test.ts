import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { columnIndexes, createCsvWriter, readCsv, readNumber } from '../../training/csv.ts'

let directory: string
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'prescale-csv-')) })
afterAll(() => rm(directory, { recursive: true }))

async function file (name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

async function readAll (path: string) {
  const batches = []
  for await (const batch of readCsv(path)) batches.push(batch)
  return batches
}

describe('readCsv', () => {
  it('gives header and rows with the line each row stands on', async () => {
    const path = await file('plain.csv', 'at,load\n1,10\n2,20\n')
    expect(await readAll(path)).toEqual([{ header: ['at', 'load'], rows: [['1', '10'], ['2', '20']], lines: [2, 3] }])
  })

  it('understands quotes, a byte order mark, CRLF, empty lines and a missing last line end', async () => {
    const path = await file('odd.csv', '\uFEFFname,text\r\n\r\na,"x, ""y"""\r\nb,plain')
    const [{ header, rows, lines }] = await readAll(path)
    expect(header).toEqual(['name', 'text'])
    expect(rows).toEqual([['a', 'x, "y"'], ['b', 'plain']])
    expect(lines).toEqual([3, 4])
  })

  it('unpacks a file that ends in .gz', async () => {
    const path = await file('packed.csv.gz', gzipSync('a\n1\n'))
    expect(await readAll(path)).toEqual([{ header: ['a'], rows: [['1']], lines: [2] }])
  })

  it('hands 2,500 rows over in batches of 1,000', async () => {
    const path = await file('long.csv', 'n\n' + Array.from({ length: 2500 }, (_, i) => i).join('\n'))
    const batches = await readAll(path)
    expect(batches.map(batch => batch.rows.length)).toEqual([1000, 1000, 500])
    expect(batches[2].rows[499]).toEqual(['2499'])
    expect(batches[2].lines[499]).toBe(2501)
  })

  it('gives one empty batch for a file with a header only', async () => {
    expect(await readAll(await file('header.csv', 'a,b\n'))).toEqual([{ header: ['a', 'b'], rows: [], lines: [] }])
  })

  it('can be left in the middle', async () => {
    const path = await file('left.csv', 'n\n' + '1\n'.repeat(200_000))
    const batches = readCsv(path)
    expect((await batches.next()).value?.rows).toHaveLength(1000)
    await batches.return(undefined)
    expect(await batches.next()).toEqual({ done: true, value: undefined })
  })

  it.each([
    { problem: 'a row with another number of fields', content: 'a,b\n1,2\n3\n', message: /bad\.csv:3: the row has 1 fields/ },
    { problem: 'an open quote', content: 'a,b\n1,"2\n', message: /bad\.csv:\d: a quoted field is not closed/ },
    { problem: 'a stray quote', content: 'a,b\n1,2"3\n', message: /bad\.csv:2: / },
    { problem: 'an empty file', content: '', message: /bad\.csv:1: the file is empty/ },
    { problem: 'a column named twice', content: 'a,b,a\n1,2,3\n', message: /bad\.csv:1: the column "a" appears twice/ },
    { problem: 'a column without a name', content: 'a,,c\n1,2,3\n', message: /bad\.csv:1: column 2 has no name/ }
  ])('refuses $problem, naming file and line', async ({ content, message }) => {
    const path = await file('bad.csv', content)
    await expect(readAll(path)).rejects.toThrow(message)
    await expect(readAll(path)).rejects.toMatchObject({ code: 'invalid-request' })
  })

  it('refuses a packed file that is cut off or no gzip at all', async () => {
    const packed = gzipSync('a\n' + Array.from({ length: 5000 }, (_, i) => i * 7919).join('\n'))
    await expect(readAll(await file('cut.csv.gz', packed.subarray(0, packed.length / 2)))).rejects.toThrow(/cut\.csv\.gz: the file is not gzip, or it is cut off/)
    await expect(readAll(await file('not.csv.gz', 'a\n1\n'))).rejects.toThrow(/not\.csv\.gz: the file is not gzip/)
  })

  it('says which file is missing, and that a directory is none', async () => {
    await expect(readAll(join(directory, 'absent.csv'))).rejects.toThrow(/absent\.csv: there is no such file/)
    await expect(readAll(directory)).rejects.toThrow(/this is a directory/)
  })
})

describe('columnIndexes', () => {
  it('finds columns in any order', () => {
    expect(columnIndexes('x.csv', ['at', 'load', 'cpu'], ['cpu', 'at'])).toEqual([2, 0])
  })

  it('names every missing column and what there is', () => {
    expect(() => columnIndexes('x.csv', ['time', 'load'], ['at', 'load', 'cpu']))
      .toThrow('x.csv:1: the columns at, cpu missing; the file has time, load.')
  })
})

describe('readNumber', () => {
  const where = { path: 'x.csv', line: 7, column: 'load' }

  it.each([['12.5', 12.5], [' -3 ', -3], ['1e3', 1000], ['0', 0]])('reads %j as %d', (text, value) => {
    expect(readNumber(text, where)).toBe(value)
  })

  it.each(['', ' ', 'NaN', 'nan', 'NA', 'null'])('reads %j as absent', text => {
    expect(readNumber(text, where)).toBeNaN()
  })

  it.each(['abc', 'Infinity', '1,5', '12 ms'])('refuses %j with file, line and column', text => {
    expect(() => readNumber(text, where)).toThrow(`x.csv:7: the column load holds ${JSON.stringify(text)}; a finite number is expected.`)
  })
})

describe('createCsvWriter', () => {
  it('writes what readCsv reads, quoting where needed', async () => {
    const path = join(directory, 'written.csv')
    const writer = createCsvWriter(path, ['at', 'reason'])
    await writer.write([60, 'forecast, "p90"'])
    await writer.write([120, 'two\nlines'])
    await writer.close()
    expect(await readFile(path, 'utf8')).toBe('at,reason\n60,"forecast, ""p90"""\n120,"two\nlines"\n')
    expect((await readAll(path))[0].rows).toEqual([['60', 'forecast, "p90"'], ['120', 'two\nlines']])
  })

  it('asks the caller to wait when the disk is behind, and loses nothing', async () => {
    const path = join(directory, 'many.csv')
    const writer = createCsvWriter(path, ['n'])
    let waits = 0
    for (let n = 0; n < 50_000; n++) {
      const wait = writer.write([n])
      if (wait) { waits++; await wait }
    }
    await writer.close()
    expect(waits).toBeGreaterThan(0)
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    expect(lines).toHaveLength(50_001)
    expect(lines[50_000]).toBe('49999')
  })

  it('packs a .gz with the same bytes for the same rows', async () => {
    const paths = ['one.csv.gz', 'two.csv.gz'].map(name => join(directory, name))
    for (const path of paths) {
      const writer = createCsvWriter(path, ['a'])
      await writer.write([1])
      await writer.close()
    }
    const [one, two] = await Promise.all(paths.map(path => readFile(path)))
    expect(one).toEqual(two)
    expect(gunzipSync(one).toString()).toBe('a\n1\n')
  })

  it('refuses a row of another width', async () => {
    const writer = createCsvWriter(join(directory, 'width.csv'), ['a', 'b'])
    expect(() => writer.write([1])).toThrow(/width\.csv: expected 2 fields, got 1/)
    await writer.close()
  })

  it('reports a directory that does not exist when it is closed', async () => {
    const writer = createCsvWriter(join(directory, 'nowhere', 'x.csv'), ['a'])
    await expect(writer.close()).rejects.toThrow(/nowhere.x\.csv: there is no such folder to write to\./)
  })

  it('leaves what was there as it was until the new file is whole, and for good when it is discarded', async () => {
    const path = join(directory, 'kept.csv')
    await writeFile(path, 'before')
    const writer = createCsvWriter(path, ['a'])
    await writer.write([1])
    expect(await readFile(path, 'utf8')).toBe('before')
    await writer.discard()
    expect(await readFile(path, 'utf8')).toBe('before')
    expect((await readdir(directory)).filter((name) => name.startsWith('kept'))).toEqual(['kept.csv'])
  })
})
