import type { Expectation, Incident, IncidentRemark } from '../domain.ts'
import { distance } from './incident-causes.ts'
import type { IncidentState, Remembered } from './incident.ts'

/** The oldest are forgotten: what nobody has minded for so long is a new question. */
export const mostRemembered = 12
/** An incident shows what its main causes were; those with a small share only moved along. */
const mostExpected = 2
const leastShare = 0.1

const factorOf = { normal: 1.05, real: 0.95 } as const
const factors = { least: 0.75, most: 1.5 }

/** How much farther than the learned threshold a score has to reach: 1.05 for each incident that was normal, 0.95 for each real one, 0.75 to 1.5. */
export function thresholdFactor ({ remembered = [] }: IncidentState): number {
  const factor = remembered.reduce((product, { verdict }) => product * factorOf[verdict], 1)
  return Math.min(factors.most, Math.max(factors.least, factor))
}

export function expectations ({ remembered = [] }: IncidentState): Expectation[] {
  return remembered.flatMap(({ expected }) => expected)
}

/**
 * Remembers what somebody said about an incident, in the place of what was said about it before; null takes it back. Pure.
 *
 * @param incident as it was committed last.
 */
export function remark (state: IncidentState, incident: Incident, { verdict, at, by, note }: IncidentRemark): { state: IncidentState, incident: Incident } {
  const others = (state.remembered ?? []).filter(one => one.incident !== incident.id)
  const own: Remembered[] = verdict === null ? [] : [{ incident: incident.id, verdict, expected: verdict === 'normal' ? shownBy(incident) : [] }]
  const feedback = verdict === null ? null : { verdict, at, by, ...(note !== undefined && { note }) }
  const revised = { ...incident, revision: incident.revision + 1, feedback }
  const newest = state.newest?.id === incident.id ? revised : state.newest
  return { state: { newest, remembered: [...others, ...own].slice(-mostRemembered) }, incident: revised }
}

function shownBy ({ causes }: Incident): Expectation[] {
  return causes.filter(({ share }, i) => i === 0 || share >= leastShare).slice(0, mostExpected)
    .map(cause => ({ signal: cause.signal, direction: cause.direction, size: distance(cause) }))
}
