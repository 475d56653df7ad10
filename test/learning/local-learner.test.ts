import { describe, expect, it } from 'vitest'
import { createLocalLearner } from '../../src/learning/local-learner.ts'
import { createPastLoads } from '../../src/learning/past-loads.ts'
import { loadFeatureNames } from '../../src/features/load-features.ts'
import type { LoadForecaster } from '../../src/ml/forecaster.ts'
import { createRandom } from '../../src/ml/random.ts'
import { emptyState, evaluate } from '../../src/pipeline.ts'
import { minute, noModels, policy, sampleAt } from '../support/scaling.ts'

/** Waves of 288 steps: five a day. */
function waves (steps: number): number[] {
  const random = createRandom(6)
  return Array.from({ length: steps }, (_, step) => 1000 + 500 * Math.sin(2 * Math.PI * step / 288) + 30 * random())
}

function learned (loads: readonly number[], trainRows: number): LoadForecaster[] {
  const learner = createLocalLearner({ policy, capacity: 100, trainRows, localRows: 300, localTrees: 2 })
  return loads.map((load, step) => learner.learn((step + 1) * minute, load)).filter(model => model !== null)
}

describe('a model that is learned as the loads pass', () => {
  it('finds that the season is not a day', () => {
    const [model] = learned(waves(1500), 1500)

    expect(model.seasonSeconds).toBe(86_400 / 5)
    expect(model.version).toBe('local/1')
  })

  it('keeps to the settings where it has seen too little to know better', () => {
    expect(learned(waves(500), 500)[0].seasonSeconds).toBe(86_400)
  })

  it('is learned again when 7 % more has passed, and never where that is not asked for', () => {
    // At 500, 535, 573, 614.
    expect(learned(waves(614), 500).map(({ version }) => version)).toEqual(['local/1', 'local/2', 'local/3', 'local/4'])
    expect(learned(waves(600), 0)).toEqual([])
  })

  it('is asked in its own season', () => {
    const asked: Float64Array[] = []
    const forecaster = (seasonSeconds: number | undefined) => ({
      version: 'x/1',
      features: [],
      importance: new Float64Array(0),
      mostImportant: [],
      seasonSeconds,
      quantiles: (x: Float64Array) => { asked.push(x); return new Float64Array(24) }
    }) as unknown as LoadForecaster
    // 100, and 300 in the 286th step before the newest one: two steps after this time one season of 288 steps ago.
    let state = emptyState()
    for (let step = 1; step <= 400; step++) {
      state = evaluate(state, sampleAt(step, { requestsPerSecond: step === 115 ? 300 : 100 }), noModels, policy).state
    }
    for (const seasonSeconds of [undefined, 86_400, 86_400 / 5]) {
      evaluate(state, sampleAt(401, { requestsPerSecond: 100 }), { ...noModels, forecast: forecaster(seasonSeconds) }, policy)
    }

    const ahead = asked.map(x => x[loadFeatureNames.indexOf('ahead1SeasonsAgo')])
    // A day ago nothing was known; 288 steps ago ln((300 + 10) / (100 + 10)).
    expect(ahead).toEqual([0, 0, expect.closeTo(Math.log(310 / 110), 2)])
  })
})

describe('loads that have passed', () => {
  it('are given back with their times, and as a grid with gaps', () => {
    const past = createPastLoads(minute)
    for (const [at, load] of [[1, 10], [2, 20], [5, 50]]) past.add(at * minute, load)
    const all: number[][] = []
    past.forEach((at, load) => all.push([at / minute, load]))

    expect(all).toEqual([[1, 10], [2, 20], [5, 50]])
    expect(Array.from(past.newest(100))).toEqual([10, 20, NaN, NaN, 50])
    expect(Array.from(past.newest(2))).toEqual([NaN, 50])
  })

  it('are nothing at first, and as many as came', () => {
    const past = createPastLoads(minute)
    expect(past.newest(5)).toHaveLength(0)

    for (let i = 0; i < 10_000; i++) past.add(i * minute, i)
    expect(past.newest(20_000)).toEqual(Float64Array.from({ length: 10_000 }, (_, i) => i))
  })
})
