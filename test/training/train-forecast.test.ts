import { describe, expect, it } from 'vitest'
import { loadFeatureNames } from '../../src/features/load-features.ts'
import { LoadForecaster } from '../../src/ml/forecaster.ts'
import { createRandom } from '../../src/ml/random.ts'
import { createForecastRows } from '../../src/learning/forecast-rows.ts'
import { generateWorkload, generateWorkloads } from '../../training/generate-workloads.ts'
import { trainForecast } from '../../training/train-forecast.ts'

describe('generated workloads', () => {
  it('are the same for the same seed, and others for another', () => {
    const [first, again, other] = [1, 1, 2].map(seed => generateWorkloads({ count: 2, seed, steps: 500 }))

    expect(again).toEqual(first)
    expect(other[0].loads).not.toEqual(first[0].loads)
  })

  it('hold loads that could be measured: from 0 up, or nothing', () => {
    for (const { loads } of generateWorkloads({ count: 30, seed: 4, steps: 3000 })) {
      expect(loads.every(load => Number.isNaN(load) || (load >= 0 && load < 1e7))).toBe(true)
      expect(loads.some(load => load > 0)).toBe(true)
    }
  })
})

describe('rows for the forecaster', () => {
  const rows = (capacity: number) => createForecastRows({ stepSeconds: 60, seasonSeconds: 86_400, horizons: [3], unit: 100, capacity, random: createRandom(1) })

  it('pair what was seen with the largest load of the horizon, once it has passed', () => {
    const collected = rows(100)
    ;[100, 100, 100, 100, 100, 300, 200, 100].forEach((load, i) => collected.add((i + 1) * 60_000, load))
    const { y } = collected.set()

    // Rows 1 to 5 have their three steps; quiet is 10: from level 110 the largest of steps 6 to 8 is 310.
    expect(y).toHaveLength(5)
    expect(y[4]).toBeCloseTo(Math.log(310 / 110), 9)
    expect(y[0]).toBeCloseTo(0, 9)
  })

  it('stay as many as asked for, the newest among them', () => {
    const collected = rows(30)
    for (let i = 1; i <= 1000; i++) collected.add(i * 60_000, i)
    const { x, y } = collected.set()

    expect(y).toHaveLength(30)
    // lag0 of the newest row is the smallest: the load 997 over the mean of 993 to 997, plus 10 each
    const lag0 = y.map((_, row) => x[row * loadFeatureNames.length])
    expect(Math.min(...lag0)).toBeCloseTo(Math.log(1007 / 1005), 9)
  })
})

describe('training the shipped forecaster', () => {
  it('beats "as much above the present level as is usual" on services that it never saw', { timeout: 120_000 }, async () => {
    const { bytes, metrics } = await trainForecast({
      traces: generateWorkloads({ count: 20, seed: 7, steps: 4000 }), seed: 1, rows: 4000, forest: { trees: 16, sampleRows: 2000 }, threads: 1
    })

    expect(metrics.pinballLoss).toBeLessThan(0.9 * metrics.naivePinballLoss)
    expect(metrics.coverage99).toBeGreaterThan(0.95)
    expect(LoadForecaster.fromBytes(bytes, 'load/test').features).toEqual(loadFeatureNames)
  })

  it('needs one trace to measure on', async () => {
    const [workload] = generateWorkloads({ count: 1, seed: 1, steps: 500 })

    await expect(trainForecast({ traces: [workload], seed: 1 })).rejects.toThrow(/at least 2 traces/)
  })

  it('survives a service that is silent', () => {
    const silent = generateWorkload('silent', { seed: 1, steps: 500 }).loads.fill(0)
    const collected = createForecastRows({ stepSeconds: 60, seasonSeconds: 86_400, horizons: [3], unit: 100, capacity: 400, random: createRandom(1) })
    silent.forEach((load, i) => collected.add((i + 1) * 60_000, load))
    const forest = { trees: 4, minLeaf: 5, maxFeatures: 20 }
    const model = LoadForecaster.train(collected.set(), { options: { forest, ridgePenalty: 1e-3 }, random: createRandom(1), version: 'x' })

    expect(model.quantiles(new Float64Array(loadFeatureNames.length)).every(value => Math.abs(value) < 1e-6)).toBe(true)
  })
})
