import { resolveService, type Config } from './config.ts'
import type { Policy } from './domain.ts'
import type { EarlierLoads } from './earlier-loads.ts'
import { stepsApart, type LocalTask } from './learning/train-local.ts'
import type { LoadForecaster } from './ml/forecaster.ts'
import type { Models } from './pipeline.ts'
import { inUse } from './policy/model-contest.ts'
import type { DecisionStore } from './store/decision-store.ts'
import type { KeptLoads, LoadStore } from './store/load-store.ts'
import type { LearningRecord, LocalModelStore } from './store/local-model-store.ts'
import type { SettingsStore } from './store/settings-store.ts'

/** Where it comes from. */
export interface TaskSources {
  readonly config: () => Config
  readonly decisions: Pick<DecisionStore, 'latest'>
  readonly settings: Pick<SettingsStore, 'get'>
  readonly loads: LoadStore
  readonly localModels: Pick<LocalModelStore, 'bytes' | 'standings'>
  readonly models: () => Models
  /** Knows of loads from before they were kept. */
  readonly earlier?: EarlierLoads
  /** Epoch ms. */
  readonly now: () => number
}

export type Prepared =
  /** `inUse`: the version of the service's own model that is in use. */
  | { readonly task: LocalTask, readonly nextAt: number, readonly inUse: string | null }
  /** Why nothing can be learned, and the longest that it is worth waiting. */
  | { readonly missing: string, readonly waitMs: number }

/** Collects what a model of a service is learned from, and what it has to beat. */
export async function prepareTask (service: string, before: LearningRecord | null,
  { config, decisions, settings, loads, localModels, models, earlier, now }: TaskSources): Promise<Prepared> {
  const { rows, minimumSteps, everySeconds } = config().learning
  const [decision, own, stored, standings] = await Promise.all([decisions.latest(service), loads.read(service), settings.get(service), localModels.standings([service])])
  const present = inUse(standings.get(service) ?? [])?.version ?? null
  const rival = await rivalOf(service, present, { before, shipped: models().forecast, localModels })
  const wait = (missing: string, waitMs = everySeconds * 1000): Prepared => ({ missing, waitMs })
  const { policy } = resolveService(service, stored, config())
  if (rival === null) return wait('There is no shipped model that it could be compared with.')
  if (!decision?.forecast || decision.capacity === null) return wait('What one replica carries is not known yet, or no load.')
  const kept = own !== null && earlier !== undefined && knownSteps(own) < minimumSteps ? await earlier.extend(service, own, policy) : own
  const known = knownSteps(kept)
  if (kept === null || known < minimumSteps) {
    const missingMs = (minimumSteps - known) * policy.stepSeconds * 1000
    return wait(`${known} of ${minimumSteps} steps of load are kept.`, Math.min(missingMs, everySeconds * 1000))
  }
  const horizonSteps = Math.round(decision.forecast.horizonSeconds / kept.stepSeconds)
  return {
    inUse: present,
    nextAt: now() + Math.max(everySeconds, stepsApart(known, horizonSteps) * kept.stepSeconds) * 1000,
    task: {
      ...kept,
      seasonSeconds: policy.seasonSeconds,
      horizonSteps,
      capacity: decision.capacity / utilizationOf(policy),
      rows,
      seed: (before?.learned ?? 0) + 1,
      version: `local/${(before?.learned ?? 0) + 1}`,
      rival
    }
  }
}

function knownSteps (kept: KeptLoads | null): number {
  return kept === null ? 0 : kept.loads.reduce((sum, load) => sum + (Number.isFinite(load) ? 1 : 0), 0)
}

function utilizationOf ({ target }: Policy): number {
  return target.kind === 'ratio' ? target.atTarget : target.utilization
}

/** The service's own model that is in use, or else the shipped one. */
async function rivalOf (service: string, present: string | null, { before, shipped, localModels }:
{ before: LearningRecord | null, shipped: LoadForecaster | null, localModels: TaskSources['localModels'] }): Promise<LocalTask['rival'] | null> {
  const own = before?.models.find(({ version }) => version === present)
  const bytes = own && await localModels.bytes(service, own)
  if (own && bytes) return { version: own.version, bytes, seenUntil: own.range.to }
  return shipped && { version: shipped.version, bytes: shipped.toBytes(), seenUntil: null }
}
