import type { Objective } from '../domain.ts'
import type { Score } from './score.ts'

/** In whatever currency the objective is. */
export interface Money { readonly instances: number, readonly violations: number, readonly total: number }

/** What instances and violating minutes cost; null where nobody said. */
export function moneyOf ({ instanceHours, violationMinutes }: Pick<Score, 'instanceHours' | 'violationMinutes'>, objective: Objective | undefined): Money | null {
  if (objective === undefined) return null
  const instances = instanceHours * objective.costPerReplicaHour
  const violations = violationMinutes * objective.costPerViolationMinute
  return { instances, violations, total: instances + violations }
}
