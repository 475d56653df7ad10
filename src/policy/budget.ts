import type { Policy } from '../domain.ts'
import { occurrenceAt } from './occurrences.ts'

type Budget = NonNullable<Policy['budget']>

/** What the instances of one day have come to. */
export interface Spending {
  /** Epoch ms of the midnight that it counts from. */
  readonly day: number
  readonly usedHours: number
  /** Epoch ms up to which it is counted. */
  readonly countedTo: number
}

const hourMs = 3600_000
const midnight = '0 0 * * *'

/** Counts the replicas that ran since the last sample; a new day begins with nothing. */
export function spend (before: Spending | null, { at, replicas }: { at: number, replicas: number }, { timeZone }: Budget): Spending {
  const day = occurrenceAt(midnight, timeZone, at).start
  const from = Math.max(day, before?.countedTo ?? at)
  const used = before?.day === day ? before.usedHours : 0
  return { day, usedHours: used + replicas * Math.max(0, at - from) / hourMs, countedTo: at }
}

/** What is left of the day: its hours, its instance-hours, and those that the fewest replicas will not need. */
function left ({ day, usedHours, countedTo }: Spending, { budget, minReplicas }: { budget: Budget, minReplicas: number }) {
  const hours = (occurrenceAt(midnight, budget.timeZone, day).next - countedTo) / hourMs
  const instanceHours = Math.max(0, budget.instanceHoursPerDay - usedHours)
  return { hours, instanceHours, spareHours: Math.max(0, instanceHours - minReplicas * hours) }
}

/** Above the fewest, only so many as can be paid for an hour, or for the rest of the day: what is left shrinks, and the replicas glide with it. */
export function keepBudget (replicas: number, spending: Spending | null, { budget, minReplicas }: Policy): { replicas: number, reason: string } {
  if (budget === undefined || spending === null) return { replicas, reason: '' }
  const { hours, instanceHours, spareHours } = left(spending, { budget, minReplicas })
  const limit = minReplicas + Math.floor(spareHours / Math.min(1, Math.max(hours, 1e-3)))
  const reason = `BudgetLimit: ${tenths(instanceHours)} of ${budget.instanceHoursPerDay} instance-hours are left for ${tenths(hours)} h, at most ${limit}`
  return { replicas: Math.min(replicas, Math.max(limit, minReplicas)), reason }
}

/** Said while the budget does not limit yet and would be used up before the day is over. */
export function budgetWarning (replicas: number, spending: Spending | null, { budget, minReplicas }: Policy): string | null {
  if (budget === undefined || spending === null || replicas <= minReplicas) return null
  const { hours, instanceHours, spareHours } = left(spending, { budget, minReplicas })
  if (replicas * hours <= instanceHours) return null
  const lasts = Math.max(0, spareHours / (replicas - minReplicas))
  return `BudgetWarning: ${tenths(instanceHours)} of ${budget.instanceHoursPerDay} instance-hours are left for ${tenths(hours)} h; ${replicas} replicas use them up in ${tenths(lasts)} h`
}

const tenths = (value: number) => Number(value.toFixed(1))
