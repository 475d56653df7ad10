import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { createCluster, obey, passStep } from '../../src/policy/cluster.ts'
import { generateWorkload } from '../../training/generate-workloads.ts'
import { replayRows, type ReplayedStep, type TraceRow } from '../../src/simulation/replay-rows.ts'
import { replay } from '../../training/replay.ts'

const settings = { capacity: 100, target: 0.7, startUpSeconds: 120, max: 200, localRows: 2000, localTrees: 16 }

/** Sixteen days of a service with a daily season, in steps of five minutes played as minutes. */
const rowsOf = (seed: number, steps: number): TraceRow[] => {
  const { loads, startAt } = generateWorkload('trace', { seed, steps })
  return Array.from(loads, (load, i) => ({ at: startAt + 60 * i, load: Number.isFinite(load) ? load : 0, signals: {} }))
}

/** Days between 600 and 2,400 requests/s with 3 % of noise; ten minutes of every hour, from minute 7 on, a job asks for half as much again. */
function shopWithJobs (steps: number): TraceRow[] {
  const random = createRandom(1)
  return Array.from({ length: steps }, (_, i) => {
    const job = i % 60 >= 7 && i % 60 < 17 ? 1.5 : 1
    return { at: 60 * i, load: (1500 - 900 * Math.cos(2 * Math.PI * i / 1440)) * job * (1 + 0.03 * normal(random)), signals: {} }
  })
}

async function collect (rows: readonly TraceRow[], options: Partial<Parameters<typeof replayRows>[1]> = {}): Promise<ReplayedStep[]> {
  const steps: ReplayedStep[] = []
  for await (const step of replayRows(rows, { ...settings, ...options })) steps.push(step)
  return steps
}

/** Violating share of the requests and instances paid for by a cluster that obeyed, from step `from` on. */
function outcome (rows: readonly TraceRow[], steps: readonly ReplayedStep[], from: number) {
  const cluster = createCluster(Math.ceil(rows[0].load / 70), { startUpSeconds: 120, stepSeconds: 60 })
  const sum = { arrived: 0, violating: 0, paid: 0 }
  rows.forEach(({ load }, i) => {
    const { arrived, violating, paid } = passStep(cluster, load / 100, 60)
    obey(cluster, steps[i].replicas)
    if (i < from) return
    sum.arrived += arrived
    sum.violating += violating
    sum.paid += paid
  })
  return { violation: sum.violating / sum.arrived, paid: sum.paid }
}

describe('a replay', () => {
  it('of a prefix is the prefix of the replay: nothing comes from the future', { timeout: 60_000 }, async () => {
    const rows = rowsOf(5, 900)
    const whole = await collect(rows, { trainRows: 300, seasonSeconds: 17_280 })
    const prefix = await collect(rows.slice(0, 620), { trainRows: 300, seasonSeconds: 17_280 })

    expect(prefix).toEqual(whole.slice(0, 620))
    expect(whole.slice(0, 298).every(({ source }) => source === 'reactive')).toBe(true)
    expect(whole.slice(300).every(({ source }) => source === 'forecast')).toBe(true)
  })

  it('forecasts more cheaply than HPA reacts, with fewer violations', { timeout: 120_000 }, async () => {
    const rows = shopWithJobs(4 * 1440)
    const trainRows = 3 * 1440
    const forecast = outcome(rows, await collect(rows, { trainRows }), trainRows)
    const reactive = outcome(rows, await collect(rows), trainRows)

    expect(reactive.violation).toBeGreaterThan(0.01)
    expect(forecast.violation).toBeLessThan(reactive.violation)
    expect(forecast.paid).toBeLessThan(0.95 * reactive.paid)
  })

  it('lasts through rows without a load, holding what it had', async () => {
    const rows = rowsOf(5, 40).map((row, i) => i < 30 ? row : { ...row, load: NaN })
    const steps = await collect(rows)

    expect(steps.slice(30).map(({ source }) => source)).toEqual(Array(10).fill('hold'))
    expect(new Set(steps.slice(29).map(({ replicas }) => replicas)).size).toBe(1)
  })
})

describe('a replay of a file', () => {
  let directory: string
  beforeAll(() => { directory = mkdtempSync(join(tmpdir(), 'replay-')) })
  afterAll(() => { rmSync(directory, { recursive: true }) })
  const file = (name: string, text: string | Uint8Array) => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }

  it('never writes over the trace that it reads, by whatever name', async () => {
    const text = 'at,requestsPerSecond\n0,700\n'
    const trace = file('own.csv', text)
    await expect(replay({ ...settings, trace, out: `${directory}/./own.csv` })).rejects.toThrow('--out is')
    expect(readFileSync(trace, 'utf8')).toBe(text)
  })

  it('says that there is no folder to write to', async () => {
    const trace = file('lost.csv', 'at,requestsPerSecond\n0,700\n')
    await expect(replay({ ...settings, trace, out: join(directory, 'none/out.csv') })).rejects.toThrow('none/out.csv: there is no such folder to write to.')
  })

  it('writes a wish for every row, from a packed file too', async () => {
    const trace = file('trace.csv.gz', gzipSync('at,requestsPerSecond,cpuUsageRatio\n0,700,0.5\n60,,\n120,140,0.1\n'))
    const out = join(directory, 'out.csv')
    await replay({ ...settings, trace, out })

    // 700 / 70; nothing known; 140 / 70 is held at 10 by the scale-down window
    const lines = readFileSync(out, 'utf8').trim().split('\n')
    expect(lines[0]).toBe('at,replicas,source,forecast,reason')
    expect(lines.slice(1).map(line => line.split(',').slice(0, 3).join(' '))).toEqual(['0 10 reactive', '60 10 hold', '120 10 reactive'])
  })

  it('says which column is missing and which cell is no number', async () => {
    const out = join(directory, 'bad.csv')

    await expect(replay({ ...settings, trace: file('a.csv', 'at,load\n0,1\n'), out })).rejects.toThrow(/requestsPerSecond/)
    await expect(replay({ ...settings, trace: file('b.csv', 'at,requestsPerSecond\n0,many\n'), out })).rejects.toThrow(/b\.csv:2.*many/)
  })
})
