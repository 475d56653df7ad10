import { demandCoordinates, sameWork } from './context.ts'

/** One configuration that ran in one context, and what came of it. */
export interface Observation {
  readonly id: string
  /** Epoch ms. */
  readonly at: number
  readonly context: readonly number[]
  /** The configuration as a point of the parameter space. */
  readonly unit: readonly number[]
  readonly utility: number
  /** What the defaults were expected to give in that context, at that time. */
  readonly defaultUtility: number
}

export const windowSize = 400

/** So much of the utility's range below the defaults is still no harm: noise does that. */
const harmless = 0.03

export const isGood = ({ utility, defaultUtility }: Observation, range: number) => utility > defaultUtility - harmless * range

/** The window with one more observation, oldest first; a late one goes where it belongs, the oldest falls out. */
export function insert (observations: readonly Observation[], observation: Observation): readonly Observation[] {
  let at = observations.length
  while (at > 0 && observations[at - 1].at > observation.at) at--
  const next = [...observations.slice(0, at), observation, ...observations.slice(at)]
  return next.length > windowSize ? next.slice(-windowSize) : next
}

export function sameUnit (a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (Math.abs(a[i] - b[i]) > 1e-6) return false
  return true
}

/** The different configurations among the last `count` observations, newest first. */
export function recentUnits (observations: readonly Observation[], count: number): (readonly number[])[] {
  const seen = new Map<string, readonly number[]>()
  for (const { unit } of observations.slice(-count).reverse()) {
    const key = unit.map(value => Math.round(value * 1e4)).join()
    if (!seen.has(key)) seen.set(key, unit)
  }
  return [...seen.values()]
}

const nearUnit = 0.15
const nearContext = 0.5

/**
 * Squared distance in units of "nearly the same": 0.15 in a coordinate, a factor of 1.65 in the load or in what a request carries.
 * @returns Infinity where the contexts alone are far apart.
 */
function distance (o: Observation, context: readonly number[], unit: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < demandCoordinates; i++) sum += ((o.context[i] - context[i]) / nearContext) ** 2
  if (sum > 9) return Infinity
  for (let i = 0; i < unit.length; i++) sum += ((o.unit[i] - unit[i]) / nearUnit) ** 2
  return sum
}

export interface Residual { readonly observation: Observation, readonly residual: number }
const halfLife = 60
const shrink = 0.7

/**
 * What the surrogate, a smooth function, gets wrong near a configuration and context: the weighted mean of its recent residuals there.
 * This is what reacts at once when a configuration that was good falls off a cliff.
 *
 * @see Nadaraya, "On estimating regression", 1964; shrunk towards 0 by the weight of 0.7 of an observation.
 */
export function localCorrection (residuals: readonly Residual[], context: readonly number[], unit: readonly number[]): number {
  let sum = 0
  let weight = shrink
  for (let i = 0; i < residuals.length; i++) {
    const d = distance(residuals[i].observation, context, unit)
    if (d > 12) continue
    const w = Math.exp(-d / 2) * 0.5 ** ((residuals.length - 1 - i) / halfLife)
    sum += w * residuals[i].residual
    weight += w
  }
  return sum / (sum > 0 ? weight + 3 : weight)
}

/** How many observations of the window are evidence about this configuration here. */
export function countNearby (observations: readonly Observation[], context: readonly number[], unit: readonly number[]): number {
  return observations.filter(o => distance(o, context, unit) <= 4).length
}

/** The load is the first coordinate, a logarithm: within a tenth it is the same. */
export const sameLoad = 0.1

interface NearestGoodOptions { readonly defaults: readonly number[], readonly range: number }

/** The configuration nearest to one that failed that was good in the same kind of work under at least that load; the defaults where there is none. */
export function nearestGood (observations: readonly Observation[], failed: Observation, { defaults, range }: NearestGoodOptions): readonly number[] {
  let best = Infinity
  let nearest = defaults
  for (const o of observations) {
    if (!isGood(o, range) || !sameWork(o.context, failed.context) || o.context[0] < failed.context[0] - sameLoad) continue
    let d = 0.3 * (o.context[0] - failed.context[0]) ** 2
    for (let i = 0; i < o.unit.length; i++) d += (o.unit[i] - failed.unit[i]) ** 2
    if (d < best) {
      best = d
      nearest = o.unit
    }
  }
  return nearest
}
