import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/ml/random.ts'
import { createParameterSpace } from '../../src/tuning/parameters.ts'
import { presetDeclared } from '../../src/tuning/preset.ts'
import { drawCandidates, jumpShares, type Region } from '../../src/tuning/trust-region.ts'

const region = (more: Partial<Region> = {}): Region =>
  ({ center: [0.5, 0.5, 0.5], radius: 0.05, others: [], defaults: [0.5, 0.5, 0.5], jumps: [0, 0, 0], ...more })
const largest = (candidates: readonly number[][], center: readonly number[]) =>
  Math.max(...candidates.map(candidate => Math.max(...candidate.map((value, i) => Math.abs(value - center[i])))))

describe('candidates', () => {
  it('lie within the unit cube around the centre, the wider the region the farther', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 1e6 }), fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }), (seed, center) => {
      const candidates = drawCandidates(region({ center, defaults: center }), 50, createRandom(seed))
      expect(candidates.flat().every(value => value >= 0 && value <= 1)).toBe(true)
      // Steps of one coordinate are 1.5 × 0.05; five deviations.
      expect(largest(candidates, center)).toBeLessThan(5 * 1.5 * 0.05)
    }))
    const wide = drawCandidates(region({ radius: 0.2 }), 200, createRandom(1))
    expect(largest(wide, [0.5, 0.5, 0.5])).toBeGreaterThan(largest(drawCandidates(region(), 200, createRandom(1)), [0.5, 0.5, 0.5]))
  })

  it('jump only in coordinates that may jump', () => {
    const candidates = drawCandidates(region({ jumps: [1, 0, 0] }), 400, createRandom(2))
    expect(largest(candidates.map(([x]) => [x]), [0.5])).toBeGreaterThan(0.4)
    expect(largest(candidates.map(([, y, z]) => [y, z]), [0.5, 0.5])).toBeLessThan(0.4)
  })

  it('cross the centre with the defaults and with what did well', () => {
    const candidates = drawCandidates(region({ radius: 1e-9, others: [[1, 1, 1]], defaults: [0, 0, 0] }), 300, createRandom(3))
    const rounded = new Set(candidates.map(candidate => candidate.map(value => Number(value.toFixed(3))).join()))
    expect([...rounded].some(text => text.includes('1') && text.includes('0.5'))).toBe(true)
    expect([...rounded].some(text => /(^|,)0(,|$)/.test(text))).toBe(true)
  })

  it('move about four of fifty coordinates', () => {
    const center = Array.from({ length: 50 }, () => 0.5)
    const candidates = drawCandidates({ center, radius: 0.1, others: [], defaults: center, jumps: center.map(() => 0) }, 400, createRandom(4))
    const moved = candidates.map(candidate => candidate.filter(value => value !== 0.5).length).filter(count => count > 1)
    const mean = moved.reduce((sum, count) => sum + count, 0) / moved.length
    expect(mean).toBeGreaterThan(3)
    expect(mean).toBeLessThan(6)
  })
})

it('timeouts and parameters without a role jump often, those that carry the load hardly ever', () => {
  const [threads, , timeout] = jumpShares(createParameterSpace(presetDeclared))
  expect(timeout).toBeGreaterThan(5 * threads)
  expect(jumpShares(createParameterSpace([{ name: 'codec', kind: 'choice', choices: ['a', 'b', 'c'], default: 'a' }]))).toEqual([timeout, timeout, timeout])
})
