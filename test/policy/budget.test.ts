import { describe, expect, it } from 'vitest'
import type { Policy } from '../../src/domain.ts'
import { keepBudget, spend } from '../../src/policy/budget.ts'
import { minute, policy } from '../support/scaling.ts'
import { createService, reasonOf } from './guarding.ts'

const hour = 60 * minute
const budget = { instanceHoursPerDay: 100, timeZone: 'UTC' }
const rules: Policy = { ...policy, minReplicas: 2, budget }

describe('what a day has come to', () => {
  it('is replicas by the time since the last sample', () => {
    const first = spend(null, { at: 8 * hour, replicas: 10 }, budget)
    // 10 × 2 h, then 4 × 1 h
    const second = spend(first, { at: 10 * hour, replicas: 10 }, budget)
    expect([first.usedHours, second.usedHours, spend(second, { at: 11 * hour, replicas: 4 }, budget).usedHours]).toEqual([0, 20, 24])
  })

  it('begins anew at midnight, with what fell into the new day', () => {
    const before = { day: 0, usedHours: 90, countedTo: 23 * hour }
    expect(spend(before, { at: 26 * hour, replicas: 5 }, budget)).toEqual({ day: 24 * hour, usedHours: 10, countedTo: 26 * hour })
  })

  it('has the midnight of its time zone, also on days of 23 and 25 hours', () => {
    const berlin = { ...budget, timeZone: 'Europe/Berlin' }
    const midnightOf = (text: string) => new Date(spend(null, { at: Date.parse(text), replicas: 1 }, berlin).day).toISOString()
    expect(midnightOf('2026-10-25T12:00:00Z')).toBe('2026-10-24T22:00:00.000Z')
    expect(midnightOf('2026-10-26T12:00:00Z')).toBe('2026-10-25T23:00:00.000Z')
  })

  it('a clock that jumps ahead or back counts nothing twice', () => {
    const spending = { day: 0, usedHours: 10, countedTo: 12 * hour }
    expect(spend(spending, { at: 11 * hour, replicas: 5 }, budget).usedHours).toBe(10)
    expect(spend(spending, { at: 365 * 24 * hour, replicas: 5 }, budget)).toMatchObject({ usedHours: 0 })
  })
})

describe('the limit', () => {
  it.each([
    // 100 − 10 are left, 2 × 12 h of them for the fewest: 66 to spare
    { name: 'is far while much is left', usedHours: 10, at: 12, wanted: 60, expected: 60 },
    // 44 left, 24 for the fewest: 20 to spare, for an hour
    { name: 'lets only go what an hour can pay', usedHours: 56, at: 12, wanted: 60, expected: 22 },
    { name: 'leaves what is below it alone', usedHours: 56, at: 12, wanted: 21, expected: 21 },
    { name: 'is the fewest when no more is left than they need', usedHours: 76, at: 12, wanted: 60, expected: 2 },
    { name: 'never takes the fewest', usedHours: 500, at: 12, wanted: 60, expected: 2 },
    // 3 left for half an hour, 1 for the fewest: 2 to spare, which is 4 for half an hour
    { name: 'spends what is left in the last hour', usedHours: 97, at: 23.5, wanted: 60, expected: 6 }
  ])('$name', ({ usedHours, at, wanted, expected }) => {
    expect(keepBudget(wanted, { day: 0, usedHours, countedTo: at * hour }, rules).replicas).toBe(expected)
  })

  it('glides as the day goes on, after a warning, and the budget holds but for what the fewest need', () => {
    const shop = createService({ rules })
    const decisions = Array.from({ length: 1438 }, () => shop.pass(1, 700))
    const limited = decisions.findIndex(decision => reasonOf(decision, 'budget') !== undefined)
    const warned = decisions.findIndex(({ notices }) => notices?.[0].startsWith('BudgetWarning: '))

    // Ten replicas all day would be 240 instance-hours.
    expect(warned).toBe(0)
    expect(limited).toBeGreaterThan(300)
    expect(reasonOf(decisions[limited], 'budget')).toMatch(/^BudgetLimit: .* of 100 instance-hours are left for .* h, at most 9$/)
    const gliding = decisions.slice(limited, -60).map(({ replicas }) => replicas)
    expect(gliding).toEqual(gliding.toSorted((a, b) => b - a))
    expect(decisions.reduce((sum, { replicas }) => sum + replicas / 60, 0)).toBeLessThanOrEqual(100.2)
    expect(decisions.at(-1)!.replicas).toBeGreaterThanOrEqual(2)
  })

  it('says before it bites how long the budget lasts', () => {
    const { notices } = createService({ rules }).pass(1, 700)
    // 100 − 2 × 24 to spare, (10 − 2) an hour
    expect(notices).toEqual(['BudgetWarning: 100 of 100 instance-hours are left for 24 h; 10 replicas use them up in 6.5 h'])
  })
})
