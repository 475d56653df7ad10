import type { Policy } from '../domain.ts'
import { defaultIdle, wakingShare } from './defaults.ts'
import type { Seen } from './scaling-state.ts'

/**
 * Where none may run: none after an idle time in which nothing is expected either, at least one from the first load on, and never none without
 * knowing the load.
 *
 * @param expectedLoad median of the largest load within the horizon; null where nobody forecasts.
 */
export function activate (replicas: number, { at, demand: { load }, fullCapacity, state: { guards } }: Seen,
  { minReplicas, idle: { activationLoad, idleSeconds } = defaultIdle }: Policy, expectedLoad: number | null): { replicas: number, reason: string } {
  if (minReplicas > 0) return { replicas, reason: '' }
  const atLeastOne = Math.max(1, replicas)
  if (load === null) return { replicas: atLeastOne, reason: 'Active: the load is not known' }
  if (load > activationLoad) return { replicas: atLeastOne, reason: `Active: the load is above ${activationLoad}` }
  const wakes = Math.max(activationLoad, wakingShare * (fullCapacity ?? 0))
  if (expectedLoad !== null && expectedLoad > wakes && expectedLoad > load) return { replicas: atLeastOne, reason: `Active: a load above ${wakes} is expected` }
  const idleFor = (at - (guards?.idleSince ?? at)) / 1000
  if (idleFor < idleSeconds) return { replicas: atLeastOne, reason: `Active: idle for ${idleFor} of ${idleSeconds} s` }
  return { replicas: 0, reason: `Idle: the load has not been above ${activationLoad} for ${idleFor} s` }
}
