import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../src/domain.ts'
import { duration, short, words } from '../../src/dashboard/format.ts'
import { createSeries } from '../../src/dashboard/series.ts'
import { decisionOf } from '../api/support.ts'

const past = () => createSeries({
  decisions: {
    at: [60_000, 120_000],
    load: [100, null],
    capacity: [70, 70],
    low: [80, 90],
    middle: [100, 110],
    high: [120, 130],
    wanted: [2, 3],
    ready: [2, 2],
    reactive: [2, 2],
    source: ['forecast', 'hold']
  },
  verdicts: { at: [60_000], score: [0.2], threshold: [0.5], anomaly: [false] },
  horizonSeconds: 120
})

describe('the past of a service as the page has it', () => {
  it('puts what was expected at the end of its horizon, which may lie ahead of the load', () => {
    expect(past().load()).toEqual([
      [60, 120, 180, 240],
      [100, null, undefined, undefined],
      [undefined, undefined, 80, 90],
      [undefined, undefined, 100, 110],
      [undefined, undefined, 120, 130],
      // Two that are ready carry 70 each.
      [140, 140, undefined, undefined]
    ])
  })

  it('knows the newest anomaly', () => {
    const series = past()
    expect(series.newestAnomalyAt()).toBeNull()
    const verdict = (asOf: number, isAnomaly: boolean) => ({ asOf, isAnomaly, score: 0.6, threshold: 0.5 }) as Verdict
    series.addVerdict(verdict(180_000, true))
    series.addVerdict(verdict(240_000, false))
    expect(series.newestAnomalyAt()).toBe(180_000)
  })

  it('grows with the stream, and takes nothing twice', () => {
    const series = past()
    const decision = decisionOf('shop', { asOf: 180_000, replicas: 3, load: 110 })
    expect(series.addDecision(decision)).toBe(true)
    expect(series.addDecision(decision)).toBe(false)
    expect(series.lastAt()).toBe(180_000)
    expect(series.replicas()[1]).toEqual([2, 3, 3])
  })

  it('lists where another number was wanted, newest first', () => {
    expect(past().changes(10)).toEqual([{ at: 120_000, from: 2, to: 3, source: 'hold' }, { at: 60_000, from: null, to: 2, source: 'forecast' }])
  })

  it('can be taken away as CSV', () => {
    expect(past().toCsv()).toBe([
      'time,load,capacity,low,middle,high,wanted,ready,reactive,source,score,threshold',
      '1970-01-01T00:01:00.000Z,100,70,80,100,120,2,2,2,forecast,0.2,0.5',
      '1970-01-01T00:02:00.000Z,,70,90,110,130,3,2,2,hold,,',
      ''
    ].join('\n'))
  })
})

describe('numbers for people', () => {
  it.each([[1142, '1142'], [11_420, '11.4k'], [0.12345, '0.123'], [null, '–'], [2.5e7, '25M'], [-3, '-3']])('%j is %s', (value, text) => {
    expect(short(value)).toBe(text)
  })
  it.each([[3.4, '3 s'], [180, '3 min'], [7_300, '2 h'], [400_000, '5 d'], [-1, '0 s']])('%j seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text)
  })
  it.each([['responseTimeSeconds', 'response time seconds'], ['ahead1SeasonsAgo', 'ahead 1 seasons ago'], ['no_action_needed', 'no action needed'], ['lag0', 'lag 0']])('%s reads %s', (name, text) => {
    expect(words(name)).toBe(text)
  })
})
