import { createRandom, type Random } from '../ml/random.ts'
import { sameWork } from './context.ts'
import type { ProposalKind } from './explain.ts'
import { isBlocked } from './failures.ts'
import { isGood, recentUnits, sameUnit, type Observation } from './observations.ts'
import type { TunerOptions } from './options.ts'
import type { Outlook } from './outlook.ts'
import type { ParameterSpace } from './parameters.ts'
import { createProvenGround } from './proven-ground.ts'
import type { TunerState } from './state.ts'
import { drawCandidates, jumpShares } from './trust-region.ts'

type Unit = readonly number[]
export interface Choice { readonly unit: Unit, readonly kind: ProposalKind }

export interface Bounds {
  readonly space: ParameterSpace
  readonly defaults: Unit
  /** What plain monitoring allows, see guard.ts. */
  readonly guard: (unit: Unit) => number[]
  readonly options: TunerOptions
  readonly mayExplore: boolean
}

/** Results of the defaults that a new kind of work begins with: two, since one may be an outlier. */
const firstDefaults = 2
/** Different configurations, of so many results, that may be what runs. */
const poolSize = 150
/** About 3 ms of asking the surrogate; with 300 candidates nothing was gained. */
const candidateCount = 150
const checkedCandidates = 30
/** Deviations below its mean at which the gain of what ran is taken, of what never ran, and of what is tried. */
const knownDeviations = 1
const unknownDeviations = 2
const triedDeviations = 1.5
/** Of the exploration share so much remains for good, since the best moves; it has fallen so far after about 100 results of a kind of work. */
const lastingShare = 0.4
const familiarAfter = 160
/** Loads are logarithms: what did well at 12 % less is proven, for measured loads are noisy. */
const loadSlack = 0.12
/** After a surprise something that ran lately at less than 65 % more or less load is trusted. */
const similarLoad = 0.5
const lately = 30
/** The trust region in [0, 1]: a first step, the last, and the results in which two thirds of the difference have gone. */
const widest = 0.18
const narrowest = 0.05
const narrowAfter = 60

/** What to run: the defaults, the best that is known, or something to try. */
export function choose (state: TunerState, outlook: Outlook, bounds: Bounds): Choice {
  const { defaults } = bounds
  const familiar = state.observations.filter(({ context }) => sameWork(context, outlook.context))
  // In a kind of work that is new, first what the defaults give: it is safe, and everything else is measured against it.
  if (familiar.filter(({ unit }) => sameUnit(unit, defaults)).length < firstDefaults) return { unit: defaults, kind: 'defaults' }

  const safe = createSafety(state, outlook, familiar, bounds)
  const good = familiar.filter(o => o.utility >= o.defaultUtility)
  const others = recentUnits(good, poolSize)
  const center = findIncumbent(safe(recentUnits(state.observations, poolSize)), outlook, { defaults, isKnown: unit => others.some(other => sameUnit(other, unit)) })
  if (state.surprised) {
    const isTrusted = good.slice(-lately).some(o => sameUnit(o.unit, center) && Math.abs(o.context[0] - outlook.context[0]) < similarLoad)
    return isTrusted ? { unit: center, kind: 'incumbent' } : { unit: defaults, kind: 'revert' }
  }
  const random = createRandom(state.seed + Math.imul(state.draws, 0x9e3779b1))
  const share = bounds.options.explorationShare * Math.max(lastingShare, 1 - familiar.length / familiarAfter)
  const trial = bounds.mayExplore && random() < share ? findTrial(outlook, { center, others, safe, results: familiar.length }, bounds, random) : null
  return trial ?? { unit: center, kind: center === defaults ? 'defaults' : 'incumbent' }
}

/** Points moved to where monitoring and experience allow them, without those at or beyond a place that broke down. */
function createSafety ({ failures }: TunerState, { context }: Outlook, familiar: readonly Observation[], { space, defaults, guard, options }: Bounds) {
  const load = context[0]
  const observations = familiar.filter(o => isGood(o, options.utilityRange) && o.context[0] >= load - loadSlack)
  const ground = createProvenGround(space, { defaults, observations, load })
  return (units: readonly Unit[]) => units.map(unit => guard(ground(unit))).filter(unit => !isBlocked(failures, context, unit))
}

interface IncumbentOptions { readonly defaults: Unit, readonly isKnown: (unit: Unit) => boolean }

/** Of what ran lately, the configuration whose gain over the defaults is most certain here; the defaults where none is. */
function findIncumbent (pool: readonly Unit[], outlook: Outlook, { defaults, isKnown }: IncumbentOptions): Unit {
  const ranked = pool.map(unit => ({ unit, mean: outlook.meanGain(unit) })).sort((a, b) => b.mean - a.mean)
  let best = 0
  let incumbent = defaults
  for (const { unit, mean } of ranked) {
    if (mean <= best) break
    const low = mean - (isKnown(unit) ? knownDeviations : unknownDeviations) * outlook.gain(unit).deviation
    if (low <= best) continue
    best = low
    incumbent = unit
  }
  return incumbent
}

interface Surroundings { readonly center: Unit, readonly others: readonly Unit[], readonly safe: (units: readonly Unit[]) => Unit[], readonly results: number }

/** The candidate that one plausible truth likes most among those that are safe enough; null where none of the first is. */
function findTrial (outlook: Outlook, { center, others, safe, results }: Surroundings, { space, defaults, options }: Bounds, random: Random): Choice | null {
  const value = outlook.surrogate.draw(random)
  const floor = -options.safetyMargin * options.utilityRange
  const radius = narrowest + (widest - narrowest) * Math.exp(-results / narrowAfter)
  const candidates = safe(drawCandidates({ center, radius, others, defaults, jumps: jumpShares(space) }, candidateCount, random))
    .map(unit => ({ unit, value: value(unit) + outlook.correction(unit) })).sort((a, b) => b.value - a.value)
  for (const { unit } of candidates.slice(0, checkedCandidates)) {
    const { mean, deviation } = outlook.gain(unit)
    if (mean - triedDeviations * deviation >= floor) return { unit, kind: 'exploration' }
  }
  return null
}
