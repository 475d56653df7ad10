import { contextFurthest, type ContextCoordinate } from './context.ts'
import type { TunerState } from './state.ts'
import type { Signals } from '../domain.ts'

/** From so many results on, and so large a share of all that are remembered. */
const leastBeyond = 10
const shareBeyond = 0.8

const shift = (value: number, by: number) => Math.max(-contextFurthest, Math.min(contextFurthest, value + by))

/**
 * Contexts are relative to what was seen first. Where that was not typical (a service that was idle when tuning began) nearly every context lies at
 * the end of the scale, and says nothing: then the present value takes the place of the first one.
 *
 * @returns the same state where nothing is to be moved; else one whose memory is to be learned again.
 */
export function anchor (state: TunerState, coordinates: readonly ContextCoordinate[], signals: Signals): TunerState {
  return coordinates.reduce((all, { of }, i) => {
    const newest = all.observations.at(-1)?.context[i] ?? 0
    const present = Math.abs(of(signals))
    if (Math.abs(newest) < contextFurthest || !(present > 0) || !Number.isFinite(present)) return all
    const isBeyond = (value: number) => value === newest
    const beyond = all.observations.filter(({ context }) => isBeyond(context[i])).length
    if (beyond < leastBeyond || beyond < shareBeyond * all.observations.length) return all
    const by = Math.log(all.magnitudes[i] / present)
    const move = (context: readonly number[]) => context.map((value, k) => k !== i ? value : isBeyond(value) ? 0 : shift(value, by))
    return {
      ...all,
      magnitudes: all.magnitudes.map((value, k) => k === i ? present : value),
      observations: all.observations.map(one => ({ ...one, context: move(one.context) })),
      failures: []
    }
  }, state)
}
