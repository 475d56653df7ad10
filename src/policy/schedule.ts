import type { Policy, Schedule, ScheduleTimes } from '../domain.ts'
import { largestBetween } from '../features/window.ts'
import { leadSeconds } from './lead-time.ts'
import { occurrenceAt } from './occurrences.ts'
import type { Seen } from './scaling-state.ts'

/** A time in which something scheduled is in force; epoch ms, the end excluded. */
export interface Span { readonly from: number, readonly to: number }

/** The span that `at` lies in, or the latest before it; null where none has begun by then. */
export function spanAt (times: ScheduleTimes, at: number): Span | null {
  if (times.kind === 'once') return at >= times.at ? { from: times.at, to: times.until } : null
  const { cron, timeZone, lasts } = times
  const { start } = occurrenceAt(cron, timeZone, at)
  return { from: start, to: typeof lasts === 'number' ? start + lasts * 1000 : occurrenceAt(lasts, timeZone, start).next }
}

const isIn = (span: Span | null, at: number): span is Span => span !== null && at < span.to

/** What of the schedules counts at one moment. */
export interface InForce {
  readonly schedule: Schedule
  readonly span: Span
  /** False while it only lies ahead: then instances come, and none go. */
  readonly hasBegun: boolean
}

/** Those in force at `at`, and those that begin within `leadMs`. */
export function schedulesAt (schedules: readonly Schedule[], at: number, leadMs: number): InForce[] {
  return schedules.flatMap((schedule): InForce[] => {
    const now = spanAt(schedule.times, at)
    if (isIn(now, at)) return [{ schedule, span: now, hasBegun: true }]
    const soon = spanAt(schedule.times, at + leadMs)
    return isIn(soon, at) ? [{ schedule, span: soon, hasBegun: false }] : []
  })
}

/** Where no season is known: the load that was there in this time before it began is what the factor multiplies. */
const comparedMs = 3600_000
/** Past loads are kept 0.1 % apart: 30 replicas are not 31 for that. */
const coarseness = 0.001

/** Floors come as early as instances need to start, ceilings with the minute; where they contradict each other the floor counts. */
export function followSchedules (replicas: number, seen: Seen, policy: Policy): { replicas: number, reason: string } {
  const { schedules = [], startUpSeconds, stepSeconds } = policy
  if (schedules.length === 0) return { replicas, reason: '' }
  const leadMs = 1000 * (leadSeconds(seen.state.leadTime, startUpSeconds) + stepSeconds)
  const inForce = schedulesAt(schedules, seen.at, leadMs)
  const floors = inForce.map(entry => ({ entry, limit: floorOf(entry, seen, policy, leadMs) }))
  const ceilings = inForce.filter(({ hasBegun }) => hasBegun).map(entry => ({ entry, limit: entry.schedule.maxReplicas ?? Infinity }))
  const floor = floors.reduce((best, next) => next.limit > best.limit ? next : best, { entry: null as InForce | null, limit: 0 })
  const ceiling = ceilings.reduce((best, next) => next.limit < best.limit ? next : best, { entry: null as InForce | null, limit: Infinity })
  if (floor.entry !== null && replicas < floor.limit) return { replicas: floor.limit, reason: describe('ScheduledFloor', floor.limit, floor.entry) }
  const limit = Math.max(ceiling.limit, floor.limit)
  if (ceiling.entry !== null && replicas > limit) return { replicas: limit, reason: describe('ScheduledCeiling', limit, ceiling.entry) }
  return { replicas, reason: '' }
}

/** The replicas that a schedule asks for at least. */
function floorOf ({ schedule, span }: InForce, { at, state: { window }, fullCapacity, demand }: Seen, { seasonSeconds }: Policy, leadMs: number): number {
  const { minReplicas = 0, factor } = schedule
  if (factor === undefined || window === null || fullCapacity === null) return minReplicas
  const then = Math.max(at, span.from) - seasonSeconds * 1000
  const lastSeason = largestBetween(window, then, Math.min(then + leadMs, span.to - seasonSeconds * 1000))
  const before = Math.min(at, span.from)
  const usual = lastSeason >= 0 ? lastSeason : largestBetween(window, before - comparedMs, before)
  return Math.max(minReplicas, usual >= 0 ? Math.ceil(factor * usual / (fullCapacity * demand.utilization) * (1 - coarseness)) : 0)
}

function describe (word: string, limit: number, { schedule, span, hasBegun }: InForce): string {
  const why = schedule.factor !== undefined && limit !== schedule.minReplicas && word === 'ScheduledFloor' ? ` (${schedule.factor} times the usual load)` : ''
  const when = hasBegun ? `until ${new Date(span.to).toISOString()}` : `ready for ${new Date(span.from).toISOString()}`
  return `${word}: ${schedule.reason}, ${word === 'ScheduledFloor' ? 'at least' : 'at most'} ${limit}${why}, ${when}`
}
