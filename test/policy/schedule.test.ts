import { describe, expect, it } from 'vitest'
import type { Policy, Schedule } from '../../src/domain.ts'
import { occurrenceAt } from '../../src/policy/occurrences.ts'
import { schedulesAt, spanAt } from '../../src/policy/schedule.ts'
import { minute, policy, sampleAt } from '../support/scaling.ts'
import { createService, reasonOf } from './guarding.ts'

const utc = (text: string) => Date.parse(`${text}Z`)
const iso = (at: number) => new Date(at).toISOString().slice(0, 16)
const inBerlin = (cron: string, lasts: number | string): Schedule => ({ times: { kind: 'cron', cron, timeZone: 'Europe/Berlin', lasts }, reason: 'office', minReplicas: 10 })

describe('a time of a cron expression', () => {
  it.each([
    { name: 'counts from its very minute', at: '2026-10-20T06:00', start: '2026-10-20T06:00', next: '2026-10-21T06:00' },
    { name: 'lasts until just before the next', at: '2026-10-20T05:59', start: '2026-10-19T06:00', next: '2026-10-20T06:00' },
    // 08:00 in Berlin is 06:00 UTC in summer and 07:00 in winter; the clocks change on 25 October and on 29 March.
    { name: 'stays at its wall-clock time when summer ends', at: '2026-10-25T06:30', start: '2026-10-24T06:00', next: '2026-10-25T07:00' },
    { name: 'stays at its wall-clock time when summer begins', at: '2027-03-28T06:30', start: '2027-03-28T06:00', next: '2027-03-29T06:00' }
  ])('$name', ({ at, start, next }) => {
    const occurrence = occurrenceAt('0 8 * * *', 'Europe/Berlin', utc(at))
    expect({ start: iso(occurrence.start), next: iso(occurrence.next) }).toEqual({ start, next })
  })

  it('that summer time skips comes an hour later, and no day goes without', () => {
    // 02:30 does not exist on 28 March 2027: 03:30 summer time is 01:30 UTC, as 02:30 winter time would have been.
    const days = ['2027-03-27T12:00', '2027-03-28T12:00', '2027-03-29T12:00'].map(at => iso(occurrenceAt('30 2 * * *', 'Europe/Berlin', utc(at)).start))
    expect(days).toEqual(['2027-03-27T01:30', '2027-03-28T01:30', '2027-03-29T00:30'])
  })
})

describe('a span', () => {
  it.each([
    { name: 'of so many seconds', lasts: 3600, at: '2026-10-20T06:30', to: '2026-10-20T07:00' },
    { name: 'until another time', lasts: '0 18 * * *', at: '2026-10-20T06:30', to: '2026-10-20T16:00' },
    // Ten hours of wall-clock time, an hour later
    { name: 'until another time after the clocks changed', lasts: '0 18 * * *', at: '2026-10-25T07:30', to: '2026-10-25T17:00' },
    // The hour that comes twice makes the night of 24 October eleven hours long.
    { name: 'over a night in which an hour comes twice', lasts: '0 4 * * *', cron: '0 18 * * *', at: '2026-10-24T16:30', to: '2026-10-25T03:00' }
  ])('$name', ({ cron = '0 8 * * *', lasts, at, to }) => {
    expect(iso(spanAt(inBerlin(cron, lasts).times, utc(at))!.to)).toBe(to)
  })

  it('of an event that lies ahead is none yet', () => {
    expect(spanAt({ kind: 'once', at: 1000, until: 2000 }, 999)).toBeNull()
    expect(spanAt({ kind: 'once', at: 1000, until: 2000 }, 1000)).toEqual({ from: 1000, to: 2000 })
  })
})

describe('what is in force', () => {
  const schedules = [inBerlin('0 8 * * 1-5', '0 18 * * 1-5')]
  const lead = 3 * minute

  it.each([
    { name: 'nothing before anything has to be got ready', at: '2026-10-20T05:56', expected: [] },
    { name: 'what begins within the lead time', at: '2026-10-20T05:57', expected: [false] },
    { name: 'what has begun', at: '2026-10-20T06:00', expected: [true] },
    { name: 'until its last minute', at: '2026-10-20T15:59', expected: [true] },
    { name: 'nothing from its end on', at: '2026-10-20T16:00', expected: [] },
    { name: 'nothing at weekends', at: '2026-10-24T08:00', expected: [] }
  ])('is $name', ({ at, expected }) => {
    expect(schedulesAt(schedules, utc(at), lead).map(({ hasBegun }) => hasBegun)).toEqual(expected)
  })
})

describe('the stage', () => {
  const event = (limits: Partial<Schedule>, from = 100, to = 160): Schedule => ({ times: { kind: 'once', at: from * minute, until: to * minute }, reason: 'sale', ...limits })
  const under = (...schedules: Schedule[]): Policy => ({ ...policy, schedules })
  /** Steady at 700, which reacts with 10; the decision of each minute from 95 on. */
  const decisions = (rules: Policy, minutes = 80) => {
    const shop = createService({ rules })
    shop.pass(94, 700)
    return Array.from({ length: minutes }, () => shop.pass(1, 700))
  }
  const replicasAt = (all: ReturnType<typeof decisions>, at: number) => all[at - 95].replicas

  it('has a floor ready when the event begins, and lets go with its end', () => {
    const all = decisions(under(event({ minReplicas: 30 })))
    // 120 s to start and one step until the wish is obeyed: wished for at minute 97
    expect([96, 97, 100, 159, 160].map(at => replicasAt(all, at))).toEqual([10, 30, 30, 30, 10])
    expect(reasonOf(all[2], 'schedule')).toBe('ScheduledFloor: sale, at least 30, ready for 1970-01-01T01:40:00.000Z')
    expect(reasonOf(all[5], 'schedule')).toBe('ScheduledFloor: sale, at least 30, until 1970-01-01T02:40:00.000Z')
  })

  it('puts a ceiling on only when the event begins', () => {
    const all = decisions(under(event({ maxReplicas: 4 })))
    expect([99, 100, 159].map(at => replicasAt(all, at))).toEqual([10, 4, 4])
    expect(reasonOf(all[5], 'schedule')).toBe('ScheduledCeiling: sale, at most 4, until 1970-01-01T02:40:00.000Z')
  })

  it('multiplies the load before the event where no season is known, and not what the event itself brings', () => {
    const shop = createService({ rules: under(event({ factor: 3 })) })
    shop.pass(96, 700)
    // 3 × 700 / 70
    expect(shop.pass(1, 700)).toMatchObject({ replicas: 30 })
    shop.pass(3, 700)
    shop.pass(13, 2100)
    const during = shop.pass(1, 2100)
    expect(during.replicas).toBe(30)
    const ahead = createService({ rules: under(event({ factor: 3 })) })
    expect(reasonOf(ahead.pass(97, 700), 'schedule')).toBe('ScheduledFloor: sale, at least 30 (3 times the usual load), ready for 1970-01-01T01:40:00.000Z')
  })

  it('multiplies the same time of the last season where one is known', () => {
    const hourly: Policy = { ...under(event({ factor: 2 }, 100, 110)), seasonSeconds: 3600 }
    const shop = createService({ rules: hourly })
    // An hour before the event 1,400 were asked for, since then 350.
    shop.pass(45, 1400)
    shop.pass(54, 350)
    // 2 × 1,400 / 70
    expect(shop.pass(1, 350).replicas).toBe(40)
  })

  it('where schedules contradict each other the floor counts', () => {
    expect(replicasAt(decisions(under(event({ minReplicas: 20 }), event({ maxReplicas: 5 }))), 105)).toBe(20)
    expect(replicasAt(decisions(under(event({ minReplicas: 20 }), event({ minReplicas: 25 }))), 105)).toBe(25)
  })

  it('stays within the range of the service', () => {
    expect(replicasAt(decisions(under(event({ minReplicas: 500 }))), 105)).toBe(50)
  })

  it('knows no time but that of the sample', () => {
    const rules = under(event({ minReplicas: 30 }))
    expect(createService({ rules }).see(sampleAt(100, { requestsPerSecond: 700 })).replicas).toBe(30)
    expect(createService({ rules }).see(sampleAt(160, { requestsPerSecond: 700 })).replicas).toBe(10)
  })
})
