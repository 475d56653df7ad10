/**
 * The recent load of one service in bounded memory, at two resolutions:
 * `recent` holds the last 256 steps as they were; `history` holds seven seasons (a week where the season is a day) as the
 * largest load of each slot, two bytes a slot on a logarithmic scale (0.1 % apart, finer than any load is measured).
 *
 * Both are rings addressed by time, so that a gap is simply a place where nothing was written and clock jumps need no repair.
 * A window is a value: `appendLoad` copies what it changes (about 25 kB, a few microseconds).
 */
export interface LoadWindow {
  readonly stepMs: number
  readonly slotMs: number
  readonly seasonSeconds: number
  /** Epoch ms of the newest load; every value lies in the time before it that its ring spans. */
  readonly lastAt: number
  /** [256] load by step number modulo 256; NaN is a gap. */
  readonly recent: Float32Array
  /** [slots] coded load by slot number modulo slots; 0 is a gap. */
  readonly history: Uint16Array
}

export const recentSteps = 256
/** Seven days of minutes and an hour, so that the hour after this time last week is still there: 20 kB. */
const maxSlots = 10_140
const seasonsKept = 7

export function createWindow ({ stepSeconds, seasonSeconds }: { stepSeconds: number, seasonSeconds: number }): LoadWindow {
  const stepMs = Math.max(1, Math.round(stepSeconds * 1000))
  const spanMs = seasonsKept * seasonSeconds * 1000
  const slotMs = stepMs * Math.max(1, Math.ceil(spanMs / stepMs / (maxSlots - 60)))
  const slots = Math.min(maxSlots, Math.max(recentSteps, Math.ceil(spanMs / slotMs) + 60))
  return { stepMs, slotMs, seasonSeconds, lastAt: -Infinity, recent: new Float32Array(recentSteps).fill(NaN), history: new Uint16Array(slots) }
}

export function isWindowFor (window: LoadWindow, { stepSeconds, seasonSeconds }: { stepSeconds: number, seasonSeconds: number }): boolean {
  return window.stepMs === Math.max(1, Math.round(stepSeconds * 1000)) && window.seasonSeconds === seasonSeconds
}

/** The same loads, as far as they reach back, for another season. */
export function withSeason (window: LoadWindow, seasonSeconds: number): LoadWindow {
  const { stepMs, slotMs, lastAt, history } = window
  const next = { ...createWindow({ stepSeconds: stepMs / 1000, seasonSeconds }), lastAt, recent: window.recent.slice() }
  if (lastAt === -Infinity) return next
  const [newest, now] = [stepOf(lastAt, slotMs), stepOf(lastAt, next.slotMs)]
  for (let slot = Math.max(0, newest - history.length + 1); slot <= newest; slot++) {
    const place = stepOf(slot * slotMs, next.slotMs)
    if (now - place >= next.history.length) continue
    const code = history[slot % history.length]
    const at = place % next.history.length
    if (code > next.history[at]) next.history[at] = code
  }
  return next
}

/**
 * The window with one more load at its end.
 *
 * @param at epoch ms of the end of the interval; later than `window.lastAt`.
 * @param load at least 0 and finite, in any unit.
 */
export function appendLoad (window: LoadWindow, at: number, load: number): LoadWindow {
  const next = { ...window, lastAt: at, recent: window.recent.slice(), history: window.history.slice() }
  writeLoad(next, window.lastAt, load)
  return next
}

/** For trainers that own their window: as `appendLoad`, but without copying. */
export function pushLoad (window: { -readonly [K in keyof LoadWindow]: LoadWindow[K] }, at: number, load: number): void {
  const before = window.lastAt
  window.lastAt = at
  writeLoad(window, before, load)
}

function writeLoad ({ recent, history, stepMs, slotMs, lastAt }: LoadWindow, before: number, load: number): void {
  const step = stepOf(lastAt, stepMs)
  const slot = stepOf(lastAt, slotMs)
  forget(recent, NaN, stepOf(before, stepMs), step)
  forget(history, 0, stepOf(before, slotMs), slot)
  recent[step % recent.length] = load
  const place = slot % history.length
  history[place] = Math.max(history[place], encodeLoad(load))
}

/** Everything after step `before` up to and including step `now` was written a whole ring ago. */
function forget (ring: Float32Array | Uint16Array, gap: number, before: number, now: number): void {
  if (!(now - before < ring.length)) { ring.fill(gap); return }
  for (let step = before + 1; step <= now; step++) ring[step % ring.length] = gap
}

/** Intervals end at their number × length: the one that ends at 60 000 ms of 60 000 ms is number 1; a little lateness stays in it. */
function stepOf (at: number, lengthMs: number): number {
  return Math.floor(at / lengthMs)
}

/** The load `steps` steps before the newest one, NaN where there is none. */
export function loadBefore (window: LoadWindow, steps: number): number {
  if (steps >= recentSteps) return NaN
  const step = stepOf(window.lastAt, window.stepMs) - steps
  return step < 0 ? NaN : window.recent[step % recentSteps]
}

/** The largest load in the time (fromMs, toMs], NaN where none of it is known or it lies outside the window. */
export function largestBetween (window: LoadWindow, fromMs: number, toMs: number): number {
  const { history, slotMs, lastAt } = window
  const newest = stepOf(lastAt, slotMs)
  const first = Math.max(stepOf(fromMs, slotMs) + 1, newest - history.length + 1, 0)
  const last = Math.min(stepOf(toMs, slotMs), newest)
  let code = 0
  for (let slot = first; slot <= last; slot++) {
    const held = history[slot % history.length]
    if (held > code) code = held
  }
  return code === 0 ? NaN : decodeLoad(code)
}

// 1 is zero load, 2 is 1e-9, each further code 0.1 % more: 65 535 is 2.8e19.
const smallest = 1e-9
const growth = Math.log(1.001)

/** Two bytes for a load, 0.1 % apart; 0 stands for none. */
export function encodeLoad (load: number): number {
  if (!(load >= smallest)) return 1
  return Math.min(65_535, 2 + Math.round(Math.log(load / smallest) / growth))
}

export function decodeLoad (code: number): number {
  return code <= 1 ? 0 : smallest * Math.exp((code - 2) * growth)
}
