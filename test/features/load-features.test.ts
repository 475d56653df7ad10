import { describe, expect, it } from 'vitest'
import { loadFeatureNames, loadFeatures } from '../../src/features/load-features.ts'
import { createWindow, pushLoad } from '../../src/features/window.ts'

const minute = 60_000

/** The features after these loads, the last of them at `lastMinute`; NaN is a gap. */
function featuresOf (loads: readonly number[], { lastMinute = loads.length, unit = 100 }: { lastMinute?: number, unit?: number | null } = {}) {
  const window = { ...createWindow({ stepSeconds: 60, seasonSeconds: 3600 }) }
  loads.forEach((load, i) => {
    if (load >= 0) pushLoad(window, (lastMinute - loads.length + 1 + i) * minute, load)
  })
  const { x, level, quiet } = loadFeatures(window, { horizonSteps: 3, unit })
  return { level, quiet, all: x, named: Object.fromEntries(loadFeatureNames.map((name, i) => [name, x[i]])) }
}

describe('load features', () => {
  it('are ratios: the same for a service ten times as large', () => {
    const loads = Array.from({ length: 300 }, (_, i) => 500 + 300 * Math.sin(i / 9))
    const small = featuresOf(loads).all
    const large = featuresOf(loads.map(load => 10 * load), { unit: 1000 }).all

    large.forEach((value, i) => expect(value).toBeCloseTo(small[i], 2))
  })

  it('refer to the mean of the last five steps plus what counts as quiet', () => {
    // quiet is a tenth of one instance's 100; level (1+2+3+4+5) × 100 / 5 + 10
    const { level, quiet, named } = featuresOf([100, 200, 300, 400, 500])

    expect([level, quiet]).toEqual([310, 10])
    expect(named.lag0).toBeCloseTo(Math.log(510 / 310), 9)
    expect(named.lag4).toBeCloseTo(Math.log(110 / 310), 9)
    expect(named.largest5).toBeCloseTo(named.lag0, 9)
    expect(named.knownSteps).toBe(5)
  })

  it('know what came at this time one season ago', () => {
    // A season is 60 steps here; a peak at its steps 10 to 12.
    const loads = Array.from({ length: 120 + 9 }, (_, i) => i % 60 >= 9 && i % 60 < 12 ? 900 : 100)
    const { named } = featuresOf(loads)

    // (900 + 10) / (100 + 10)
    expect(named.ahead1SeasonsAgo).toBeCloseTo(Math.log(910 / 110), 2)
    expect(named.level1SeasonsAgo).toBeCloseTo(0, 2)
    expect(named.growth2SeasonsAgo).toBeCloseTo(Math.log(910 / 110), 2)
    expect(named.ahead3SeasonsAgo).toBe(0)
  })

  it('tell the place in the season', () => {
    const { named } = featuresOf([100], { lastMinute: 60 * 24 + 15 })

    expect(named.seasonPhase).toBeCloseTo(0.25, 9)
    expect(named.seasonSine).toBeCloseTo(1, 9)
    expect(named.seasonOfSeven).toBe(24 % 7)
  })

  it.each([
    { name: 'one load', loads: [700] },
    { name: 'silence', loads: [0, 0, 0, 0] },
    { name: 'gaps', loads: [100, NaN, NaN, 300, NaN, 200] },
    { name: 'a jump of a million', loads: [1, 1, 1, 1e6] }
  ])('are finite for $name', ({ loads }) => {
    for (const unit of [100, null]) expect(featuresOf(loads, { unit }).all.every(Number.isFinite)).toBe(true)
  })

  it('fill a gap with the load before it', () => {
    const { named } = featuresOf([100, NaN, 300])

    expect(named.lag1).toBeCloseTo(named.lag2, 12)
  })
})
