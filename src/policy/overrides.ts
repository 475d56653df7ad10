import type { Override, Policy } from '../domain.ts'
import type { Seen } from './scaling-state.ts'

const words = { pause: 'Paused', hold: 'ScaleInHeld', force: 'Forced', outage: 'OutageDeclared' } as const

/** Those that have not ended. */
export function activeOverrides ({ override, overrides = [] }: Policy, at: number): Override[] {
  return [...override ? [override] : [], ...overrides].filter(({ until = Infinity }) => at < until)
}

/**
 * Those of several that cannot all be obeyed, a sentence each; a hold lets more replicas run, and a pause only as many as there are.
 *
 * @param currentReplicas null where nobody knows; then only what contradicts itself whatever runs.
 */
export function contradictions (overrides: readonly Override[], currentReplicas: number | null): string[] {
  const demands = overrides.flatMap(override => {
    const replicas = override.kind === 'force' ? override.replicas : currentReplicas
    return replicas === null ? [] : [{ override, replicas, isExact: override.kind === 'force' || override.kind === 'pause' }]
  })
  const most = demands.reduce<typeof demands[number] | null>((best, demand) => best === null || demand.replicas > best.replicas ? demand : best, null)
  return demands.filter(({ isExact, replicas }) => isExact && replicas < most!.replicas).map(({ override, replicas }) =>
    `OverridesContradict: ${words[override.kind]} (${override.reason}) asks for ${replicas}, ${words[most!.override.kind]} (${most!.override.reason}) for ${most!.replicas}; the most replicas count`)
}

/** Does what operators say. Of several the one with the most replicas counts, because too many cost least; the reason names what it outdoes. */
export function obeyOperators (replicas: number, { at, currentReplicas }: Seen, policy: Policy): { replicas: number, reason: string } {
  const wishes = activeOverrides(policy, at).map(override => ({ override, wanted: replicasUnder(override, replicas, currentReplicas ?? replicas) }))
  if (wishes.length === 0) return { replicas, reason: '' }
  const safest = wishes.reduce((best, wish) => wish.wanted > best.wanted ? wish : best)
  const outdone = wishes.filter(({ wanted }) => wanted < safest.wanted)
    .map(({ override, wanted }) => `${words[override.kind]} (${override.reason}), which asks for ${wanted}`)
  return { replicas: safest.wanted, reason: describe(safest.override) + (outdone.length > 0 ? `; the safest of several, over ${outdone.join(' and ')}` : '') }
}

function describe ({ kind, until, reason }: Override): string {
  return `${words[kind]}${until === undefined ? '' : ` until ${new Date(until).toISOString()}`}: ${reason}`
}

function replicasUnder (override: Override, replicas: number, currentReplicas: number): number {
  switch (override.kind) {
    case 'pause': return currentReplicas
    case 'hold':
    case 'outage': return Math.max(replicas, currentReplicas)
    case 'force': return override.replicas
  }
}
