import type { Savings } from '../domain.ts'
import { percent, short } from './format.ts'

/** "12.4 instance-hours (31 %), 3.2 violation minutes more"; less than nothing is a loss. */
export function savingsText ({ hpa, prescale }: Pick<Savings, 'hpa' | 'prescale'>): string {
  const hours = hpa.instanceHours - prescale.instanceHours
  const minutes = hpa.violationMinutes - prescale.violationMinutes
  const cost = `${short(hours)} instance-hours${hpa.instanceHours > 0 ? ` (${percent(hours / hpa.instanceHours)})` : ''}`
  if (Math.abs(minutes) < 0.05) return cost
  return `${cost}, ${short(Math.abs(minutes))} violation minutes ${minutes > 0 ? 'fewer' : 'more'}`
}
