import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Policy, Sample } from '../../src/domain.ts'
import type { Models } from '../../src/pipeline.ts'
import type { ResolvedService } from '../../src/process-envelope.ts'
import type { Keys } from '../../src/store/keys.ts'
// @ts-expect-error plain JavaScript, for the worker process has no TypeScript
import * as setting from './worker-setting.mjs'

export const policy = setting.policy as unknown as Policy
export const noModels = setting.noModels as Models
export const resolved = setting.resolved as unknown as ResolvedService

export const sample = (service: string, at: number, signals: Record<string, number> = { requestsPerSecond: 100 }): Sample => ({ service, at, signals })

/** Names of services, as many of them in each partition as in any other. */
export function servicesIn (keys: Keys, perPartition: number): string[] {
  const counts = Array.from({ length: keys.partitions }, () => 0)
  const services: string[] = []
  for (let number = 0; services.length < keys.partitions * perPartition; number++) {
    const service = `service-${number}`
    if (counts[keys.partitionOf(service)]++ < perPartition) services.push(service)
  }
  return services
}

/** A worker in a process of its own, from dist/ (vitest's TypeScript ends at its own process). */
export async function startWorkerProcess ({ url, prefix, partitions, jobMs }: { url: string, prefix: string, partitions: number, jobMs: number }): Promise<ChildProcess> {
  const entry = fileURLToPath(new URL('./worker-process.mjs', import.meta.url))
  const child = fork(entry, [url, prefix, String(partitions), String(jobMs)])
  await Promise.race([once(child, 'message'), once(child, 'exit').then(() => { throw new Error('The worker process ended; was dist/ built?') })])
  return child
}

export async function endProcess (child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}
