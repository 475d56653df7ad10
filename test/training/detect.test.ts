import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { detectFile } from '../../training/detect.ts'
import type { DetectFileOptions } from '../../training/detect.ts'
import { findPeriodRows } from '../../src/features/season.ts'

let directory: string
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'prescale-detect-')) })
afterAll(() => rm(directory, { recursive: true }))

async function detectText (text: string | Buffer, { name = 'data.csv', ...options }: Partial<DetectFileOptions> & { name?: string } = {}) {
  const data = join(directory, name)
  const out = join(directory, 'out.csv')
  await writeFile(data, text)
  await detectFile({ data, out, ...options })
  const [header, ...lines] = (await readFile(out, 'utf8')).trim().split('\n')
  const rows = lines.map(line => {
    const [row, score, threshold, isAnomaly, severity, causes, tailProbability, incident, maintenance, maintenanceProbability, missing, drift] = parse(line)[0]
    const judged = { row: Number(row), score: Number(score), threshold: Number(threshold), isAnomaly, severity, causes }
    return { ...judged, tailProbability, incident, maintenance, maintenanceProbability: Number(maintenanceProbability), missing, drift }
  })
  return { header, rows, text: lines.join('\n') }
}

/** Rows of two noisy signals; row `fault` has an error ratio of 0.4. */
function table (rows: number, { fault = -1, label = () => 0 }: { fault?: number, label?: (row: number) => number } = {}): string {
  const random = createRandom(2)
  const lines = Array.from({ length: rows }, (_, i) =>
    [(50 + normal(random)).toFixed(3), i === fault ? 0.4 : (0.01 + 0.002 * normal(random)).toFixed(4), label(i)].join(','))
  return ['load,errors,label', ...lines].join('\n') + '\n'
}

describe('prescale detect', () => {
  it('writes one line for each row and finds a fault without training rows', async () => {
    const { header, rows } = await detectText(table(600, { fault: 500 }))
    expect(header).toBe('row,score,threshold,isAnomaly,severity,causes,tailProbability,incident,maintenance,maintenanceProbability,missing,drift')
    expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 600 }, (_, i) => i))
    expect(rows[500]).toMatchObject({ isAnomaly: '1', severity: expect.stringMatching(/high|critical|medium/), causes: expect.stringMatching(/^errors 0\.40/) })
    expect(rows[501].isAnomaly).toBe('0')
  })

  it('finds it with training rows, which are not judged themselves', async () => {
    const { rows } = await detectText(table(600, { fault: 500 }), { trainRows: 400 })
    expect(rows.slice(0, 400).every(({ score, isAnomaly }) => score === 0 && isAnomaly === '0')).toBe(true)
    expect(rows[500].score).toBe(Math.max(...rows.map(({ score }) => score).slice(0, 501)))
    expect(rows[500].isAnomaly).toBe('1')
  })

  it.each([undefined, 300])('never looks at the label, and never ahead (%s training rows)', async trainRows => {
    const { rows, text } = await detectText(table(500, { fault: 400 }), { trainRows })
    expect((await detectText(table(500, { fault: 400, label: i => i % 2 }), { trainRows })).text).toBe(text)
    const shorter = await detectText(table(450, { fault: 400 }), { trainRows })
    expect(shorter.rows).toEqual(rows.slice(0, 450))
  })

  it('does not depend on the order of the columns', async () => {
    const turned = table(500, { fault: 400 }).split('\n').map(line => line.split(',').reverse().join(',')).join('\n')
    expect((await detectText(turned, { trainRows: 300 })).text).toBe((await detectText(table(500, { fault: 400 }), { trainRows: 300 })).text)
  })

  it('says what maintenance a row calls for, which signals are missing, and how probable its score is while all is calm', async () => {
    const lines = table(600, { fault: 500 }).split('\n').map((line, i) => i === 541 ? line.replace(/^[^,]+/, '') : line).join('\n')
    const { rows } = await detectText(lines, { trainRows: 400 })
    expect(rows[540]).toMatchObject({ missing: 'load' })
    expect(rows[540].maintenanceProbability).toBeGreaterThanOrEqual(0.25)
    expect(rows[500].maintenance).not.toBe('no_action_needed')
    expect(Number(rows[500].tailProbability)).toBeLessThan(0.001)
    expect(rows.slice(401, 500).filter(({ tailProbability }) => Number(tailProbability) > 0.02).length).toBeGreaterThan(80)
  })

  it('makes one incident of consecutive anomalies, and writes it where it is told to', async () => {
    const incidents = join(directory, 'incidents.csv')
    const faulty = table(900).trim().split('\n').map((line, i) => i > 500 && i <= 530 ? line.replace(/,[^,]+,/, ',0.4,') : line).join('\n')
    const { rows } = await detectText(faulty, { trainRows: 400, incidents })
    const [found, ...others] = parse(await readFile(incidents, 'utf8'), { columns: true }) as Record<string, string>[]
    expect(others).toEqual([])
    // Row 500 ends at 30,060 s: rows count from 0, and steps are of a minute.
    expect(found).toMatchObject({ incident: '500', startedAt: '1970-01-01T08:21:00.000Z', causes: expect.stringMatching(/^errors 0\.40/) })
    expect(Date.parse(found.endedAt)).toBeGreaterThanOrEqual(Date.parse('1970-01-01T08:50:00Z'))
    expect(rows.filter(({ incident }) => incident === '500').length).toBeGreaterThanOrEqual(30)
    expect(rows[499].incident).toBe('')
  })

  it('gives a row that repeats the one before it the same judgement, and learns nothing from it', async () => {
    const [header, ...values] = table(600, { fault: 500 }).trim().split('\n')
    const timed = values.map((line, i) => `${1_700_000_000 + 60 * i},${line}`)
    const write = (lines: string[]) => [`at,${header}`, ...lines].join('\n')
    const once = await detectText(write(timed), { trainRows: 300 })
    const twice = await detectText(write(timed.flatMap(line => [line, line])), { trainRows: 600 })
    const judgements = ({ rows }: typeof once) => rows.map(({ score, isAnomaly }) => [score, isAnomaly])
    expect(judgements(twice).filter((_, i) => i % 2 === 1)).toEqual(judgements(once))
    expect(judgements(twice).filter((_, i) => i % 2 === 0)).toEqual(judgements(once))
  })

  it('takes an infinite value for one that was not measured', async () => {
    const infinite = (cell: string) => detectText(table(300).split('\n').map((line, i) => i === 250 ? line.replace(/^[^,]+/, cell) : line).join('\n'))
    const missing = await infinite('')
    expect(missing.rows[249].missing).toBe('load')
    for (const cell of ['inf', '-Infinity', '1e999']) expect((await infinite(cell)).text).toBe(missing.text)
  })

  it('reads gzip', async () => {
    expect((await detectText(gzipSync(table(50)), { name: 'data.csv.gz' })).rows.length).toBe(50)
  })

  it('takes one training row for none: it says nothing of what is normal', async () => {
    expect((await detectText(table(600, { fault: 500 }), { trainRows: 1 })).text).toBe((await detectText(table(600, { fault: 500 }))).text)
  })

  it('lives with constant columns, empty columns, blank cells and text columns', async () => {
    const lines = table(400).trim().split('\n').map((line, i) => i === 0 ? `${line},constant,empty,host,gappy` : `${line},7,,web-1,${i % 3 === 0 ? '' : i % 5}`)
    for (const trainRows of [0, 200]) {
      const { rows } = await detectText(lines.join('\n'), { trainRows })
      expect(rows.length).toBe(400)
      expect(rows.every(({ score }) => score >= 0 && score <= 1)).toBe(true)
    }
  })

  it('keeps to what it has seen of late without training rows, and goes by a standard of its own where it is told to study them', async () => {
    // From row 6,000 on the load lies three deviations higher: no row is rare for long, but they do not end.
    const lines = table(6100).trim().split('\n').map((line, i) => i > 6000 ? line.replace(/^[^,]+/, load => String(Number(load) + 3)) : line).join('\n')
    const flagged = async (studies: boolean) => (await detectText(lines, { studies })).rows.slice(6030).filter(({ isAnomaly }) => isAnomaly === '1').length
    expect(await flagged(false)).toBeLessThanOrEqual(1)
    expect(await flagged(true)).toBeGreaterThan(40)
  })

  it('finds a jump after training rows that were all the same', async () => {
    const { rows } = await detectText(['value', ...Array(200).fill('5'), ...Array(20).fill('5'), '6'].join('\n'), { trainRows: 200 })
    expect(rows.slice(200, 220).every(({ isAnomaly }) => isAnomaly === '0')).toBe(true)
    expect(rows[220]).toMatchObject({ isAnomaly: '1', causes: expect.stringContaining('value 6') })
  })

  it('takes times as epoch seconds or in words, twice the same and with gaps', async () => {
    const values = table(300).trim().split('\n').slice(1)
    const epoch = values.map((line, i) => `${1_700_000_000 + 60 * (i - (i % 50 === 1 ? 1 : 0)) + (i > 200 ? 7200 : 0)},${line}`)
    const words = epoch.map(line => line.replace(/^\d+/, seconds => new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')))
    const fromEpoch = await detectText(['at,load,errors,label', ...epoch].join('\n'))
    expect((await detectText(['timestamp,load,errors,label', ...words].join('\n'))).text).toBe(fromEpoch.text)
    expect(fromEpoch.rows.length).toBe(300)
  })

  it.each([
    ['a time that is none', 'at,a\nyesterday,1\n', 'data.csv:2: the time is "yesterday"'],
    ['no column of numbers', 'at,label,host\n1,0,web\n', 'there is no column of numbers among at, label, host'],
    ['a column of numbers with a word in it', `a,b\n${'1,2\n'.repeat(20)}1,oops\n`, 'data.csv:22: the column b holds "oops"'],
    ['a second header further down', `a,b\n${'1,2\n'.repeat(20)}a,b\n`, 'data.csv:22: the column a holds "a"'],
    ['semicolons', 'at;a\n1;2\n', 'columns are separated by ";"; commas are expected'],
    ['an empty file', '', 'the file is empty'],
    ['text far down', `a\n${'1\n'.repeat(1500)}x\n`, 'data.csv:1502: the column a holds "x"']
  ])('refuses %s with a sentence', async (_, text, sentence) => {
    await expect(detectText(text)).rejects.toThrow(sentence)
  })

  it('refuses training rows that leave none to judge', async () => {
    await expect(detectText(table(300), { trainRows: 300 })).rejects.toThrow('the file has 300 rows, and all of 300 shall be training rows: none is left to judge')
  })

  it('refuses 10,000 columns and says how many it takes', async () => {
    const text = `${Array.from({ length: 10_000 }, (_, i) => `c${i}`).join(',')}\n${Array(10_000).fill('1').join(',')}\n`
    await expect(detectText(text)).rejects.toThrow('10000 columns of numbers, at most 1000 are looked at')
  })

  it('has no trouble with a column named __proto__', async () => {
    expect((await detectText(table(200).replace('load', '__proto__'))).rows.length).toBe(200)
  })
})

describe('The season of training rows', () => {
  const random = createRandom(4)
  const waves = (period: number, rows: number) => Float64Array.from({ length: 2 * rows }, (_, i) =>
    i % 2 === 0 ? Math.sin(2 * Math.PI * Math.floor(i / 2) / period) + 0.3 * normal(random) : normal(random))

  it.each([[96, 1000], [288, 2000], [1440, 10_000]])('of %i rows is found in %i rows, one of two signals being noise', (period, rows) => {
    const found = findPeriodRows(waves(period, rows), 2)
    expect(found).toBeGreaterThanOrEqual(period * 0.988)
    expect(found).toBeLessThanOrEqual(period * 1.012)
  })

  it('is not found in noise, in constants, in too few rows, in nothing', () => {
    expect(findPeriodRows(Float64Array.from({ length: 4000 }, () => normal(random)), 2)).toBeNull()
    expect(findPeriodRows(new Float64Array(2000).fill(3), 2)).toBeNull()
    expect(findPeriodRows(waves(288, 500), 2)).toBeNull()
    expect(findPeriodRows(new Float64Array(400).fill(NaN), 2)).toBeNull()
  })
})
