import type { Policy, Recommendation, Signals } from '../domain.ts'
import { usable } from './demand.ts'
import { replicasForLoad, replicasForUsage } from './hpa.ts'

/** What one further signal asks for; null where it was not measured. */
export interface DriverReading { readonly signal: string, readonly value: number | null }

export function readDrivers (signals: Signals, { drivers = [] }: Policy): DriverReading[] {
  return drivers.map(({ signal }) => ({ signal, value: usable(signals, signal) }))
}

interface Running { readonly readyReplicas: number, readonly currentReplicas: number }

/** Exactly what HPA would compute for each signal that was measured. */
export function fromDrivers (readings: readonly DriverReading[], { readyReplicas, currentReplicas }: Running, { drivers = [], behavior }: Policy): Recommendation[] {
  return drivers.flatMap(({ kind, signal, atTarget }) => {
    const value = readings.find(reading => reading.signal === signal)?.value ?? null
    if (value === null) return []
    const replicas = kind === 'ratio'
      ? replicasForUsage(value, { atTarget, readyReplicas, currentReplicas, behavior })
      : replicasForLoad(value, { atTarget, currentReplicas, behavior })
    const measured = kind === 'ratio' ? `${value} of ${readyReplicas} replicas, target ${atTarget}` : `${value}, ${atTarget} for each replica`
    return [{ source: 'reactive' as const, signal, replicas, reason: `${signal} ${measured}: ${replicas === 1 ? '1 replica' : `${replicas} replicas`}` }]
  })
}
