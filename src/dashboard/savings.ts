import { ask, pathOf } from './api.ts'
import { percent, short } from './format.ts'

/** As GET /v1/services/{service}/savings gives it. */
export interface SavingsAnswer {
  readonly hours: number
  readonly saved: { readonly instanceHours: number, readonly instanceHoursRatio: number, readonly violationMinutes: number, readonly money: number | null }
}

/** Null while nothing has been compared. */
export const readSavings = (service: string, signal: AbortSignal): Promise<SavingsAnswer | null> =>
  ask<SavingsAnswer>(`${pathOf(service)}/savings`, { signal }).catch(() => null)

/** "12.4 instance-hours (31 %), 3.2 violation minutes more"; what was lost is said as such. */
export function savingsText ({ saved: { instanceHours, instanceHoursRatio, violationMinutes } }: SavingsAnswer): string {
  const cost = `${short(instanceHours)} instance-hours (${percent(instanceHoursRatio)})`
  const minutes = Math.abs(violationMinutes)
  if (minutes < 0.05) return cost
  return `${cost}, ${short(minutes)} violation minutes ${violationMinutes > 0 ? 'fewer' : 'more'}`
}
