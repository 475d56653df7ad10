import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../../src/ml/random.ts'
import { demoShopHeader, demoShopRows } from '../../training/demo-shop.ts'
import { generate } from '../../training/generate.ts'
import { readConfigRows } from '../../training/train-config.ts'
import { readWorkloads } from '../../training/workload-files.ts'

let directory: string
beforeAll(async () => { directory = await mkdtemp(join(tmpdir(), 'prescale-generate-')) })
afterAll(() => rm(directory, { recursive: true }))
const small = { days: 1, tuningRows: 5, workloads: 2, workloadDays: 1 }
const files = ['demo-shop.csv', 'demo-shop-anomalies.csv', 'tuning.csv', 'workloads/index.csv', 'workloads/loads.csv.gz']

describe('the generator of data', () => {
  it('writes the same bytes for the same seed, and others for another', async () => {
    const [one, same, other] = await Promise.all([1, 1, 2].map(async (seed, i) => {
      const out = join(directory, String(i))
      await generate({ ...small, out, seed })
      return Promise.all(files.map(file => readFile(join(out, file))))
    }))
    expect(same).toEqual(one)
    // When anomalies happen does not depend on the seed.
    files.forEach((file, i) => expect(other[i].equals(one[i]), file).toBe(file === 'demo-shop-anomalies.csv'))
  })

  it('made the trace that is in data/', async () => {
    const lines = (await readFile('data/demo-shop.csv', 'utf8')).trimEnd().split('\n')
    expect(lines[0]).toBe(demoShopHeader.join(','))
    expect(lines.slice(1)).toEqual(Array.from(demoShopRows(createRandom(1)), row => row.join(',')))
  })
})

describe('data/', () => {
  it('holds 40 workloads of ten days, and 3,000 states with configurations within bounds', async () => {
    const workloads = await readWorkloads('data/workloads')
    expect(workloads).toHaveLength(40)
    workloads.forEach(({ loads }) => expect(loads).toHaveLength(14_400))
    expect((await readConfigRows('data/tuning.csv')).y).toHaveLength(3000 * 5)
  })

  it('says in its README how each file was made', async () => {
    const readme = await readFile('data/README.md', 'utf8')
    for (const name of await readdir('data')) if (name !== 'README.md') expect(readme).toContain(name)
  })
})
