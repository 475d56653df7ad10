/**
 * Whether predictions have become worse than they were: the test of Page (1954) and Hinkley (1971), on both sides, over standardised residuals.
 */
export interface DriftState {
  readonly count: number
  readonly mean: number
  readonly up: number
  readonly down: number
}

export const noDrift: DriftState = { count: 0, mean: 0, up: 0, down: 0 }

const tolerated = 0.5
const alarmAt = 15
/** One residual counts at most this much: a single outlier is no drift. */
const most = 4
const settled = 20

/** @param residual (observed − predicted) / predicted deviation. */
export function watchDrift (state: DriftState, residual: number): { state: DriftState, alarm: boolean } {
  const r = Math.max(-most, Math.min(most, residual))
  const count = state.count + 1
  const mean = state.mean + (r - state.mean) / Math.min(count, 100)
  const up = Math.max(0, state.up + r - mean - tolerated)
  const down = Math.max(0, state.down - r + mean - tolerated)
  if (count > settled && Math.max(up, down) > alarmAt) return { state: noDrift, alarm: true }
  return { state: { count, mean, up, down }, alarm: false }
}
