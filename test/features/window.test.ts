import { describe, expect, it } from 'vitest'
import { appendLoad, createWindow, largestBetween, loadBefore, pushLoad, withSeason, type LoadWindow } from '../../src/features/window.ts'

const minute = 60_000
const minutesWindow = () => createWindow({ stepSeconds: 60, seasonSeconds: 86_400 })
const fill = (window: LoadWindow, loads: readonly (readonly [minute: number, load: number])[]) =>
  loads.reduce((filled, [at, load]) => appendLoad(filled, at * minute, load), window)

describe('a window', () => {
  it('gives back the newest loads in their order', () => {
    const window = fill(minutesWindow(), [[1, 10], [2, 20], [3, 30]])

    expect([0, 1, 2, 3].map(steps => loadBefore(window, steps))).toEqual([30, 20, 10, NaN])
  })

  it('leaves a gap where no sample came', () => {
    const window = fill(minutesWindow(), [[1, 10], [4, 40]])

    expect([0, 1, 2, 3].map(steps => loadBefore(window, steps))).toEqual([40, NaN, NaN, 10])
  })

  it('is not changed by appending to it', () => {
    const before = fill(minutesWindow(), [[1, 10]])
    const copy = structuredClone(before)

    appendLoad(before, 2 * minute, 20)

    expect(before).toEqual(copy)
  })

  it('finds the largest load of an interval, its end included and its start not', () => {
    const window = fill(minutesWindow(), [[1, 50], [2, 20], [3, 30], [4, 10]])

    expect(largestBetween(window, 1 * minute, 3 * minute)).toBeCloseTo(30, 1)
    expect(largestBetween(window, 0, 4 * minute)).toBeCloseTo(50, 1)
  })

  it('knows nothing of an interval in which nothing was measured', () => {
    const window = fill(minutesWindow(), [[1, 50], [10, 20]])

    expect(largestBetween(window, 2 * minute, 8 * minute)).toBeNaN()
    expect(largestBetween(window, 20 * minute, 30 * minute)).toBeNaN()
  })

  it('tells a load of zero from no load', () => {
    const window = fill(minutesWindow(), [[1, 0]])

    expect(loadBefore(window, 0)).toBe(0)
    expect(largestBetween(window, 0, minute)).toBe(0)
  })

  it('still has the hour after this time seven days ago, and forgets what is older', () => {
    const window = { ...minutesWindow() }
    const days = 9
    for (let at = 1; at <= days * 1440; at++) pushLoad(window, at * minute, at)

    const sevenDaysAgo = 2 * 1440
    expect(largestBetween(window, sevenDaysAgo * minute, (sevenDaysAgo + 1) * minute)).toBeCloseTo(sevenDaysAgo + 1, -1)
    expect(largestBetween(window, 0, 1440 * minute)).toBeNaN()
  })

  it('forgets everything after a clock jump of months, and keeps what comes then', () => {
    const window = fill(minutesWindow(), [[1, 10], [2, 20], [100_000, 5]])

    expect(loadBefore(window, 0)).toBe(5)
    expect(loadBefore(window, 1)).toBeNaN()
    expect(largestBetween(window, 90_000 * minute, 100_000 * minute)).toBeCloseTo(5, 2)
  })

  it.each([
    { stepSeconds: 60, seasonSeconds: 86_400 },
    { stepSeconds: 1, seasonSeconds: 1440 },
    { stepSeconds: 1, seasonSeconds: 86_400 },
    { stepSeconds: 15, seasonSeconds: 604_800 },
    { stepSeconds: 60, seasonSeconds: 31_536_000 }
  ])('stays below 22 kB with steps of $stepSeconds s and seasons of $seasonSeconds s', ({ stepSeconds, seasonSeconds }) => {
    const window = createWindow({ stepSeconds, seasonSeconds })

    expect(window.recent.byteLength + window.history.byteLength).toBeLessThan(22_000)
    // Seven seasons fit in all of them.
    expect(window.history.length * window.slotMs).toBeGreaterThanOrEqual(7 * seasonSeconds * 1000)
  })

  it('keeps the largest load of a slot that spans several steps', () => {
    // A week of seconds does not fit: 604,800 s / 10,080 slots is a minute for each.
    let window = createWindow({ stepSeconds: 1, seasonSeconds: 86_400 })
    expect(window.slotMs).toBe(minute)

    for (const [second, load] of [[61, 1], [62, 9], [63, 2]]) window = appendLoad(window, second * 1000, load)

    expect(largestBetween(window, 0, 2 * minute)).toBeCloseTo(9, 1)
  })
})

describe('a window for another season', () => {
  const day = fill(minutesWindow(), [[1, 50], [2, 20], [300, 30], [301, 10]])

  it('still knows the loads, newest and oldest, as far as it reaches', () => {
    const shorter = withSeason(day, 17_280)

    expect(shorter).toMatchObject({ seasonSeconds: 17_280, lastAt: 301 * minute })
    expect([loadBefore(shorter, 0), loadBefore(shorter, 1)]).toEqual([10, 30])
    expect(largestBetween(shorter, 0, 2 * minute)).toBeCloseTo(50, 1)
    expect(largestBetween(shorter, 2 * minute, 299 * minute)).toBeNaN()
  })

  it('keeps the largest load of each slot where a slot becomes longer', () => {
    // Seven weeks in 10,080 slots: seven minutes each.
    const longer = withSeason(day, 7 * 86_400)

    expect(longer.slotMs).toBe(7 * minute)
    expect(largestBetween(longer, -1, 6 * minute)).toBeCloseTo(50, 1)
  })

  it('forgets what lies before the seven seasons that it keeps', () => {
    // Seven times two hours: 840 minutes; and an hour.
    const long = fill(day, [[2000, 70]])

    expect(largestBetween(withSeason(long, 7200), 0, 301 * minute)).toBeNaN()
    expect(largestBetween(withSeason(long, 86_400), 0, 301 * minute)).toBeCloseTo(50, 1)
  })

  it('is empty where nothing was seen', () => {
    expect(withSeason(minutesWindow(), 7200)).toEqual(createWindow({ stepSeconds: 60, seasonSeconds: 7200 }))
  })
})
