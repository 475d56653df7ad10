import { describe, expect, it } from 'vitest'
import { addLoads, readLoads, type LoadHistoryChange, type MeasuredLoad } from '../../src/features/load-history.ts'

const minute = 60_000
const ring = { stepMs: minute, slots: 10 }
const at = (step: number, load: number): MeasuredLoad => ({ at: step * minute, load })

/** What Redis does with SETRANGE and DEL. */
function apply (bytes: Uint8Array, { clears, writes }: LoadHistoryChange): Uint8Array {
  const before = clears ? new Uint8Array(0) : bytes
  const length = Math.max(before.length, ...writes.map(({ offset, bytes }) => offset + bytes.length))
  const after = new Uint8Array(length)
  after.set(before)
  for (const { offset, bytes } of writes) after.set(bytes, offset)
  return after
}

function kept (batches: readonly (readonly MeasuredLoad[])[], setting = ring): { startAt: number, loads: number[] } {
  let bytes: Uint8Array = new Uint8Array(0)
  let change: LoadHistoryChange | null = null
  for (const batch of batches) {
    const next = addLoads(change?.mark ?? null, batch, setting)
    if (next === null) continue
    bytes = apply(bytes, next)
    change = next
  }
  const { startAt, loads } = readLoads(change!.mark, bytes)
  return { startAt, loads: Array.from(loads, (load) => Number(load.toPrecision(2))) }
}

describe('the kept loads', () => {
  it('are what was measured, to a tenth of a per cent', () => {
    const change = addLoads(null, [at(100, 123.4), at(101, 0), at(102, 5e6)], ring)!
    const { startAt, loads } = readLoads(change.mark, apply(new Uint8Array(0), change))

    expect(startAt).toBe(100 * minute)
    expect([...loads]).toEqual([expect.closeTo(123.4, 0), 0, expect.closeTo(5e6, -4)])
    expect(loads[0] / 123.4).toBeCloseTo(1, 3)
  })

  it('go on from batch to batch, with gaps where nothing was measured', () => {
    expect(kept([[at(100, 1), at(101, 2)], [at(104, 5)]])).toEqual({ startAt: 100 * minute, loads: [1, 2, NaN, NaN, 5] })
  })

  it('are the newest of them when the ring is full, across its end and after any gap', () => {
    const steps = Array.from({ length: 14 }, (_, i) => [at(95 + i, i + 1)])
    expect(kept(steps)).toEqual({ startAt: 99 * minute, loads: [5, 6, 7, 8, 9, 10, 11, 12, 13, 14] })
    expect(kept([...steps, [at(1000, 7)]])).toEqual({ startAt: 1000 * minute, loads: [7] })
    expect(kept([Array.from({ length: 25 }, (_, i) => at(90 + i, i + 1))])).toEqual({ startAt: 105 * minute, loads: [16, 17, 18, 19, 20, 21, 22, 23, 24, 25] })
  })

  it('let the last of a step count, also in a later batch', () => {
    expect(kept([[at(100, 1), at(101, 2)], [{ at: 101.5 * minute, load: 4 }, at(102, 3)]])).toEqual({ startAt: 100 * minute, loads: [1, 4, 3] })
  })

  it('begin anew when steps or their number change', () => {
    const change = addLoads({ stepMs: minute, slots: 10, last: 100 }, [at(101, 2)], { stepMs: 30_000, slots: 10 })
    expect(change).toMatchObject({ clears: true, mark: { stepMs: 30_000, last: 202 } })
    expect(addLoads({ stepMs: minute, slots: 10, last: 100 }, [at(101, 2)], { stepMs: minute, slots: 20 })).toMatchObject({ clears: true })
    expect(addLoads({ stepMs: minute, slots: 10, last: 100 }, [at(101, 2)], ring)).toMatchObject({ clears: false })
  })

  it('do not change for nothing, nor for what is older', () => {
    expect(addLoads(null, [], ring)).toBeNull()
    expect(addLoads({ ...ring, last: 100 }, [at(99, 1)], ring)).toBeNull()
  })
})
