import { createRandom } from '../../src/ml/random.ts'
import type { Optimum } from './optima.ts'
import { createScenario, observeSignals, observeUtility, workloadAt, type ScenarioName, type Step } from './scenario.ts'
import { defaults, evaluate, signalsOf } from './service.ts'
import type { Strategy } from './strategies.ts'

export interface RunTrace {
  /** True utilities, one for each step: of what ran, of the defaults, of the best. */
  readonly utility: readonly number[]
  readonly defaults: readonly number[]
  readonly best: readonly number[]
  readonly changes: readonly number[]
  /** Of a suggestion alone, and of suggesting and learning. */
  readonly suggestMs: readonly number[]
  readonly stepMs: readonly number[]
}

export interface RunOptions {
  readonly seed: number
  readonly steps: number
  /** Whether the signals describe this step's load (under the configuration that ran before), or only the step before. */
  readonly signals: 'present' | 'previous'
  readonly optima: readonly Optimum[]
  readonly now: () => number
}

/** One strategy through one scenario. */
export async function runScenario (name: ScenarioName, createStrategy: (seed: number) => Strategy, { seed, steps, signals, optima, now }: RunOptions): Promise<RunTrace> {
  const scenario = createScenario(name, { seed, steps, random: createRandom(1000 + seed) })
  const noise = createRandom(2000 + seed)
  const strategy = createStrategy(3000 + seed)
  const bestOf = new Map(optima.map(optimum => [`${optimum.regime} ${optimum.level}`, optimum]))
  const trace = { utility: [] as number[], defaults: [] as number[], best: [] as number[], changes: [] as number[], suggestMs: [] as number[], stepMs: [] as number[] }
  let config: readonly number[] = defaults
  for (const [t, step] of scenario.entries()) {
    const seen: Step = signals === 'present' || t === 0 ? step : scenario[t - 1]
    const workload = workloadAt(seen)
    const observed = observeSignals(signalsOf(workload, evaluate(workload, config)), noise)
    const started = now()
    config = strategy.propose(observed)
    const proposed = now()
    const optimum = bestOf.get(`${step.regime} ${step.level}`)!
    const utility = evaluate(workloadAt(step), config).utility
    const reported = observeUtility(utility, noise)
    const resumed = now()
    await strategy.learn(reported, optimum.config)
    trace.suggestMs.push(proposed - started)
    trace.stepMs.push(proposed - started + now() - resumed)
    trace.utility.push(utility)
    trace.defaults.push(optimum.defaultUtility)
    trace.best.push(Math.max(optimum.utility, utility))
    if (t > 0 && scenario[t - 1].regime !== step.regime) trace.changes.push(t)
  }
  return trace
}

/** 0 = as good as the defaults, 1 = the best there is, over the steps from `from` to before `to`. */
export function gain ({ utility, defaults, best }: RunTrace, from: number, to: number): number {
  let won = 0
  let possible = 0
  for (let t = Math.max(0, from); t < to; t++) {
    won += utility[t] - defaults[t]
    possible += best[t] - defaults[t]
  }
  return won / possible
}

/** Share of steps that were more than 5 below what the defaults would have given. */
export function unsafeShare ({ utility, defaults }: RunTrace): number {
  return utility.filter((value, t) => value < defaults[t] - 5).length / utility.length
}

/** For each change of regime, the steps until the gain of the last 20 steps since then reaches 0.7; at most until the next change. */
export function recoverySteps (trace: RunTrace, window = 20): number[] {
  return trace.changes.map((change, i) => {
    const end = trace.changes[i + 1] ?? trace.utility.length
    for (let t = change + 1; t <= end; t++) {
      if (gain(trace, Math.max(change, t - window), t) >= 0.7 && t - change >= Math.min(5, window)) return t - change
    }
    return end - change
  })
}
