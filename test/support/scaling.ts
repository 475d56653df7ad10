import type { Policy, Sample } from '../../src/domain.ts'
import { LoadForecaster } from '../../src/ml/forecaster.ts'
import { createRandom } from '../../src/ml/random.ts'
import type { Models } from '../../src/pipeline.ts'
import { defaultBehavior } from '../../src/policy/defaults.ts'
import { createForecastRows } from '../../src/learning/forecast-rows.ts'
import { generateWorkload, type Workload } from '../../training/generate-workloads.ts'

export const minute = 60_000

/** One instance carries 100 requests/s, 70 at the target; two minutes to start; minutes as steps. */
export const policy: Policy = {
  mode: 'act',
  minReplicas: 1,
  maxReplicas: 50,
  target: { kind: 'perReplica', signal: 'requestsPerSecond', atTarget: 70, utilization: 0.7 },
  startUpSeconds: 120,
  stepSeconds: 60,
  seasonSeconds: 86_400,
  violationTarget: 0.01,
  behavior: defaultBehavior,
  holdSeconds: 900,
  decisionTtlSeconds: 180,
  falseAlarmsPerWeek: 1
}

export const noModels: Models = { forecast: null, anomaly: null, config: null }

export function sampleAt (minutes: number, signals: Record<string, number>): Sample {
  return { service: 'shop', at: minutes * minute, signals }
}

/** A forecaster that has seen the given steps of a workload; small, for tests. */
export function trainedOn (workload: Workload, { steps, trees = 12 }: { steps: number, trees?: number }): LoadForecaster {
  const { loads, startAt, stepSeconds, seasonSeconds, capacity } = workload
  const rows = createForecastRows({ stepSeconds, seasonSeconds, horizons: [3], unit: capacity, capacity: 1500, random: createRandom(1) })
  loads.subarray(0, steps).forEach((load, i) => {
    if (Number.isFinite(load)) rows.add((startAt + (i + 1) * stepSeconds) * 1000, load)
  })
  const set = rows.set()
  const forest = { trees, minLeaf: 5, maxFeatures: Math.ceil(set.features.length / 3) }
  return LoadForecaster.train(set, { options: { forest, ridgePenalty: 1e-3 }, random: createRandom(2), version: 'load/test' })
}

export const smallWorkload = () => generateWorkload('small', { seed: 3, steps: 4000 })
