import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { gain, recoverySteps, runScenario, unsafeShare, type RunTrace } from '../../bench/tuning/measure.ts'
import { normalCdf } from '../../bench/tuning/normal-cdf.ts'
import { findOptimum } from '../../bench/tuning/optima.ts'
import { createScenario, levelCount, workloadAt } from '../../bench/tuning/scenario.ts'
import { defaults, evaluate, regimeNames, signalsOf, toReal, toUnit, type Regime } from '../../bench/tuning/service.ts'
import { strategies } from '../../bench/tuning/strategies.ts'
import { createRandom } from '../../src/ml/random.ts'

/** What the Python original (numpy 2.4.6, scipy 1.17.1) gives. */
interface Original {
  readonly evaluations: readonly { regime: Regime, level: number, unit: number[], config: number[], utility: number, tailMs: number, signals: number[] }[]
  readonly best: readonly { regime: Regime, level: number, utility: number }[]
  readonly normalCdf: readonly (readonly [number, number])[]
}
const original = JSON.parse(readFileSync(new URL('../fixtures/tuning-service.json', import.meta.url), 'utf8')) as Original

describe('the simulated service of the tuner\'s benchmark', () => {
  it('gives what its Python original gives, to 1e-6, for 200 configurations', () => {
    const far = original.evaluations.filter(({ regime, level, config, utility, tailMs, signals }) => {
      const workload = workloadAt({ regime, level })
      const outcome = evaluate(workload, config)
      const differences = [outcome.utility - utility, (outcome.tailMs - tailMs) / Math.max(1, tailMs), ...signalsOf(workload, outcome).map((value, i) => value - signals[i])]
      return differences.some(difference => !(Math.abs(difference) < 1e-6))
    })
    expect(far).toEqual([])
  })

  it('turns points into the same whole numbers as the original, and those back into points that mean them', () => {
    for (const { unit, config } of original.evaluations) {
      expect(toReal(unit)).toEqual(config)
      expect(toReal(toUnit(config))).toEqual(config)
    }
  })

  it('knows the normal distribution as scipy does', () => {
    for (const [x, probability] of original.normalCdf) expect(Math.abs(normalCdf(x) - probability)).toBeLessThan(1e-14)
  })

  it('finds as good a best configuration as the original, whose random steps are others', { timeout: 120_000 }, () => {
    const { regime, level, utility } = original.best.find(one => one.regime === 'ingest')!
    expect(Math.abs(findOptimum(regime, level).utility - utility)).toBeLessThan(0.1)
  })
})

describe('a scenario', () => {
  const scenario = (name: 'S2' | 'S3' | 'S4', seed = 1) => createScenario(name, { seed, steps: 1000, random: createRandom(seed) })

  it('is one regime, one every 250 steps, or two in turns of 100', () => {
    const regimesOf = (name: 'S2' | 'S3' | 'S4') => scenario(name).map(({ regime }) => regime)
    expect(new Set(regimesOf('S2')).size).toBe(1)
    expect(regimesOf('S3').filter((_, t) => t % 250 === 0).sort()).toEqual([...regimeNames].sort())
    const [first, , third] = [0, 100, 200].map(t => regimesOf('S4')[t])
    expect(third).toBe(first)
    expect(new Set(regimesOf('S4')).size).toBe(2)
  })

  it('has loads that rise and fall with a day of 144 steps, the same for the same seed', () => {
    const levels = scenario('S2').map(({ level }) => level)
    expect(Math.min(...levels)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...levels)).toBeLessThan(levelCount)
    const like = (lag: number) => levels.slice(lag).filter((level, t) => Math.abs(level - levels[t]) <= 3).length / (levels.length - lag)
    expect(like(144)).toBeGreaterThan(0.9)
    expect(like(72)).toBeLessThan(0.4)
    expect(scenario('S2')).toEqual(scenario('S2'))
  })
})

describe('what is measured', () => {
  const trace = (utility: readonly number[], changes: readonly number[] = []): RunTrace =>
    ({ utility, defaults: utility.map(() => 50), best: utility.map(() => 90), changes, suggestMs: [], stepMs: [] })

  it('is the share of the possible gain', () => {
    // Won 0 + 20 + 40 of 40 each.
    expect(gain(trace([50, 70, 90]), 0, 3)).toBeCloseTo(0.5)
    expect(gain(trace([50, 70, 90]), 2, 3)).toBe(1)
  })

  it('is the share of steps more than 5 below the defaults', () => {
    expect(unsafeShare(trace([45, 44, 60, 90]))).toBe(0.25)
  })

  it('is the number of steps until a rolling gain of 0.7 after a change, or until the next change', () => {
    const back = Array.from({ length: 30 }, (_, t) => t < 10 ? 90 : t < 20 ? 50 : 90)
    // Ten of the twenty steps since step 10 won: 0.5 at best, so all of them count.
    expect(recoverySteps(trace(back, [10]))).toEqual([20])
    expect(recoverySteps(trace(back, [20]))).toEqual([5])
  })
})

describe('the strategies', () => {
  it('are told what the service shows and nothing else; the defaults gain nothing, who is told the best gains most', { timeout: 120_000 }, async () => {
    const regime: Regime = 'web'
    // Good enough as "the best" for a short run, and much faster to find.
    const optima = Array.from({ length: levelCount }, (_, level) => {
      const workload = workloadAt({ regime, level })
      const config = [10 + level, 3900, 60, 1, 2]
      return { regime, level, utility: evaluate(workload, config).utility, defaultUtility: evaluate(workload, defaults).utility, config }
    })
    const run = async (name: string, steps = 80) => await runScenario('S2', strategies[name], { seed: 0, steps, signals: 'present', optima, now: () => 0 })
    expect(gain(await run('defaults'), 0, 80)).toBe(0)
    const supervised = gain(await run('supervised'), 40, 80)
    expect(supervised).toBeGreaterThan(0.8)
    const surrogate = await run('surrogate')
    expect(gain(surrogate, 40, 80)).toBeGreaterThan(0.2)
    expect(gain(surrogate, 40, 80)).toBeLessThan(supervised)
    expect(gain(await run('random'), 0, 80)).toBeLessThan(0)
    expect((await run('surrogate', 20)).utility).toEqual(surrogate.utility.slice(0, 20))
  })
})
