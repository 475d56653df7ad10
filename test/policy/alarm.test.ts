import { describe, expect, it } from 'vitest'
import { isNews, lastingRule, nextAlarm, noAlarm, noveltyRule, severityOf } from '../../src/policy/alarm.ts'
import type { AlarmRule } from '../../src/policy/alarm.ts'

function run (ratios: readonly number[], rule: AlarmRule): string {
  let alarm = noAlarm
  return ratios.map(ratio => {
    alarm = nextAlarm(alarm, ratio, rule)
    return alarm.active ? '!' : '.'
  }).join('')
}

describe('An alarm', () => {
  it('of a trained service begins at the threshold and outlives dips shorter than thirty steps', () => {
    expect(run([0.9, 1, 0.8, ...Array(29).fill(0.1), 0.7, 0.1], lastingRule)).toBe(`.${'!'.repeat(33)}`)
  })

  it('of a trained service ends after thirty steps below 65 % of the threshold, and may begin again at once', () => {
    expect(run([1, ...Array(30).fill(0.6), 1], lastingRule)).toBe(`${'!'.repeat(30)}.!`)
  })

  it('is not kept by noise: a step above the release level takes back two below it', () => {
    // Nine below and one above: 7 more every ten steps, thirty after the 39th; without the steps above after the thirtieth.
    const noisy = Array.from({ length: 60 }, (_, i) => i % 10 === 9 ? 0.8 : 0.2)
    expect(run([1, ...noisy], lastingRule).indexOf('.')).toBe(39)
  })

  it('of an untrained service lasts as long as the score is over the threshold', () => {
    expect(run([0.9, 1.2, 1.1, 0.9], noveltyRule)).toBe('.!!.')
  })

  it('of an untrained service is not followed by another within 150 steps', () => {
    const ratios = [1.5, ...Array(149).fill(0), 1.5, 1.5, 0, 1.5]
    // Begins at step 0; step 150 is still quiet, step 151 begins another, and step 153 is quiet again.
    expect(run(ratios, noveltyRule)).toBe(`!${'.'.repeat(150)}!..`)
  })
})

describe('News', () => {
  it.each([
    ['the step that begins an alarm', noAlarm, { active: true, age: 0, calm: 0 }, true],
    ['the step after it', { active: true, age: 0, calm: 0 }, { active: true, age: 1, calm: 0 }, false],
    ['a calm step within the quiet time', { active: false, age: 149, calm: 0 }, { active: false, age: 150, calm: 0 }, false],
    ['a calm step after it', { active: false, age: 150, calm: 0 }, { active: false, age: 151, calm: 0 }, true],
    ['a calm step before any alarm', noAlarm, noAlarm, true]
  ])('%s', (_, before, after, expected) => {
    expect(isNews(before, after, noveltyRule)).toBe(expected)
  })
})

describe('Severity', () => {
  it.each([
    [false, 0.69, 'none'], [false, 0.7, 'low'], [false, 5, 'low'],
    [true, 0.8, 'medium'], [true, 1.9, 'medium'], [true, 2, 'high'], [true, 4, 'critical']
  ] as const)('of alarm %s at %f times the threshold is %s', (active, ratio, severity) => {
    expect(severityOf(active, ratio)).toBe(severity)
  })
})
