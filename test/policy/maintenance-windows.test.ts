import { describe, expect, it } from 'vitest'
import { appendLoad, createWindow, type LoadWindow } from '../../src/features/window.ts'
import { nextMaintenancePlan, quietestWindows } from '../../src/policy/maintenance-windows.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const seasonSeconds = 86_400

/** The load of each hour of the day, for some days. */
function after (days: number, loadAt: (hourOfDay: number) => number): LoadWindow {
  let window = createWindow({ stepSeconds: 300, seasonSeconds })
  for (let at = 5 * minute; at <= days * day; at += 5 * minute) window = appendLoad(window, at, loadAt(Math.floor((at - 1) % day / hour)))
  return window
}
/** 100 in the daytime, 10 at night, 5 from 3 to 4. */
const shop = (hourOfDay: number) => hourOfDay === 3 ? 5 : hourOfDay < 6 ? 10 : 100

describe('maintenance windows', () => {
  it('are the quietest hours of the next season, by what the last ones were', () => {
    const [first, ...others] = quietestWindows(after(3, shop), { at: 3 * day + 12 * hour, seasonSeconds })
    // The next 3 o'clock is that of the fifth day. Loads are kept to 0.1 %.
    expect(first).toMatchObject({ start: 4 * day + 3 * hour, end: 4 * day + 4 * hour })
    expect(first.expectedLoad).toBeCloseTo(5, 1)
    expect(first.shareOfPeak).toBeCloseTo(0.05, 3)
    expect(others).toHaveLength(2)
    for (const { start, end, expectedLoad } of others) {
      expect(expectedLoad).toBeCloseTo(10, 1)
      expect(end <= first.start || start >= first.end).toBe(true)
    }
  })

  it('lie ahead, from the next quarter of an hour to one season later', () => {
    const at = 3 * day + 3 * hour + 20 * minute
    const windows = quietestWindows(after(3, shop), { at, seasonSeconds })
    for (const { start, end } of windows) {
      expect(start).toBeGreaterThan(at)
      expect(end).toBeLessThanOrEqual(at + day + 15 * minute)
      expect(end - start).toBe(hour)
    }
  })

  it('follow the mean of the seasons that are known', () => {
    let window = after(1, shop)
    for (let at = day + 5 * minute; at <= 2 * day; at += 5 * minute) window = appendLoad(window, at, shop(Math.floor((at - 1) % day / hour)) * 3)
    // (5 + 15) / 2
    expect(quietestWindows(window, { at: 2 * day, seasonSeconds })[0].expectedLoad).toBeCloseTo(10, 1)
  })

  it('are none where no season is known, and none in hours that nobody has seen', () => {
    expect(quietestWindows(createWindow({ stepSeconds: 300, seasonSeconds }), { at: day, seasonSeconds })).toEqual([])
    let night = createWindow({ stepSeconds: 300, seasonSeconds })
    for (let at = 5 * minute; at <= 2 * hour; at += 5 * minute) night = appendLoad(night, at, 50)
    expect(quietestWindows(night, { at: day - minute, seasonSeconds }).map(({ start }) => (start - day) / hour)).toEqual([0, 1])
  })

  it('of a service without any load are as good as any', () => {
    expect(quietestWindows(after(2, () => 0), { at: 2 * day, seasonSeconds })[0]).toMatchObject({ expectedLoad: 0, shareOfPeak: 0 })
  })
})

it('the plan is renewed every quarter of an hour, and the same in between', () => {
  const load = after(2, shop)
  const plan = nextMaintenancePlan(undefined, load, { at: 2 * day, seasonSeconds })
  expect(plan.windows).toHaveLength(3)
  expect(nextMaintenancePlan(plan, load, { at: 2 * day + 14 * minute, seasonSeconds })).toBe(plan)
  expect(nextMaintenancePlan(plan, load, { at: 2 * day + 15 * minute, seasonSeconds })).not.toBe(plan)
  expect(nextMaintenancePlan(undefined, null, { at: 0, seasonSeconds }).windows).toEqual([])
})
