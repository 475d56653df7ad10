import { describe, expect, it } from 'vitest'
import { advance, deviationKinds } from '../../src/features/anomaly-features.ts'
import type { AdvanceOptions } from '../../src/features/anomaly-features.ts'
import { rowFeatureNames, rowFeatures } from '../../src/features/row-features.ts'
import { emptyMemory, expectedRange, field, fields, slotsFor, widenMemory } from '../../src/features/signal-memory.ts'

const plain: AdvanceOptions = { position: NaN, elapsedSteps: 1, learning: 'bounded' }
const steady = Array.from({ length: 200 }, (_, i) => 10 + (i % 2 === 0 ? 1 : -1))

function run (values: readonly number[], options: (i: number) => Partial<AdvanceOptions> = () => ({})) {
  let memory = widenMemory(emptyMemory(), ['a'])
  let deviations: Float64Array = new Float64Array(0)
  for (const [i, value] of values.entries()) ({ memory, deviations } = advance(memory, Float64Array.of(value), { ...plain, ...options(i) }))
  return { memory, deviations: Object.fromEntries(deviationKinds.map((kind, k) => [kind, deviations[k]])) }
}

describe('Deviations', () => {
  it('measure the level in standard deviations from the mean', () => {
    // Mean 10, deviation 1: 14 is four of them.
    expect(run([...steady, 14]).deviations.level).toBeCloseTo(4, 1)
  })

  it('measure a step in usual steps', () => {
    // Steps are ±2; from 9 to 19 are five of them.
    expect(run([...steady, 19]).deviations.step).toBeCloseTo(5, 1)
  })

  it('measure against the same time of the last seasons, which the level cannot see', () => {
    // A day of 48 steps, high by day and low by night, with a little noise; then a value by night that is usual by day.
    const season = (i: number) => (i % 48 < 24 ? 100 : 0) + (i * 7919 % 13) / 13
    const position = (i: number) => ({ position: (i % 48) / 48 })
    const { deviations } = run([...Array.from({ length: 480 + 36 }, (_, i) => season(i)), 100], position)
    expect(deviations.season).toBeGreaterThan(10)
    expect(Math.abs(deviations.level)).toBeLessThan(2)
  })

  it('are bounded for values of any size and 0 for a signal that never moves', () => {
    expect(run([...steady, 1e300]).deviations).toMatchObject({ level: 100, residual: 100, step: 100 })
    expect(Object.values(run(Array(100).fill(5)).deviations)).toEqual([0, 0, 0, 0, 0])
  })

  it('forget a single blip of a constant signal within the twenty steps of the recent mean, not in hundreds', () => {
    const { deviations } = run([...Array(100).fill(0), 1, ...Array(200).fill(0)])
    expect(Math.abs(deviations.residual)).toBeLessThan(0.5)
  })

  it('do not echo one value that is more than a hundred deviations away, nor hide behind it what comes later', () => {
    const { memory, deviations } = run([...steady, 1e12, ...steady, 20])
    expect(memory.values[field.recent]).toBeLessThan(15)
    // A thousandth of at most a thousand deviations is one more of them: 20 is (20 − 10) / (1 + 1) away.
    expect(memory.values[field.farthest]).toBeLessThan(1100)
    expect(deviations.level).toBeCloseTo(5, 0)
  })

  it('take the second of such values for a new level', () => {
    expect(run([...steady, 1000, 1000]).memory.values[field.recent]).toBeGreaterThan(50)
  })

  it('learn the scale of a signal of which little is known where only signals that joined are learned, and no other', () => {
    const joined = (count: number) => run([...steady, ...steady.map(value => value + 2)], i => i < count ? {} : { learning: 'joined' }).memory.values[field.mean]
    // 200 values of 10 and 200 of 12 are 11 in the mean.
    expect(joined(200)).toBeCloseTo(11, 1)
    const known = run([...Array(5).fill(steady).flat(), ...steady.map(value => value + 2)], i => i < 1000 ? {} : { learning: 'joined' })
    expect(known.memory.values[field.mean]).toBeCloseTo(10, 1)
  })

  it('are 0 for a missing signal, and its return is no step', () => {
    expect(Object.values(run([...steady, NaN]).deviations)).toEqual([0, 0, 0, 0, 0])
    expect(run([...steady, NaN, 14]).deviations.step).toBe(0)
  })

  it('learn little from a value that is far out: at most three deviations', () => {
    const { memory } = run([...steady, 1e6])
    // 200 values with mean 10: the mean moves by 3/201.
    expect(memory.values[field.mean]).toBeCloseTo(10 + 3 / 201, 2)
  })

  it('learn nothing but the recent values where learning is off', () => {
    const { memory } = run([...steady, 50, 50, 50], i => i < steady.length ? {} : { learning: 'none' })
    expect(memory.values[field.mean]).toBeCloseTo(10, 1)
    expect(memory.values[field.recent]).toBeGreaterThan(14)
  })

  it('leave the memory that they were given as it was', () => {
    const { memory } = run(steady)
    const before = structuredClone(memory)
    advance(memory, Float64Array.of(99), { ...plain, position: 0.3 })
    expect(memory).toEqual(before)
  })
})

describe('Memory', () => {
  it('keeps what it knows when a signal joins, whatever its place in the alphabet', () => {
    const { memory } = run(steady)
    const wider = widenMemory(memory, ['0first', 'b'])
    expect(wider.signals).toEqual(['0first', 'a', 'b'])
    expect(wider.values.slice(fields, 2 * fields)).toEqual(memory.values)
    expect(wider.values[2 * fields + field.count]).toBe(0)
  })

  it.each([[1, 288], [10, 288], [38, 72], [128, 12]])('has for %i signals %i slots of a season: at most 12 KiB', (signals, slots) => {
    expect(slotsFor(signals)).toBe(slots)
    expect(signals * slots * 4).toBeLessThanOrEqual(12 * 1024)
  })

  it('knows the range in which a signal normally lies, and never more than was seen', () => {
    // Mean 10, deviation 1, but nothing outside of 9 to 11 was ever seen.
    const { low, high } = expectedRange(run(steady).memory, 0, NaN)
    expect([low, high]).toEqual([9, 11])
  })
})

describe('Row features', () => {
  it('are root mean square and largest size of each kind, whatever the number of signals', () => {
    const deviations = new Float64Array(deviationKinds.length * 2)
    deviations.set([3, -4])
    const row = rowFeatures(deviations, 2)
    // √((9 + 16) / 2) = 3.5355
    const named = Object.fromEntries(rowFeatureNames.map((name, i) => [name, row[i]]))
    expect(named).toMatchObject({ levelRootMeanSquare: Math.sqrt(12.5), levelLargest: 4, stepLargest: 0 })
    expect(rowFeatures(new Float64Array(0), 0)).toEqual(new Float64Array(rowFeatureNames.length))
  })
})
