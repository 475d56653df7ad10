import { decodeLoad, encodeLoad } from './window.ts'

/**
 * The loads of one service, longer and finer than its window holds them: a ring of two bytes a step on the same logarithmic scale, addressed
 * by time. It lies beside the state, for nobody needs it to decide; training and simulations read it.
 */
export interface LoadHistoryMark {
  readonly stepMs: number
  /** Steps that the ring holds. */
  readonly slots: number
  /** Number of the newest step that was written. */
  readonly last: number
}

/** What is to be written into a ring: bytes from a place on; `clears` when nothing of before is to be kept. */
export interface LoadHistoryChange {
  readonly mark: LoadHistoryMark
  readonly clears: boolean
  readonly writes: readonly { readonly offset: number, readonly bytes: Uint8Array }[]
}

export interface MeasuredLoad { readonly at: number, readonly load: number }

const bytesPerStep = 2

/** The change that more loads make, in the order of their time; null where there is none. A step without a load is a gap. */
export function addLoads (before: LoadHistoryMark | null, loads: readonly MeasuredLoad[], { stepMs, slots }: Pick<LoadHistoryMark, 'stepMs' | 'slots'>): LoadHistoryChange | null {
  const kept = before !== null && before.stepMs === stepMs && before.slots === slots ? before : null
  const steps = new Map(loads.map(({ at, load }) => [Math.floor(at / stepMs), load]))
  const newest = Math.max(...steps.keys())
  if (steps.size === 0 || (kept !== null && newest < kept.last)) return null
  const oldest = kept !== null && !steps.has(kept.last) ? kept.last + 1 : kept?.last ?? Math.min(...steps.keys())
  const first = Math.max(oldest, newest - slots + 1)
  const bytes = new Uint8Array((newest - first + 1) * bytesPerStep)
  const view = new DataView(bytes.buffer)
  for (const [step, load] of steps) if (step >= first) view.setUint16((step - first) * bytesPerStep, encodeLoad(load), true)
  return { mark: { stepMs, slots, last: newest }, clears: kept === null, writes: cutAtEnd(bytes, { place: first % slots, slots }) }
}

/** A ring begins again where it ends. */
function cutAtEnd (bytes: Uint8Array, { place, slots }: { place: number, slots: number }) {
  const beforeEnd = (slots - place) * bytesPerStep
  const writes = [{ offset: place * bytesPerStep, bytes: bytes.subarray(0, beforeEnd) }]
  if (bytes.length > beforeEnd) writes.push({ offset: 0, bytes: bytes.subarray(beforeEnd) })
  return writes
}

/**
 * Loads from the oldest known step to the newest.
 *
 * @returns startAt: epoch ms of the end of the first step; loads: NaN for a gap.
 */
export function readLoads ({ stepMs, slots, last }: LoadHistoryMark, bytes: Uint8Array): { startAt: number, loads: Float64Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const codeOf = (step: number) => {
    const offset = step % slots * bytesPerStep
    return offset + bytesPerStep > bytes.length ? 0 : view.getUint16(offset, true)
  }
  let first = Math.max(0, last - slots + 1)
  while (first < last && codeOf(first) === 0) first++
  const loads = Float64Array.from({ length: last - first + 1 }, (_, i) => {
    const code = codeOf(first + i)
    return code === 0 ? NaN : decodeLoad(code)
  })
  return { startAt: first * stepMs, loads }
}
