import { normal, type Random } from '../../src/ml/random.ts'
import { regimeNames, regimes, type Regime, type Workload } from './service.ts'

export const scenarioNames = ['S1', 'S2', 'S3', 'S4'] as const
export type ScenarioName = typeof scenarioNames[number]
export interface Step { readonly regime: Regime, readonly level: number }

/** Share of a regime's largest load at level 0 to 17. */
const levelShare = (level: number) => 0.15 + 0.05 * level
export const levelCount = 18

export function workloadAt ({ regime, level }: Step): Workload {
  return { ...regimes[regime], lam: regimes[regime].lmax * levelShare(level) }
}

function shuffled<T> (items: readonly T[], random: Random): T[] {
  return items.map(item => [random(), item] as const).sort((a, b) => a[0] - b[0]).map(pair => pair[1])
}

/** S1 steady load; S2 one regime with a daily wave of 144 steps; S3 another regime every 250 steps; S4 two that alternate every 100. */
export function createScenario (name: ScenarioName, { seed, steps, random }: { seed: number, steps: number, random: Random }): Step[] {
  const phase = random() * 144
  const order = shuffled(regimeNames, random)
  const regimeAt = (t: number) => {
    if (name === 'S3') return order[Math.floor(t / 250) % 4]
    if (name === 'S4') return order[Math.floor(t / 100) % 2]
    return regimeNames[seed % 4]
  }
  let jitter = 0
  return Array.from({ length: steps }, (_, t) => {
    jitter = 0.8 * jitter + 0.5 * normal(random)
    const base = name === 'S1' ? 10 : 8.5 + 7 * Math.sin(2 * Math.PI * (t + phase) / 144)
    return { regime: regimeAt(t), level: Math.min(17, Math.max(0, Math.round(base + jitter))) }
  })
}

/** What the service's monitoring reports for a step whose true utility is `utility`. */
export function observeUtility (utility: number, random: Random): number {
  const noise = 2.5 * normal(random)
  return utility + noise - (random() < 0.02 ? 5 + 20 * random() : 0)
}

/** Signals with 5 % of multiplicative noise. */
export function observeSignals (signals: readonly number[], random: Random): number[] {
  return signals.map(value => value * Math.exp(0.05 * normal(random)))
}
