import { describe, expect, it } from 'vitest'
import { advance } from '../../src/features/anomaly-features.ts'
import { followShifts, startShifts } from '../../src/features/level-shift.ts'
import type { Shifts } from '../../src/features/level-shift.ts'
import { emptyMemory, field, fields, widenMemory } from '../../src/features/signal-memory.ts'
import type { SignalMemory } from '../../src/features/signal-memory.ts'

const adoptAfterSteps = 200

/** Two signals that swing between 9 and 11, and between 0.4 and 0.6. */
const usual = (step: number) => Float64Array.of(10 + (-1) ** step, 0.5 + 0.1 * (-1) ** step)

function learned (): SignalMemory {
  let memory = widenMemory(emptyMemory(), ['a', 'b'])
  for (let step = 0; step < 400; step++) memory = advance(memory, usual(step), { position: NaN, elapsedSteps: 1, learning: 'all' }).memory
  return memory
}

function run (rows: readonly Float64Array[], memory: SignalMemory, shifts: Shifts) {
  const adoptions: { step: number, signal: number }[] = []
  for (const [step, x] of rows.entries()) {
    const advanced = advance(memory, x, { position: NaN, elapsedSteps: 1, learning: 'none' }).memory
    const followed = followShifts(advanced, shifts, { x, adoptAfterSteps });
    ({ memory, shifts } = followed)
    for (const signal of followed.adopted) adoptions.push({ step, signal })
  }
  return { memory, shifts, adoptions, mean: (i: number) => memory.values[i * fields + field.mean] }
}

const calm = (steps: number) => Array.from({ length: steps }, (_, step) => usual(step))
const shifted = (steps: number) => Array.from({ length: steps }, (_, step) => usual(step).with(0, 30 + (-1) ** step))

describe('A level that has shifted', () => {
  const memory = learned()
  const started = run(calm(50), memory, startShifts(2))

  it('is adopted after the given steps without a break, and not before', () => {
    // The recent mean over 20 steps is more than three deviations (of 1) away after the fourth step: 4 × 20/20 = 4.
    const soon = run(shifted(190), started.memory, started.shifts)
    expect(soon.adoptions).toEqual([])
    expect(soon.mean(0)).toBeCloseTo(10)
    const { adoptions, mean } = run(shifted(210), started.memory, started.shifts)
    expect(adoptions).toHaveLength(1)
    expect(adoptions[0].signal).toBe(0)
    expect(adoptions[0].step).toBeGreaterThan(195)
    expect(mean(0)).toBeCloseTo(30, 0)
    expect(mean(1)).toBeCloseTo(0.5)
  })

  it('is not adopted if the signal comes back in between', () => {
    const rows = [...shifted(150), ...calm(60), ...shifted(150)]
    expect(run(rows, started.memory, started.shifts).adoptions).toEqual([])
  })

  it('is adopted within 30 steps if it was there from the first judged sample on: training was of another time', () => {
    const { adoptions } = run(shifted(40), memory, startShifts(2))
    expect(adoptions.map(({ signal }) => signal)).toEqual([0])
    expect(adoptions[0].step).toBeLessThan(35)
  })

  it('that was there from the first judged sample on is left again as soon, where the signal returns', () => {
    const { adoptions, mean } = run([...shifted(60), ...calm(110)], memory, startShifts(2))
    expect(adoptions).toHaveLength(2)
    expect(mean(0)).toBeGreaterThan(8)
    expect(mean(0)).toBeLessThan(16)
  })

  it('never narrows the spread of a signal', () => {
    const constant = Array.from({ length: 210 }, (_, step) => usual(step).with(0, 30))
    const { memory: after } = run(constant, started.memory, started.shifts)
    expect(after.values[field.variance]).toBeGreaterThanOrEqual(memory.values[field.variance])
  })

  it('moves the season along', () => {
    const season = new Float32Array(memory.season.length).fill(10)
    const { memory: after } = run(shifted(210), { ...started.memory, season }, started.shifts)
    expect(after.season[0]).toBeGreaterThan(28)
    expect(after.season.at(-1)).toBe(10)
  })

  it('waits for a signal that is missing', () => {
    const gone = Array.from({ length: 300 }, (_, step) => usual(step).with(0, NaN))
    const { adoptions } = run([...shifted(150), ...gone], started.memory, started.shifts)
    expect(adoptions).toEqual([])
  })

  it('starts to count anew where signals have joined', () => {
    const wide = widenMemory(started.memory, ['c'])
    const { shifts } = followShifts(wide, started.shifts, { x: Float64Array.of(10, 0.5, 1), adoptAfterSteps })
    expect(shifts.length / 3).toBe(started.shifts.length / 2)
  })
})
