import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigNetwork } from '../../src/ml/config-network.ts'
import { IsolationForest } from '../../src/ml/isolation-forest.ts'
import { LoadForecaster } from '../../src/ml/forecaster.ts'
import { loadConfigModel } from '../../src/policy/suggest.ts'
import { createModelRegistry } from '../../src/store/model-registry.ts'
import { generate } from '../../training/generate.ts'
import { formatReports, type TrainReport } from '../../training/report.ts'
import { train, type TrainOptions } from '../../training/train.ts'

let directory: string
let data: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'prescale-train-'))
  data = join(directory, 'data')
  await generate({ out: data, days: 3, tuningRows: 100, workloads: 5, workloadDays: 2 })
}, 120_000)
afterAll(() => rm(directory, { recursive: true }))

const small: TrainOptions = { rows: 600, trees: 4, epochs: 3, threads: 2 }
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const out = (name: string) => join(directory, name)

async function csv (name: string, content: string): Promise<string> {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}

/** Rows of a trace: `steps` minutes, the load 100 + step. */
const trace = (steps: number, load = (step: number) => String(100 + step)) =>
  'at,requestsPerSecond,cpuUsageRatio\n' + Array.from({ length: steps }, (_, step) => `${step * 60},${load(step)},0.5`).join('\n')

describe('training from a directory of data', () => {
  let reports: TrainReport[]
  beforeAll(async () => { reports = await train({ ...small, data, out: out('models'), now: () => Date.UTC(2026, 0, 31) }) }, 120_000)

  it('makes all three models, each measured on rows kept aside beside a naive baseline', () => {
    expect(reports.map(({ name, version }) => [name, version])).toEqual([['forecast', '1'], ['anomaly', '1'], ['config', '1']])
    expect(reports.map(({ comparisons }) => comparisons.map(({ metric, better }) => `${metric}: ${better}`)))
      .toEqual([['pinballLoss: lower'], ['averagePrecision: higher'], ['meanAbsoluteError: lower']])
    reports.forEach(({ rows, holdOutRows }) => {
      expect(rows).toBeGreaterThan(0)
      expect(holdOutRows).toBeGreaterThan(0)
    })
  })

  it('leaves models that load, with manifests that say how they came about', async () => {
    const registry = createModelRegistry({ directory: out('models') })
    const [forecast, anomaly, config] = await Promise.all(['forecast', 'anomaly', 'config'].map(name => registry.load(name)))
    expect(LoadForecaster.fromBytes(forecast.bytes, '1').features).toEqual(forecast.manifest.features)
    expect(IsolationForest.fromBytes(anomaly.bytes).features).toEqual(anomaly.manifest.features)
    expect(loadConfigModel(config.bytes, '1').network.features).toEqual(config.manifest.features)
    expect(config.manifest).toMatchObject({
      kind: 'config-network', seed: 1, rows: 80, range: null, trainedAt: '2026-01-31T00:00:00.000Z', sha256: sha256(config.bytes), metrics: { holdOutRows: 20 }
    })
    expect(Object.keys(config.manifest.metrics)).toEqual(['meanAbsoluteError', 'naiveMeanAbsoluteError', 'holdOutRows'])
    // Three days from 5 January 2026, 00:00 UTC, of which 60 % are learned from: 43 h 12 min.
    expect(anomaly.manifest.range).toEqual({ from: '2026-01-05T00:00:00.000Z', to: '2026-01-06T19:12:00.000Z' })
  })

  it('gives the same files for the same seed, under the next version', async () => {
    const again = await train({ ...small, data, out: out('models') })
    expect(again.map(({ version }) => version)).toEqual(['2', '2', '2'])
    for (const { name } of again) {
      const [first, second] = await Promise.all(['1', '2'].map(version => readFile(join(out('models'), name, version, 'model.bin'))))
      expect(sha256(second), name).toBe(sha256(first))
    }
  }, 120_000)

  it('gives other files for another seed', async () => {
    await train({ ...small, data, out: out('other'), seed: 2, only: ['config'] })
    const [one, other] = await Promise.all(['models', 'other'].map(models => readFile(join(out(models), 'config', '1', 'model.bin'))))
    expect(sha256(other)).not.toBe(sha256(one))
  })

  it('refuses a version that exists', async () => {
    await expect(train({ ...small, data, out: out('models'), only: ['config'], version: '1' })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('can go on with a shipped network, which keeps Adam\'s state', async () => {
    const { bytes } = await createModelRegistry({ directory: out('models') }).load('config')
    const network = await ConfigNetwork.fromBytes(bytes)
    // 80 rows are 3 batches of at most 32, three times over
    expect(network.content.optimizer?.steps).toBe(9)
    network.dispose()
  })

  it('reports as a table that a person reads', () => {
    const text = formatReports(reports)
    expect(text).toMatch(/^forecast 1: \d+ rows, \d+ kept aside, \d+ KiB, 0\.0 s → .*forecast.1$/m)
    expect(text).toMatch(/^ {2}pinballLoss \(lower is better\) +0\.\d+ +0\.\d+ +usual growth above the present load$/m)
    expect(text).toMatch(/^ {2}meanAbsoluteError \(lower is better\) +0\.\d+ +0\.\d+ +always the middle configuration$/m)
  })
})

describe('training with the engine ml-random-forest', () => {
  it('makes a model under a name of its own, measured beside ours on the same rows', async () => {
    const [report] = await train({ data, out: out('baseline'), only: ['forecast'], engine: 'ml-random-forest', rows: 100, trees: 3 })
    expect(report).toMatchObject({ name: 'forecast-ml-random-forest', comparisons: [{ metric: 'meanAbsoluteError', better: 'lower' }] })
    expect(report.metrics.meanAbsoluteErrorOfOurForest).toBeGreaterThan(0)
    const { manifest } = await createModelRegistry({ directory: out('baseline') }).load('forecast-ml-random-forest')
    expect(manifest.kind).toBe('ml-random-forest')
    await expect(createModelRegistry({ directory: out('baseline') }).load('forecast')).rejects.toMatchObject({ code: 'not-found' })
  }, 120_000)
})

describe('training from one file', () => {
  it('measures a single trace on its own last fifth', async () => {
    const path = await csv('shop.csv', trace(2000, step => (100 + 50 * Math.sin(step / 200) + step % 7).toFixed(2)))
    const reports = await train({ ...small, data: path, out: out('single') })
    expect(reports.map(({ name }) => name)).toEqual(['forecast', 'anomaly'])
    const { manifest } = await createModelRegistry({ directory: out('single') }).load('forecast')
    expect(manifest.range).toEqual({ from: '1970-01-01T00:00:00.000Z', to: '1970-01-02T09:20:00.000Z' }) // 2,000 min
  }, 60_000)

  it.each([
    { problem: 'that does not exist', file: 'absent.csv', content: null, message: /absent\.csv: there is no such file or directory/ },
    { problem: 'with other columns', file: 'odd.csv', content: 'a,b\n1,2\n', message: /odd\.csv:1: the columns a, b are neither a trace .* nor states with best configurations/ },
    { problem: 'with too few rows', file: 'few.csv', content: trace(100), message: /The load forecast needs at least 1440 steps with a load; .*few\.csv has 100/ },
    { problem: 'with a load that is nothing but NaN', file: 'nan.csv', content: trace(2000, () => 'NaN'), only: ['forecast'] as const, message: /forecast cannot be trained from .*nan\.csv: a trace with numbers in the column requestsPerSecond is needed/ },
    { problem: 'of tuning with a missing parameter', file: 'tuning.csv', content: 'cpuUsageRatio,timeoutMs\n0.5,100\n', message: /tuning\.csv:1: the columns memoryUsageRatio, .*retryCount missing; the file has cpuUsageRatio, timeoutMs/ },
    { problem: 'without what the wanted model needs', file: 'shop2.csv', content: trace(2000), only: ['config'] as const, message: /The model config cannot be trained from .*: states with their best configurations are needed/ }
  ])('refuses a file $problem', async ({ file, content, only, message }) => {
    const path = content === null ? join(directory, file) : await csv(file, content)
    await expect(train({ ...small, data: path, out: out('refused'), only })).rejects.toThrow(message)
  })

  it('says what is needed when there is nothing to learn from', async () => {
    const path = await csv('empty.csv', 'at,requestsPerSecond\n0,\n60,\n')
    await expect(train({ ...small, data: path, out: out('refused') })).rejects.toThrow(/nothing to learn from in .*empty\.csv: for forecast .*; for anomaly .*; for config/)
  })

  it('wants exactly one source', async () => {
    await expect(train({ out: out('refused') })).rejects.toThrow('Either data or a Prometheus server is needed')
    await expect(train({ data, prometheus: { url: 'http://localhost', sinceSeconds: 1, queries: {}, until: 0 }, out: out('refused') })).rejects.toThrow('and not both')
  })
})
