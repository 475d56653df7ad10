import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readWorkloads, writeWorkloads } from '../../training/workload-files.ts'

let directory: string
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'prescale-workloads-')) })
afterEach(() => rm(directory, { recursive: true }))

const one = { name: 'one', startAt: 1_700_000_000, stepSeconds: 60, seasonSeconds: 86_400, capacity: 100, loads: Float64Array.from([1.234567, NaN, 300]) }
const two = { name: 'two', startAt: 1_700_006_000, stepSeconds: 60, seasonSeconds: 7200, capacity: 50, loads: Float64Array.from([0, 0.5, 123_456]) }

describe('workload files', () => {
  it('bring back what was written, loads to three digits and gaps as gaps', async () => {
    await writeWorkloads(directory, [one, two])
    expect(await readWorkloads(directory)).toEqual([
      { ...one, loads: Float64Array.from([1.23, NaN, 300]) },
      { ...two, loads: Float64Array.from([0, 0.5, 123_000]) }
    ])
  })

  it('are refused where the index names a workload that has no loads', async () => {
    await writeWorkloads(directory, [one])
    await writeFile(join(directory, 'index.csv'), 'name,startAt,stepSeconds,seasonSeconds,capacity\nother,1,60,3600,100\n')
    await expect(readWorkloads(directory)).rejects.toThrow(/loads\.csv\.gz:1: the column other missing; the file has one/)
  })

  it('are refused where a capacity is not above zero', async () => {
    await writeWorkloads(directory, [{ ...one, capacity: 0 }])
    await expect(readWorkloads(directory)).rejects.toThrow(/index\.csv:2: the column capacity holds 0; a number above 0 is expected/)
  })
})
