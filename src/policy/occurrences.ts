import { CronExpressionParser } from 'cron-parser'

/** The latest time of a cron expression up to a moment, and the next one after it. Epoch ms. */
export interface Occurrence { readonly start: number, readonly next: number }

/** Working one out takes far longer than all else; samples come in order, so the last one of each expression is remembered. */
const remembered = new Map<string, Occurrence>()
const mostRemembered = 1000

/**
 * Wall-clock times: 08:00 stays 08:00 when the clocks change. A time that a change skips comes an hour later; one that comes twice counts twice.
 *
 * @param cron five fields, or six with seconds first. @param timeZone an IANA name such as Europe/Berlin.
 * @throws Error if the expression or the time zone is none.
 */
export function occurrenceAt (cron: string, timeZone: string, at: number): Occurrence {
  const key = `${cron}|${timeZone}`
  const known = remembered.get(key)
  if (known !== undefined && known.start <= at && at < known.next) return known
  const after = (moment: number) => CronExpressionParser.parse(cron, { tz: timeZone, currentDate: moment }).next().getTime()
  let start = CronExpressionParser.parse(cron, { tz: timeZone, currentDate: at + 1 }).prev().getTime()
  let next = after(start)
  // Looking back, the parser passes over a time that a change of the clocks has moved.
  while (next <= at) {
    start = next
    next = after(start)
  }
  const occurrence = { start, next }
  if (remembered.size >= mostRemembered) remembered.clear()
  remembered.set(key, occurrence)
  return occurrence
}
