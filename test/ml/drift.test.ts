import { describe, expect, it } from 'vitest'
import { countDrift, driftFrom, emptyDrift, populationStabilityIndex } from '../../src/ml/drift.ts'
import type { DriftWindows } from '../../src/ml/drift.ts'
import { createRandom, normal } from '../../src/ml/random.ts'

const windowSteps = 500

function run (windows: number, values: (random: () => number) => number[], { from = emptyDrift(1), seed = 1 } = {}): DriftWindows {
  const random = createRandom(seed)
  let state = from
  for (let step = 0; step < windows * windowSteps; step++) state = countDrift(state, Float64Array.from(values(random)), windowSteps)
  return state
}

describe('The population stability index', () => {
  it('is the sum of (actual − expected) ln(actual / expected)', () => {
    // (0.25 − 0.5) ln 0.5 + (0.75 − 0.5) ln 1.5 = 0.173 + 0.101
    expect(populationStabilityIndex([0.5, 0.5], [0.25, 0.75])).toBeCloseTo(0.2747, 4)
    expect(populationStabilityIndex([0.25, 0.75], [0.5, 0.5])).toBeCloseTo(0.2747, 4)
  })

  it('is 0 for equal shares and finite for shares of nothing', () => {
    expect(populationStabilityIndex([0.2, 0.8], [0.2, 0.8])).toBe(0)
    expect(populationStabilityIndex([1, 0], [0, 1])).toBeGreaterThan(5)
    expect(populationStabilityIndex([1, 0], [0, 1])).toBeLessThan(20)
  })
})

describe('Drift', () => {
  it('is 0 until two windows are whole', () => {
    expect(run(1, random => [normal(random)]).index[0]).toBe(0)
  })

  it('stays far below what counts as much where nothing moves', () => {
    expect(run(6, random => [normal(random)]).index[0]).toBeLessThan(driftFrom / 3)
  })

  it('is much where the mean moves by one deviation, and nothing again when that has become usual', () => {
    const before = run(4, random => [normal(random)])
    const moved = run(1, random => [1 + normal(random)], { from: before, seed: 2 })
    expect(moved.index[0]).toBeGreaterThan(driftFrom)
    expect(run(10, random => [1 + normal(random)], { from: moved, seed: 3 }).index[0]).toBeLessThan(driftFrom)
  })

  it('is measured per row, and not where a row holds nothing', () => {
    const before = run(3, random => [normal(random), NaN], { from: emptyDrift(2) })
    const { index } = run(1, random => [3 + normal(random), NaN], { from: before })
    expect(index[0]).toBeGreaterThan(driftFrom)
    expect(index[1]).toBe(0)
  })

  it('starts anew when rows are added, and leaves what it was given as it was', () => {
    const before = run(3, random => [normal(random)])
    const copy = structuredClone(before)
    const next = countDrift(before, Float64Array.of(0, 0), windowSteps)
    expect(next.index).toHaveLength(2)
    expect(next.count).toBe(1)
    expect(before).toEqual(copy)
  })
})
