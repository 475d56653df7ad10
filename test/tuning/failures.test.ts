import { describe, expect, it } from 'vitest'
import { addFailure, clearFailures, isBlocked, suspectsOf, type Failure } from '../../src/tuning/failures.ts'
import type { Observation } from '../../src/tuning/observations.ts'

/** Load, and what a request carries in and out; all logarithms. */
const work = (load: number, kind = 0) => [load, kind, kind]
const good = (unit: readonly number[], load: number, kind = 0): Observation => ({ id: '', at: 0, context: work(load, kind), unit, utility: 80, defaultUtility: 60 })
/** From 0.5 everywhere down to 0.2 in the first and up to 0.9 in the second coordinate. */
const failed = [0.2, 0.9, 0.5]
const from = [0.5, 0.5, 0.5]
const failure: Failure = { context: work(1), at: 0, suspects: suspectsOf(failed, from) }

describe('a place that broke down', () => {
  it('suspects the coordinates that differ from one that was good, in the direction in which they went', () => {
    expect(failure.suspects).toEqual([{ coordinate: 0, value: 0.2, sign: -1 }, { coordinate: 1, value: 0.9, sign: 1 }])
  })

  it.each<[string, readonly number[], number, number, boolean]>([
    ['itself', [0.2, 0.9, 0.5], 1, 0, true],
    ['what goes farther in every suspect', [0.1, 1, 0.5], 1, 0, true],
    ['the same at a little less load', [0.2, 0.9, 0.5], 0.6, 0, true],
    ['not the same at far less load', [0.2, 0.9, 0.5], 0.4, 0, false],
    ['not what goes there in one suspect only', [0.2, 0.5, 0.5], 1, 0, false],
    ['not the same in another kind of work', [0.2, 0.9, 0.5], 1, 1, false]
  ])('blocks %s', (_, unit, load, kind, expected) => {
    expect(isBlocked([failure], work(load, kind), unit)).toBe(expected)
  })

  it('clears a suspect that went as far elsewhere at that load and did no harm', () => {
    const [cleared] = clearFailures([failure], good([0.1, 0.5, 0.5], 1.2))
    expect(cleared.suspects.map(({ coordinate }) => coordinate)).toEqual([1])
    expect(isBlocked([cleared], work(1), [0.5, 0.95, 0.5])).toBe(true)
  })

  it.each<[string, Observation]>([['at less load', good([0.1, 0.5, 0.5], 0.5)], ['in another kind of work', good([0.1, 0.5, 0.5], 1.2, 1)]])('clears nothing by what did well %s', (_, observation) => {
    expect(clearFailures([failure], observation)).toEqual([failure])
  })

  it('holds the combination guilty where every suspect alone is innocent', () => {
    const both = clearFailures(clearFailures([failure], good([0.1, 0.9, 0.5], 1.2)), good([0.1, 0.95, 0.5], 1.2))
    expect(both).toHaveLength(1)
  })

  it('is forgotten when its only suspect turns out to do no harm', () => {
    const single: Failure = { ...failure, suspects: failure.suspects.slice(0, 1) }
    expect(clearFailures([single], good([0.1, 0.5, 0.5], 1.2))).toEqual([])
  })

  it('is looked at in the light of what did well before; of many the newest 60 are kept', () => {
    expect(addFailure([], failure, [good([0.1, 0.5, 0.5], 1.2)])[0].suspects).toHaveLength(1)
    expect(addFailure([], { ...failure, suspects: [] }, [])).toEqual([])
    const many = Array.from({ length: 70 }, (_, at) => ({ ...failure, at })).reduce<readonly Failure[]>((all, one) => addFailure(all, one, []), [])
    expect(many).toHaveLength(60)
    expect(many[0].at).toBe(10)
  })
})
