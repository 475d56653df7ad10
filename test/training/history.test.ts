import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readHistory, workloadOf } from '../../training/history.ts'

let directory: string
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'prescale-history-')) })
afterAll(() => rm(directory, { recursive: true }))

async function file (content: string): Promise<string> {
  const path = join(directory, 'shop.csv')
  await writeFile(path, content)
  return path
}

describe('readHistory', () => {
  it('takes every column but time and label for a signal, and drops one that is empty throughout', async () => {
    const history = await readHistory(await file('at,cpuUsageRatio,label,diskIoBytesPerSecond,load\n60,0.5,0,,10\n120,,1,,20\n180,0.7,0,NaN,\n'))
    expect(history).toMatchObject({ name: 'shop', stepSeconds: 60, signals: ['cpuUsageRatio', 'load'] })
    expect(Array.from(history.at)).toEqual([60_000, 120_000, 180_000])
    expect(Array.from(history.x)).toEqual([0.5, 10, NaN, 20, 0.7, NaN])
  })

  it('also takes a column timestamp for the time, and the usual distance for the step', async () => {
    const history = await readHistory(await file('timestamp,load\n0,1\n300,1\n600,1\n5100,1\n5400,1\n'))
    expect(history.stepSeconds).toBe(300)
  })

  it.each([
    { problem: 'time that stands still', content: 'at,load\n60,1\n60,2\n', message: /shop\.csv:3: at is 60; it must rise from row to row/ },
    { problem: 'time that is missing', content: 'at,load\n60,1\n,2\n', message: /shop\.csv:3: at is NaN; it must rise/ },
    { problem: 'no time', content: 'load\n1\n2\n', message: /shop\.csv:1: a column at or timestamp is missing; the file has load/ },
    { problem: 'one row', content: 'at,load\n60,1\n', message: /1 rows are too few/ },
    { problem: 'text', content: 'at,load\n60,1\n120,much\n', message: /shop\.csv:3: the column load holds "much"/ }
  ])('refuses $problem', async ({ content, message }) => {
    await expect(readHistory(await file(content))).rejects.toThrow(message)
  })
})

describe('workloadOf', () => {
  it('puts loads on an even grid and leaves gaps empty', async () => {
    const history = await readHistory(await file('at,requestsPerSecond\n600,10\n660,20\n840,50\n900,60\n'))
    expect(workloadOf(history, { seasonSeconds: 86_400, capacity: 100 })).toEqual({
      name: 'shop', stepSeconds: 60, seasonSeconds: 86_400, startAt: 600, capacity: 100, loads: Float64Array.from([10, 20, NaN, NaN, 50, 60])
    })
  })

  it('takes a twentieth of the largest load for an instance where nobody says', async () => {
    const history = await readHistory(await file('at,requestsPerSecond\n0,100\n60,400\n'))
    expect(workloadOf(history, { seasonSeconds: 3600 })?.capacity).toBe(20)
  })

  it('is nothing without a load', async () => {
    expect(workloadOf(await readHistory(await file('at,cpuUsageRatio\n0,1\n60,1\n')), { seasonSeconds: 3600 })).toBeNull()
  })
})
