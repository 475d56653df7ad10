import type { ServiceSettings } from './config-schema.ts'
import type { Driver, Policy, Schedule } from './domain.ts'
import type { ErrorDetail } from './errors.ts'
import { defaultIdle, defaultSpikeCap } from './policy/defaults.ts'
import { occurrenceAt } from './policy/occurrences.ts'

type ScheduleSettings = NonNullable<ServiceSettings['schedules']>[number]

/** What guards, limits and drives beside the load; what is not asked for stays absent. */
export function toGuards ({ outageHold, spikeCap, budget, schedules, drivers, activationLoad, idleSeconds }: ServiceSettings): Partial<Policy> {
  return {
    ...(outageHold && { outageHold }),
    ...(spikeCap && { spikeCap: { ...defaultSpikeCap, ...spikeCap } }),
    ...(budget && { budget: { timeZone: 'UTC', ...budget } }),
    ...(schedules && { schedules: schedules.map(toSchedule) }),
    ...(drivers && { drivers: Object.entries(drivers).map(toDriver) }),
    ...((activationLoad ?? idleSeconds) !== undefined && {
      idle: { activationLoad: activationLoad ?? defaultIdle.activationLoad, idleSeconds: idleSeconds ?? defaultIdle.idleSeconds }
    })
  }
}

/** Only of a checked one. */
function toSchedule ({ cron, at, timeZone = 'UTC', durationSeconds = 0, until, ...rest }: ScheduleSettings): Schedule {
  if (cron !== undefined) return { ...rest, times: { kind: 'cron', cron, timeZone, lasts: until ?? durationSeconds } }
  const from = Date.parse(at!)
  return { ...rest, times: { kind: 'once', at: from, until: until === undefined ? from + durationSeconds * 1000 : Date.parse(until) } }
}

function toDriver ([signal, amount]: [string, number | { perReplica: number }]): Driver {
  return typeof amount === 'number' ? { kind: 'ratio', signal, atTarget: amount } : { kind: 'perReplica', signal, atTarget: amount.perReplica }
}

/** @param own what is said of this service alone. @param all the defaults of the file included. */
export function checkGuards ({ schedules, budget, drivers }: ServiceSettings, { minReplicas, target }: ServiceSettings, at: (key: string) => string): ErrorDetail[] {
  return [
    ...checkSchedules(schedules, at('schedules')),
    ...checkBudget(budget, at('budget')),
    ...checkDrivers(drivers, at('drivers')),
    ...checkIdle(minReplicas, target, at('minReplicas'))
  ]
}

/** Each schedule for itself; `path` is that of the list. */
function checkSchedules (schedules: readonly ScheduleSettings[] = [], path: string): ErrorDetail[] {
  return schedules.flatMap((schedule, i) => checkSchedule(schedule, `${path}[${i}]`))
}

function checkSchedule (schedule: ScheduleSettings, path: string): ErrorDetail[] {
  const { cron, at, until, durationSeconds, timeZone = 'UTC', factor, minReplicas, maxReplicas } = schedule
  const details: ErrorDetail[] = []
  const say = (key: string | null, value: unknown, expected: string) => { details.push({ path: key === null ? path : `${path}.${key}`, value, expected }) }
  if ((cron === undefined) === (at === undefined)) say(null, schedule, 'either cron or at')
  if ((until === undefined) === (durationSeconds === undefined)) say(null, schedule, 'either until or durationSeconds')
  if ((factor ?? minReplicas ?? maxReplicas) === undefined) say(null, schedule, 'minReplicas, maxReplicas or factor')
  if (minReplicas !== undefined && maxReplicas !== undefined && minReplicas > maxReplicas) say('minReplicas', minReplicas, `at most maxReplicas, which is ${maxReplicas}`)
  if (!isTimeZone(timeZone)) say('timeZone', timeZone, 'a time zone such as Europe/Berlin')
  else if (cron !== undefined) {
    for (const [key, value] of Object.entries({ cron, ...until !== undefined && { until } })) {
      const problem = cronProblem(value)
      if (problem !== null) say(key, value, `a cron expression such as "0 8 * * 1-5" (${problem})`)
    }
  }
  if (at !== undefined && until !== undefined && !(Date.parse(until) > Date.parse(at))) say('until', until, `a date and time after ${at}`)
  return details
}

/** Why an expression is none that ever comes true; null where it is one. */
function cronProblem (cron: string): string | null {
  if (cron.trim().split(/\s+/).length !== 5) return 'five fields: minute, hour, day of month, month, day of week'
  try {
    occurrenceAt(cron, 'UTC', 0)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

function isTimeZone (timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

function checkBudget (budget: ServiceSettings['budget'], path: string): ErrorDetail[] {
  if (budget?.timeZone === undefined || isTimeZone(budget.timeZone)) return []
  return [{ path: `${path}.timeZone`, value: budget.timeZone, expected: 'a time zone such as Europe/Berlin' }]
}

/** A ratio is a number, and an amount is not. */
function checkDrivers (drivers: ServiceSettings['drivers'] = {}, path: string): ErrorDetail[] {
  return Object.entries(drivers).flatMap(([signal, amount]) => {
    const isRatio = signal.endsWith('Ratio')
    if (isRatio === (typeof amount === 'number')) return []
    return [{ path: `${path}.${signal}`, value: amount, expected: isRatio ? 'a ratio above 0 and at most 1' : 'an amount for each replica such as { perReplica: 30 }' }]
  })
}

/** Without instances nobody measures their usage: such a load could never wake a service. */
function checkIdle (minReplicas: number | undefined, target: ServiceSettings['target'], path: string): ErrorDetail[] {
  const signal = typeof target === 'object' ? Object.keys(target).find(name => name.endsWith('Ratio')) : undefined
  if (minReplicas !== 0 || signal === undefined) return []
  return [{ path, value: minReplicas, expected: `at least 1 with a target of ${signal}, which nobody measures while no instance runs` }]
}
