import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tuningSignals } from '../../src/features/tuning-features.ts'
import { createRandom } from '../../src/ml/random.ts'
import { presetParameters, toScale } from '../../src/policy/parameters.ts'
import { readConfigRows, trainConfig } from '../../training/train-config.ts'

let directory: string
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'prescale-train-config-')) })
afterAll(() => rm(directory, { recursive: true }))

const header = [...tuningSignals, ...presetParameters.map(({ name }) => name)].join(',')
const state = '0.5,0.4,1e6,1e6,1e6,100,0.01,0.05,2,10'
async function file (...lines: string[]): Promise<string> {
  const path = join(directory, 'tuning.csv')
  await writeFile(path, [header, ...lines].join('\n'))
  return path
}

describe('readConfigRows', () => {
  it('normalises states and puts configurations on their scales', async () => {
    const { x, y } = await readConfigRows(await file(`${state},64,256,1000,4,3`, state.replace('0.5', '') + ',4,32,20,1,0'))
    expect(x).toHaveLength(20)
    expect([x[0], x[10]]).toEqual([0.5, NaN])
    expect(Array.from(y.slice(0, 5))).toEqual(presetParameters.map(parameter => toScale(parameter, parameter.byDefault)))
    expect(Array.from(y.slice(5))).toEqual([0, 0, 0, 0, 0])
  })

  it.each([
    { problem: 'a value out of bounds', row: `${state},64,256,10,4,3`, message: /tuning\.csv:2: timeoutMs is 10, expected 20 to 5000/ },
    { problem: 'a missing parameter', row: `${state},64,256,,4,3`, message: /tuning\.csv:2: timeoutMs is NaN, expected 20 to 5000/ },
    { problem: 'text', row: `${state},64,256,soon,4,3`, message: /tuning\.csv:2: the column timeoutMs holds "soon"/ }
  ])('refuses $problem with file and line', async ({ row, message }) => {
    await expect(readConfigRows(await file(row))).rejects.toThrow(message)
  })
})

describe('trainConfig', () => {
  const random = createRandom(3)
  const rows = 200
  const x = Float64Array.from({ length: rows * 10 }, random)
  // The best place of every parameter is the first signal.
  const y = Float64Array.from({ length: rows * 5 }, (_, i) => x[Math.floor(i / 5) * 10])

  it('beats the middle configuration on rows that it never saw', async () => {
    const { metrics } = await trainConfig({ rows: { x, y }, seed: 1, epochs: 40 })
    expect(metrics).toMatchObject({ rows: 160, holdOutRows: 40 })
    expect(metrics.naiveMeanAbsoluteError).toBeCloseTo(0.25, 1) // of evenly spread values around their middle
    expect(metrics.meanAbsoluteError).toBeLessThan(metrics.naiveMeanAbsoluteError / 2)
  })

  it('learns from rows with gaps', async () => {
    const gappy = x.map((value, i) => i % 7 === 3 ? NaN : value)
    const { metrics } = await trainConfig({ rows: { x: gappy, y }, seed: 1, epochs: 2 })
    expect(metrics.meanAbsoluteError).toBeGreaterThan(0)
    expect(metrics.meanAbsoluteError).toBeLessThan(1)
  })

  it('refuses too few rows, and a signal that is nothing but gaps', async () => {
    await expect(trainConfig({ rows: { x: x.slice(0, 100), y: y.slice(0, 50) }, seed: 1 })).rejects.toThrow('needs at least 100 rows, there are 10')
    const without = x.map((value, i) => i % 10 === 8 ? NaN : value)
    await expect(trainConfig({ rows: { x: without, y }, seed: 1 })).rejects.toThrow('The column queueLength holds no number')
  })
})
