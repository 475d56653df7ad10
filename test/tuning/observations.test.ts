import { describe, expect, it } from 'vitest'
import { contextCoordinates, contextOf, sameWork, updateMagnitudes } from '../../src/tuning/context.ts'
import { countNearby, insert, localCorrection, recentUnits, windowSize, type Observation } from '../../src/tuning/observations.ts'

const observation = (at: number, more: Partial<Observation> = {}): Observation =>
  ({ id: String(at), at, context: [0, 0, 0], unit: [0.5], utility: 60, defaultUtility: 60, ...more })

describe('the window of observations', () => {
  it('is in the order of time, in whatever order results come', () => {
    const window = [3, 1, 2].reduce<readonly Observation[]>((all, at) => insert(all, observation(at)), [])
    expect(window.map(({ at }) => at)).toEqual([1, 2, 3])
  })

  it('keeps the newest 400', () => {
    const window = Array.from({ length: windowSize + 5 }, (_, at) => observation(at)).reduce<readonly Observation[]>(insert, [])
    expect([window.length, window[0].at]).toEqual([windowSize, 5])
  })

  it('names each configuration once, newest first', () => {
    expect(recentUnits([0.1, 0.2, 0.1, 0.3, 0.3].map((unit, at) => observation(at, { unit: [unit] })), 4)).toEqual([[0.3], [0.1], [0.2]])
  })

  it('counts as evidence what ran nearby under about the same load', () => {
    const window = [[0.5, 0], [0.55, 0.2], [0.95, 0], [0.5, 2]].map(([unit, load], at) => observation(at, { unit: [unit], context: [load, 0, 0] }))
    expect(countNearby(window, [0, 0, 0], [0.5])).toBe(2)
  })

  it('corrects a prediction by what was wrong nearby, the more results say so the more', () => {
    const wrongBy = (count: number) => Array.from({ length: count }, (_, at) => ({ observation: observation(at), residual: -20 }))
    const [none, one, five] = [0, 1, 5].map(count => localCorrection(wrongBy(count), [0, 0, 0], [0.5]))
    const far = localCorrection(wrongBy(5), [3, 0, 0], [0.5])
    expect(none).toBe(0)
    expect(one).toBeLessThan(0)
    expect(five).toBeLessThan(one)
    expect(five).toBeGreaterThan(-20)
    expect(far).toBe(0)
  })
})

describe('the context', () => {
  const coordinates = contextCoordinates(['ordersPerSecond'])
  const contextIn = (signals: Record<string, number>, first: Record<string, number>) =>
    contextOf(signals, coordinates, updateMagnitudes(coordinates.map(() => NaN), coordinates, first))
  const shop = { requestsPerSecond: 100, networkInBytesPerSecond: 2e5, networkOutBytesPerSecond: 2e6, errorRatio: 0, ordersPerSecond: 5 }

  it('is logarithms of the ratio to what was seen first, whatever the units', () => {
    const busy = contextIn({ ...shop, requestsPerSecond: 200, networkInBytesPerSecond: 4e5, networkOutBytesPerSecond: 4e6 }, shop)
    expect(busy[0]).toBeCloseTo(Math.log(2.02))
    expect(sameWork(busy, contextIn(shop, shop))).toBe(true)
  })

  it('tells another kind of work by what a request carries', () => {
    expect(sameWork(contextIn({ ...shop, networkInBytesPerSecond: 8e5 }, shop), contextIn(shop, shop))).toBe(false)
  })

  it('says nothing where a signal is missing, was 0 at first, or is no number', () => {
    expect(contextIn({ ...shop, requestsPerSecond: NaN }, shop).every(Number.isFinite)).toBe(true)
    expect(contextIn({}, {})).toEqual(coordinates.map(() => 0))
    expect(contextIn(shop, { ...shop, requestsPerSecond: 0 })[0]).toBe(0)
    expect(Math.max(...contextIn({ ...shop, ordersPerSecond: 1e30 }, shop))).toBe(3)
  })

  it('counts further signals that a service names', () => {
    expect(contextIn({ ...shop, ordersPerSecond: 10 }, shop).at(-1)).toBeCloseTo(Math.log(2.02))
  })
})
