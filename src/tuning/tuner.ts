import type { Signals } from '../domain.ts'
import { createRandom } from '../ml/random.ts'
import { contextCoordinates, contextOf, sameWork, updateMagnitudes } from './context.ts'
import { explain, type Explanation, type ProposalKind } from './explain.ts'
import { createGuard } from './guard.ts'
import { isBlocked } from './failures.ts'
import { learnObservation, type Feedback } from './learn.ts'
import { recentUnits, sameUnit } from './observations.ts'
import { lookOut, type Outlook } from './outlook.ts'
import { decode, encode, type Configuration, type ParameterSpace } from './parameters.ts'
import { adopt } from './adopt.ts'
import { tunerDefaults, type TunerOptions } from './options.ts'
import { surrogateOf, type TunerState } from './state.ts'
import { drawCandidates } from './trust-region.ts'

export interface Moment {
  readonly signals: Signals
  /** True while the service is unhealthy, in an incident, or scaling out: then nothing is tried. */
  readonly mustNotExplore?: boolean
}

export interface Proposal {
  readonly config: Configuration
  readonly kind: ProposalKind
  readonly expected: Explanation['expected']
  readonly changed: Explanation['changed']
  readonly reason: string
  readonly undo: Configuration
  readonly observationsNearby: number
}

/** Two-sided confidence of about 2 in 3 for what is in use, of 6 in 7 for what is tried. */
const poolSize = 150
const candidateCount = 150
const checkedCandidates = 30

export const T: Record<string, number> = { fmin: 0.4, fam: 160, cushion: 0, rmin: 0.05, rmax: 0.18, rfam: 60, kx: 1.5, kappa: 1, probe: 2, knew: 2, cross: 1 }

interface IncumbentOptions { readonly defaults: readonly number[], readonly isKnown: (unit: readonly number[]) => boolean }

/** Of what ran lately, the configuration whose gain over the defaults is most certain here; the defaults where none is. */
function findIncumbent (pool: readonly (readonly number[])[], outlook: Outlook, { defaults, isKnown }: IncumbentOptions): { unit: readonly number[], lowest: number } {
  const ranked = pool.map(unit => ({ unit, mean: outlook.meanGain(unit) })).sort((a, b) => b.mean - a.mean)
  let best = 0
  let incumbent = defaults
  for (const { unit, mean } of ranked) {
    if (mean <= best) break
    const { deviation } = outlook.gain(unit)
    const low = mean - (isKnown(unit) ? T.kappa : T.knew) * deviation
    if (low > best) {
      best = low
      incumbent = unit
    }
  }
  return { unit: incumbent, lowest: best }
}

/**
 * What to run next in the present moment.
 *
 * Pure: the same state and moment give the same proposal; the state that comes back only counts the draw.
 * @param space may differ from the one that the state was learned with: bounds, parameters added or removed.
 */
export function proposeConfig (state: TunerState, moment: Moment, space: ParameterSpace, options: TunerOptions = tunerDefaults): { state: TunerState, proposal: Proposal } {
  const own = adopt(state, space, options)
  const coordinates = contextCoordinates(options.furtherSignals)
  const magnitudes = updateMagnitudes(own.magnitudes, coordinates, moment.signals)
  const context = contextOf(moment.signals, coordinates, magnitudes)
  const defaults = encode(space, space.defaults)
  const next = { ...own, magnitudes, draws: own.draws + 1 }
  const outlook = lookOut(own, surrogateOf(own, space, options), { context, defaults })
  const guard = createGuard(space, moment.signals, own.current ?? space.defaults)
  const choice = choose(next, outlook, { defaults, guard, options, mayExplore: moment.mustNotExplore !== true })
  const explanation = explain({ choice, outlook, state: own, space })
  return { state: next, proposal: { config: decode(space, choice.unit), kind: choice.kind, ...explanation } }
}

interface Choice { readonly unit: readonly number[], readonly kind: ProposalKind }
interface Bounds {
  readonly defaults: readonly number[]
  readonly guard: (unit: readonly number[]) => number[]
  readonly options: TunerOptions
  readonly mayExplore: boolean
}

function choose (state: TunerState, outlook: Outlook, { defaults, guard, options, mayExplore }: Bounds): Choice {
  const familiar = state.observations.filter(({ context }) => sameWork(context, outlook.context))
  // In a kind of work that is new, first what the defaults give: it is safe, and everything else is measured against it.
  if (familiar.filter(({ unit }) => sameUnit(unit, defaults)).length < T.probe) return { unit: defaults, kind: 'defaults' }

  const allowed = (unit: readonly number[]) => !isBlocked(state.failures, outlook.context, unit)
  const others = recentUnits(state.observations, poolSize).map(guard).filter(allowed)
  const known = recentUnits(familiar.filter(o => o.utility >= o.defaultUtility), poolSize)
  const { unit: center, lowest } = findIncumbent(others, outlook, { defaults, isKnown: unit => known.some(other => sameUnit(other, unit)) })
  if (state.surprised) {
    const proven = familiar.slice(-30).filter(o => sameUnit(o.unit, center) && o.utility >= o.defaultUtility && Math.abs(o.context[0] - outlook.context[0]) < 0.5)
    return proven.length > 0 ? { unit: center, kind: 'incumbent' } : { unit: defaults, kind: 'revert' }
  }
  const random = createRandom(state.seed + Math.imul(state.draws, 0x9e3779b1))
  const share = options.explorationShare * Math.max(T.fmin, 1 - familiar.length / T.fam)
  if (mayExplore && random() < share) {
    const value = outlook.surrogate.draw(random)
    const floor = T.cushion * lowest - options.safetyMargin * options.utilityRange
    const radius = T.rmin + (T.rmax - T.rmin) * Math.exp(-familiar.length / T.rfam)
    const candidates = drawCandidates({ center, radius, others: T.cross > 0 ? known : others, defaults }, candidateCount, random).map(guard).filter(allowed)
      .map(unit => ({ unit, value: value(unit) + outlook.correction(unit) })).sort((a, b) => b.value - a.value)
    for (const { unit } of candidates.slice(0, checkedCandidates)) {
      const { mean, deviation } = outlook.gain(unit)
      if (mean - T.kx * deviation >= floor) return { unit, kind: 'exploration' }
    }
  }
  return { unit: center, kind: center === defaults ? 'defaults' : 'incumbent' }
}

/**
 * The state after a result. A feedback that was seen before (by id), or is older than the window, changes nothing; so does one without a finite utility.
 * Results of configurations that were never proposed count like all others.
 */
export function learnFrom (state: TunerState, feedback: Feedback, space: ParameterSpace, options: TunerOptions = tunerDefaults): TunerState {
  return learnObservation(adopt(state, space, options), feedback, space, options)
}
