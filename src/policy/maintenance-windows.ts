import type { MaintenanceWindow } from '../domain.ts'
import { largestBetween, type LoadWindow } from '../features/window.ts'

/** What is proposed at present; renewed with every slot of the season. */
export interface MaintenancePlan {
  readonly slot: number
  readonly windows: readonly MaintenanceWindow[]
}

interface Now { readonly at: number, readonly seasonSeconds: number }

/** A season in quarters of an hour, where it is a day; a proposal is an hour of it, and there are three. */
const slots = 96
const windowSlots = 4
const mostWindows = 3
const mostSeasons = 7

/** The plan with the load known now. Pure; the same object while there is nothing new to find out. */
export function nextMaintenancePlan (plan: MaintenancePlan | undefined, load: LoadWindow | null, { at, seasonSeconds }: Now): MaintenancePlan {
  const slot = Math.floor(at / (seasonSeconds * 1000 / slots))
  return plan?.slot === slot ? plan : { slot, windows: load === null ? [] : quietestWindows(load, { at, seasonSeconds }) }
}

/**
 * When within the next season the load will probably be lowest, by what it was at these times of the last seven, in the mean.
 * A time of which no season is known is never proposed.
 *
 * @returns at most three that do not overlap, the quietest first.
 */
export function quietestWindows (load: LoadWindow, { at, seasonSeconds }: Now): MaintenanceWindow[] {
  const seasonMs = seasonSeconds * 1000
  const slotMs = seasonMs / slots
  const start = (Math.floor(at / slotMs) + 1) * slotMs
  const expected = Float64Array.from({ length: slots }, (_, i) => expectedLoad(load, { from: start + i * slotMs, to: start + (i + 1) * slotMs, seasonMs }))
  const peak = expected.reduce((highest, value) => value > highest ? value : highest, 0)
  const candidates = Array.from({ length: slots - windowSlots + 1 }, (_, i) => ({ first: i, load: Math.max(...expected.subarray(i, i + windowSlots)) }))
    .filter(candidate => !Number.isNaN(candidate.load))
    .sort((a, b) => a.load - b.load || a.first - b.first)
  const chosen: typeof candidates = []
  for (const candidate of candidates) {
    if (chosen.length < mostWindows && chosen.every(({ first }) => Math.abs(first - candidate.first) >= windowSlots)) chosen.push(candidate)
  }
  return chosen.map(({ first, load: most }) => ({
    start: start + first * slotMs,
    end: start + (first + windowSlots) * slotMs,
    expectedLoad: Number(most.toPrecision(6)),
    shareOfPeak: peak > 0 ? Number((most / peak).toPrecision(4)) : 0
  }))
}

/** The mean of the largest loads at this time of the seasons that are known; NaN where none is. */
function expectedLoad (load: LoadWindow, { from, to, seasonMs }: { from: number, to: number, seasonMs: number }): number {
  let sum = 0
  let known = 0
  for (let season = 1; season <= mostSeasons; season++) {
    const largest = largestBetween(load, from - season * seasonMs, to - season * seasonMs)
    if (Number.isNaN(largest)) continue
    sum += largest
    known++
  }
  return known > 0 ? sum / known : NaN
}
