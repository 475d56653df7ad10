import { describe, expect, it } from 'vitest'
import { anchor } from '../../src/tuning/anchor.ts'
import { contextCoordinates, contextOf } from '../../src/tuning/context.ts'
import type { Observation } from '../../src/tuning/observations.ts'
import { createParameterSpace } from '../../src/tuning/parameters.ts'
import { tunerDefaults } from '../../src/tuning/options.ts'
import { emptyTunerState, type TunerState } from '../../src/tuning/state.ts'

const coordinates = contextCoordinates()
const space = createParameterSpace([{ name: 'threads', kind: 'integer', low: 1, high: 64, default: 8 }])
const first = { requestsPerSecond: 0.1 }

/** Tuned since the load was 0.1, and then at these loads. */
function tunedAt (...loads: number[]): TunerState {
  const magnitudes = coordinates.map((_, i) => i === 0 ? first.requestsPerSecond : NaN)
  const observations = loads.map((requestsPerSecond, at): Observation =>
    ({ id: String(at), at, context: contextOf({ requestsPerSecond }, coordinates, magnitudes), unit: [0.5], utility: 60, defaultUtility: 60 }))
  return { ...emptyTunerState(space, { seed: 1, options: tunerDefaults }), magnitudes, observations }
}
const loadsOf = ({ observations }: TunerState) => observations.map(({ context }) => context[0])
const anchored = (state: TunerState, requestsPerSecond: number) => anchor(state, coordinates, { requestsPerSecond })

describe('contexts', () => {
  it('are relative to the present where tuning began with a service that was idle', () => {
    const state = anchored(tunedAt(0.1, 0.2, ...new Array<number>(12).fill(100)), 100)
    expect(state.magnitudes[0]).toBe(100)
    // What was seen at a thousandth of the load is at the lower end now.
    expect(loadsOf(state)).toEqual([-3, -3, ...new Array<number>(12).fill(0)])
  })

  it('stay as they are while they differ, while few results say otherwise, and where the load is no number', () => {
    const differing = tunedAt(...Array.from({ length: 20 }, (_, i) => i % 2 ? 0.1 : 100), 100)
    const few = tunedAt(...new Array<number>(9).fill(100))
    const many = tunedAt(...new Array<number>(12).fill(100))
    expect(anchored(differing, 100)).toBe(differing)
    expect(anchored(few, 100)).toBe(few)
    expect(anchored(many, NaN)).toBe(many)
  })
})
