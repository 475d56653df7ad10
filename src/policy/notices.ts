import type { Policy } from '../domain.ts'
import { budgetWarning } from './budget.ts'
import { defaultOutageHold } from './defaults.ts'
import { activeOverrides, contradictions } from './overrides.ts'
import type { Seen } from './scaling-state.ts'

/** What a decision has to say although it changed nothing: a hold that is over, a budget that runs out. */
export function noticesOf (replicas: number, { at, currentReplicas, state: { guards } }: Seen, policy: Policy): string[] {
  const { outageHold: { ttlSeconds } = defaultOutageHold, upstreams = [], holdSeconds } = policy
  const held = `held back scale-in for ${ttlSeconds} s, which is as long as it may`
  const released = guards?.outage?.releasedAt === at ? [`OutageReleased: a collapse of the load ${held}`] : []
  const outlasted = upstreams.filter(({ since, asOf }) => at >= since + ttlSeconds * 1000 && at - asOf <= holdSeconds * 1000)
    .map(({ service, trouble }) => `OutageReleased: the ${trouble} of ${service} ${held}`)
  const warning = budgetWarning(replicas, guards?.spending ?? null, policy)
  return [...released, ...ttlSeconds > 0 ? outlasted : [], ...contradictions(activeOverrides(policy, at), currentReplicas), ...warning === null ? [] : [warning]]
}

/** Since when this service is down, by its load or by an operator's word; services that depend on it hold their scale-in. */
export function outageSince ({ at, state: { guards } }: Seen, policy: Policy): number | null {
  if (guards?.outage) return guards.outage.since
  return activeOverrides(policy, at).some(({ kind }) => kind === 'outage') ? at : null
}
