import { describe, expect, it } from 'vitest'
import { addToAdwin, emptyAdwin, type Adwin, type MeanChange } from '../../src/ml/adwin.ts'
import { createRandom, normal } from '../../src/ml/random.ts'

describe('ADWIN', () => {
  function run (values: readonly number[]): { adwin: Adwin, changes: (MeanChange & { at: number })[] } {
    let adwin = emptyAdwin
    const changes: (MeanChange & { at: number })[] = []
    for (const [at, value] of values.entries()) {
      const next = addToAdwin(adwin, value)
      adwin = next.adwin
      if (next.change) changes.push({ at, ...next.change })
    }
    return { adwin, changes }
  }
  const noise = (count: number, mean: number, seed: number) => {
    const random = createRandom(seed)
    return Array.from({ length: count }, () => mean + 0.1 * normal(random))
  }

  it('sees a change of the mean soon, and what it was', () => {
    const { changes } = run([...noise(2000, 0.2, 1), ...noise(500, 0.5, 2)])
    expect(changes[0].at).toBeGreaterThanOrEqual(2000)
    expect(changes[0].at).toBeLessThan(2100)
    expect(changes[0].before).toBeCloseTo(0.2, 1)
    expect(changes[0].after).toBeCloseTo(0.5, 0)
  })

  it('sees nothing in 20,000 values of noise, nor in a constant', () => {
    expect(run(noise(20_000, 0.2, 3)).changes).toEqual([])
    expect(run(Array(1000).fill(0.3)).changes).toEqual([])
  })

  it('keeps the sum of its window in few buckets', () => {
    const { adwin } = run(noise(20_000, 0.2, 3))
    expect(adwin.buckets.reduce((sum, { size }) => sum + size, 0)).toBe(20_000)
    expect(adwin.buckets.length).toBeLessThanOrEqual(45)
  })
})
