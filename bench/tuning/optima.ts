import { createRandom, normal } from '../../src/ml/random.ts'
import { levelCount, workloadAt } from './scenario.ts'
import { defaults, evaluate, regimeNames, toReal, type Regime } from './service.ts'

export interface Optimum { readonly regime: Regime, readonly level: number, readonly utility: number, readonly defaultUtility: number, readonly config: readonly number[] }

const gridCounts = [13, 9, 10, 9, 6]

function grid (): number[][] {
  let points: number[][] = [[]]
  for (const count of gridCounts) points = points.flatMap(point => Array.from({ length: count }, (_, i) => [...point, i / (count - 1)]))
  return points
}

let points: number[][] | null = null

/** The best configuration of one regime and level: a grid, then three rounds of ever smaller random steps around the best twenty. */
export function findOptimum (regime: Regime, level: number): Optimum {
  const workload = workloadAt({ regime, level })
  const random = createRandom(level)
  const score = (unit: number[]) => ({ unit, utility: evaluate(workload, toReal(unit)).utility })
  points ??= grid()
  let top = points.map(score).sort((a, b) => b.utility - a.utility).slice(0, 20)
  for (const step of [0.06, 0.03, 0.015]) {
    const near = top.flatMap(({ unit }) => Array.from({ length: 60 }, () => score(unit.map(value => Math.min(1, Math.max(0, value + step * normal(random)))))))
    top = [...top, ...near].sort((a, b) => b.utility - a.utility).slice(0, 20)
  }
  return { regime, level, utility: top[0].utility, defaultUtility: evaluate(workload, defaults).utility, config: toReal(top[0].unit) }
}

export function findOptima (): Optimum[] {
  return regimeNames.flatMap(regime => Array.from({ length: levelCount }, (_, level) => findOptimum(regime, level)))
}
