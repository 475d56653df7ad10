import { describe, expect, it } from 'vitest'
import { noAlarm } from '../../src/policy/alarm.ts'
import { startWatch, thresholdOf, watchScore } from '../../src/policy/watch.ts'
import type { WatchRule } from '../../src/policy/watch.ts'

const rule: WatchRule = { falseAlarmsPerWeek: 7, stepSeconds: 60, adoptAlarmSeconds: 12 * 3600 }
const dayOfMinutes = 1440

function run (scores: readonly number[], { sustainedThreshold = 0.6 } = {}) {
  let state = { watch: startWatch(sustainedThreshold), alarm: noAlarm }
  const steps = scores.map(score => {
    const next = watchScore(state.watch, state.alarm, { score, rule })
    state = next
    return next
  })
  const begins = steps.flatMap(({ alarm }, i) => alarm.active && alarm.age === 0 ? [i] : [])
  return { steps, begins, last: steps[steps.length - 1] }
}

const calm = (steps: number) => Array<number>(steps).fill(0.2)

describe('A watched score', () => {
  it('raises an alarm at once where it is over the training threshold', () => {
    expect(run([...calm(10), 1.1, ...calm(30)]).begins).toEqual([10])
  })

  it('raises one where it stays a little below, for long', () => {
    // The mean over 60 steps goes from 0.2 towards 0.9 and passes 0.6 when (0.9 − 0.6) / 0.7 = 0.43 of the way is left: after 60 × ln(1 / 0.43) = 51 steps.
    const { begins } = run([...calm(300), ...Array<number>(200).fill(0.9)])
    expect(begins).toHaveLength(1)
    expect(begins[0] - 300).toBeGreaterThan(40)
    expect(begins[0] - 300).toBeLessThan(60)
  })

  it('ends an alarm thirty steps after what lasted is over, not when its mean is forgotten', () => {
    const { steps } = run([...calm(300), ...Array<number>(200).fill(0.9), ...calm(40)])
    expect(steps[525].alarm.active).toBe(true)
    expect(steps[535].alarm.active).toBe(false)
    expect(steps.at(-1)!.alarm.active).toBe(false)
  })

  it('asks for more the more alarms there are, and for less when they stop', () => {
    const flood = Array.from({ length: 5 }, () => [1.2, ...calm(40)]).flat()
    const { last, begins } = run(flood)
    // exp(0.7 × 1) = 2 after the first alarm: the same score is none the second time. It sinks by 1.7 alarms a day: exp(0.7 − 0.7 × 1.7 × 205 / 1440) = 1.7.
    expect(begins).toEqual([0])
    expect(thresholdOf(last.watch, 'short')).toBeCloseTo(1.7, 1)
    expect(thresholdOf(run([...flood, ...calm(dayOfMinutes)]).last.watch, 'short')).toBe(1)
  })

  it('never asks for more than four times the training threshold', () => {
    const flood = Array.from({ length: 30 }, (_, i) => [1.2 * 2 ** i, ...calm(40)]).flat()
    expect(thresholdOf(run(flood).last.watch, 'short')).toBe(4)
  })

  it('takes an alarm of twelve hours for the new normal, finds what is farther out, and asks again when it has forgotten', () => {
    const { steps, begins } = run([...calm(100), ...Array<number>(2 * dayOfMinutes).fill(2)])
    const accepted = steps.findIndex(({ hasAccepted }) => hasAccepted)
    expect(accepted - 100).toBe(12 * 60)
    expect(steps[accepted].alarm.active).toBe(false)
    expect(thresholdOf(steps[accepted].watch, 'short')).toBeGreaterThan(2)
    expect(begins.length).toBeGreaterThan(1)
    expect(begins.length).toBeLessThan(5)
    const farther = watchScore(steps[accepted].watch, steps[accepted].alarm, { score: 8, rule })
    expect(farther.alarm.active).toBe(true)
  })
})
