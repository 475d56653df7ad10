import type { Configuration, TuningProof } from '../domain.ts'
import { createRandom } from '../ml/random.ts'

/**
 * What tuning is worth, measured: now and then a period with the defaults lies between periods with what is suggested. Each such period
 * is compared with the mean of its neighbours, three before and three after, so that a load that drifts does not count.
 */
export interface ProofState {
  /** The defaults that it is about; other ones begin it anew. */
  readonly defaults: string
  /** Performances of the last suggested periods, newest last. */
  readonly before: readonly number[]
  /** A period with the defaults whose neighbours after it are still to come. */
  readonly open: { readonly performance: number, readonly before: readonly number[], readonly after: readonly number[] } | null
  /** Performances of the one instance, with the defaults, and of the others, of the newest time that both may report. */
  readonly beside?: { readonly at: number, readonly canary: number | null, readonly others: number | null }
  /** Of the comparisons: their number, mean and sum of squared deviations (Welford 1962); and the mean performance of the defaults. */
  readonly count: number
  readonly mean: number
  readonly squares: number
  readonly defaultMean: number
  /** Periods that were compared with, and epoch ms of the first result. */
  readonly suggested: number
  readonly since: number | null
}

export const noProof: ProofState = { defaults: '', before: [], open: null, count: 0, mean: 0, squares: 0, defaultMean: 0, suggested: 0, since: null }

const neighbours = 3
const leastComparisons = 3
/** In the first periods the defaults run anyhow. */
const warmUp = 5

/** From so many comparisons on that leave no doubt, a quarter of the share is enough. */
const established = 10
const afterwards = 0.25

interface Turn { readonly tuner: { readonly seed: number, readonly learned: number }, readonly proof: ProofState }

/** Whether this turn runs the defaults for comparison: by chance, and the same for the same service and turn. */
export function isProofTurn ({ tuner: { seed, learned }, proof }: Turn, proofShare: number): boolean {
  if (learned < warmUp || proofShare === 0) return false
  const isClear = proof.count >= established && proofOf(proof, proofShare).outcome !== 'no-measurable-gain'
  return createRandom(seed ^ Math.imul(learned + 1, 0x9e3779b1))() < (isClear ? afterwards : 1) * proofShare
}

export interface Period { readonly at: number, readonly performance: number, readonly isDefaults: boolean, readonly isProofTurn: boolean }

function begin (state: ProofState, at: number, defaults: Configuration): ProofState {
  const text = JSON.stringify(defaults)
  const own = state.defaults === text ? state : { ...noProof, defaults: text }
  return { ...own, since: own.since ?? at }
}

/** The state after one more result where one instance tries: with the defaults beside the others at the same time it needs no neighbours. */
export function addBeside (state: ProofState, { at, performance, isDefaults, isCanary }: Omit<Period, 'isProofTurn'> & { readonly isCanary: boolean }, defaults: Configuration): ProofState {
  const known = begin(state, at, defaults)
  if (isCanary && !isDefaults) return known
  const before = known.beside?.at === at ? known.beside : { at, canary: null, others: null }
  const beside = isCanary ? { ...before, canary: performance } : { ...before, others: performance }
  const next = { ...known, beside, suggested: known.suggested + Number(!isCanary) }
  if (beside.canary === null || beside.others === null) return next
  return compare({ ...next, beside: { at, canary: null, others: null } }, beside.others - beside.canary, beside.canary)
}

/** The state after one more period, newer than all before. */
export function addPeriod (state: ProofState, { at, performance, isDefaults, isProofTurn }: Period, defaults: Configuration): ProofState {
  const known = begin(state, at, defaults)
  if (isProofTurn && isDefaults) {
    const closed = close(known)
    return closed.before.length === 0 ? closed : { ...closed, open: { performance, before: closed.before, after: [] } }
  }
  const next = { ...known, before: [...known.before, performance].slice(-neighbours), suggested: known.suggested + 1 }
  if (next.open === null) return next
  const opened = { ...next, open: { ...next.open, after: [...next.open.after, performance] } }
  return opened.open.after.length >= neighbours ? close(opened) : opened
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

/** Counts the open comparison, if it has a neighbour on both sides. */
function close (state: ProofState): ProofState {
  const { open } = state
  if (open === null || open.after.length === 0) return { ...state, open: null }
  return compare({ ...state, open: null }, (meanOf(open.before) + meanOf(open.after)) / 2 - open.performance, open.performance)
}

/** With one more gain over the performance that the defaults had. */
function compare (state: ProofState, gain: number, performance: number): ProofState {
  const { mean, squares, defaultMean } = state
  const count = state.count + 1
  const next = mean + (gain - mean) / count
  return { ...state, count, mean: next, squares: squares + (gain - mean) * (gain - next), defaultMean: defaultMean + (performance - defaultMean) / count }
}

/** 97.5 % quantiles of Student's t distribution for 2 to 30 degrees of freedom; beyond, 1.96 + 2.4 / degrees is within 0.002. */
const studentQuantiles = [
  4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080,
  2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042
]
const studentQuantile = (degrees: number) => studentQuantiles[degrees - 2] ?? 1.96 + 2.4 / degrees

/** What the comparisons say, with an interval of 95 %. "No measurable gain" is an answer. */
export function proofOf (state: ProofState, proofShare: number): TuningProof {
  const { count, mean, squares, defaultMean, suggested, since } = state
  const periods = { defaults: count, suggested }
  if (count < leastComparisons) {
    const how = proofShare > 0 ? 'they come by themselves' : 'tuning.proofShare is 0, so none are made'
    return { since, periods, gain: null, outcome: 'too-few-periods', reason: `${count} of ${leastComparisons} periods with the defaults that a comparison needs; ${how}.` }
  }
  const reach = studentQuantile(count - 1) * Math.sqrt(squares / (count - 1) / count)
  const gain = { mean, low: mean - reach, high: mean + reach, ratio: defaultMean === 0 ? null : mean / Math.abs(defaultMean) }
  const outcome = gain.low > 0 ? 'gain' : gain.high < 0 ? 'loss' : 'no-measurable-gain'
  const said = { gain: 'Better than the defaults', loss: 'Worse than the defaults', 'no-measurable-gain': 'No measurable gain over the defaults' }[outcome]
  const interval = `${round(gain.mean)} (95 %: ${round(gain.low)} to ${round(gain.high)})`
  return { since, periods, gain, outcome, reason: `${said}: ${interval} in the unit of performance, from ${count} periods with the defaults between periods with what was suggested.` }
}

const round = (value: number) => Number(value.toPrecision(3))
