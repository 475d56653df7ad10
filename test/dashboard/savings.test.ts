import { expect, it } from 'vitest'
import { savingsText } from '../../src/dashboard/savings.ts'

const result = (instanceHours: number, violationMinutes: number) => ({ instanceHours, violationMinutes, violationRatio: 0, changesPerHour: 1 })

it.each([
  // 10 − 8 = 2 of 10; 5 − 3 = 2 minutes.
  [result(10, 5), result(8, 3), '2 instance-hours (20 %), 2 violation minutes fewer'],
  [result(10, 1), result(11, 3), '-1 instance-hours (-10 %), 2 violation minutes more'],
  [result(10, 1), result(9, 1.01), '1 instance-hours (10 %)'],
  [result(0, 0), result(0, 0), '0 instance-hours']
])('what HPA would have taken, %j, and we, %j, is told as a difference', (hpa, prescale, text) => {
  expect(savingsText({ hpa, prescale })).toBe(text)
})
