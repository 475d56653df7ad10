import { resolveService } from '../config.ts'
import type { Decision, Verdict } from '../domain.ts'
import type { ApiOptions } from './context.ts'
import { readingsOfDecision, readingsOfVerdict, type Reading } from './series.ts'

export type ReadingsContext = Pick<ApiOptions, 'decisions' | 'config' | 'now'>
export interface LatestReadings {
  readonly decision: Decision | null
  readonly verdict: Verdict | null
  /** How long a verdict may be handed out after its sample. */
  readonly lifeSeconds: number
  readonly readings: Reading[]
}

/** What a service said last, valid or not; one read of Redis. */
export async function latestReadings (service: string, { decisions, config, now }: ReadingsContext): Promise<LatestReadings> {
  const { decision, verdict } = await decisions.snapshot(service)
  // A sample may bear a time that is a little ahead of our clock; what rests on it holds from now on.
  const readings = decision === null ? [] : readingsOfDecision({ ...decision, asOf: Math.min(decision.asOf, now()) })
  const lifeSeconds = decision === null ? resolveService(service, null, config()).policy.decisionTtlSeconds : (decision.validUntil - decision.asOf) / 1000
  if (verdict !== null) readings.push(...readingsOfVerdict({ ...verdict, asOf: Math.min(verdict.asOf, now()) }, { lifeSeconds, demo: config().demoServices.has(service) }))
  return { decision, verdict, lifeSeconds, readings }
}
