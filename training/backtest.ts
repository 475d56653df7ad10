import type { Policy } from '../src/domain.ts'
import { PrescaleError } from '../src/errors.ts'
import { contestants, type ContestantName, type ContestSetting } from '../src/simulation/contestants.ts'
import type { LoadSeries, Score } from '../src/simulation/score.ts'
import type { PrescaleSetting, SimulationResult, SimulationTask } from '../src/simulation/task.ts'
import { moneyOf, type Money } from '../src/simulation/money.ts'
import { runTasks } from '../src/threads/simulation-pool.ts'
import { createProgress } from './progress.ts'

/** A history to be judged on, in the unit of the target. */
export interface BacktestHistory extends LoadSeries { readonly name: string }

/** What a variant changes of the settings; what changes the cluster changes it for all that is measured of the variant. */
export interface Variant {
  /** As it is shown. */
  readonly name: string
  readonly setting?: Partial<ContestSetting>
  readonly policy?: Partial<Policy>
}

export interface BacktestOptions {
  readonly histories: readonly BacktestHistory[]
  readonly setting: Omit<ContestSetting, 'scoreFrom'>
  readonly prescale: PrescaleSetting
  /** Steps that all may learn from before it counts; 60 % of each history where not given. */
  readonly trainRows?: number
  readonly autoscalers?: readonly (ContestantName | 'prescale')[]
  /** Further settings of prescale, beside the given ones. */
  readonly variants?: readonly Variant[]
  readonly threads?: number
}

export interface BacktestRow extends Score {
  /** "prescale", an autoscaler that it is compared with, or "prescale minReplicas=3". */
  readonly autoscaler: string
  /** Null where nobody said what things cost. */
  readonly money: Money | null
}

export interface BacktestReport {
  readonly name: string
  /** Epoch ms: begin of the first step, of the first that counts, and end of the last. */
  readonly from: number
  readonly scoredFrom: number
  readonly to: number
  readonly stepSeconds: number
  readonly rows: readonly BacktestRow[]
}

/** What a report's plots are made of; all of shape [steps]. */
export interface BacktestSeries {
  readonly loads: Float64Array
  readonly wishes: ReadonlyMap<string, Float64Array>
  /** In instances at full utilisation. */
  readonly forecasts: Float64Array | null
  readonly capacity: number
}

export const allAutoscalers = ['prescale', ...Object.keys(contestants)] as readonly (ContestantName | 'prescale')[]
const learningShare = 0.6
const leastScoredSteps = 60

interface Contest { readonly history: BacktestHistory, readonly autoscaler: string, readonly task: SimulationTask }

/**
 * Judges prescale and other autoscalers on the same histories, in the same simulated cluster, on worker threads.
 *
 * @throws PrescaleError `invalid-request` for a history that is too short to count anything.
 */
export async function backtest (options: BacktestOptions): Promise<{ reports: BacktestReport[], series: BacktestSeries[] }> {
  const contests = options.histories.flatMap(history => contestsOn(history, options))
  const total = contests.reduce((sum, { task }) => sum + task.series.loads.length, 0)
  const progress = createProgress({ label: 'backtest', total, unit: 'steps' })
  const results = await runTasks(contests.map(({ task }) => task), { threads: options.threads, onSteps: steps => { progress.advance(steps) } })
    .finally(progress.done)
  const ofHistory = (history: BacktestHistory) => contests.map((contest, i) => ({ ...contest, result: results[i] })).filter(contest => contest.history === history)
  return {
    reports: options.histories.map(history => reportOf(history, ofHistory(history), options)),
    series: options.histories.map(history => seriesOf(history, ofHistory(history), options.prescale))
  }
}

function contestsOn (history: BacktestHistory, { setting, prescale, trainRows, autoscalers = allAutoscalers, variants = [] }: BacktestOptions): Contest[] {
  const { name, startAt, loads } = history
  const scoreFrom = trainRows ?? Math.floor(loads.length * learningShare)
  if (loads.length - scoreFrom < leastScoredSteps) {
    throw new PrescaleError('invalid-request', `${name}: ${loads.length} steps, of which the first ${scoreFrom} are for learning, leave ${Math.max(0, loads.length - scoreFrom)}; at least ${leastScoredSteps} are needed.`)
  }
  const series = { startAt, loads: loads.map(load => load / prescale.capacity) }
  const learning = { ...prescale, trainRows: prescale.trainRows ?? scoreFrom }
  return [
    ...autoscalers.map(autoscaler => ({ history, autoscaler, task: { autoscaler, series, setting: { ...setting, scoreFrom }, prescale: learning } })),
    ...variants.map(variant => ({
      history,
      autoscaler: `prescale ${variant.name}`,
      task: {
        autoscaler: 'prescale' as const,
        series,
        setting: { ...setting, ...variant.setting, scoreFrom },
        prescale: { ...learning, policy: { ...learning.policy, ...variant.policy } }
      }
    }))
  ]
}

type Judged = Contest & { readonly result: SimulationResult }

function reportOf ({ name, startAt, loads }: BacktestHistory, contests: readonly Judged[],
  { setting: { stepSeconds }, prescale: { policy } }: BacktestOptions): BacktestReport {
  const stepMs = stepSeconds * 1000
  const from = startAt - stepMs
  return {
    name,
    from,
    scoredFrom: from + contests[0].task.setting.scoreFrom * stepMs,
    to: from + loads.length * stepMs,
    stepSeconds,
    rows: contests.map(({ autoscaler, task, result: { score } }) => {
      return { autoscaler, ...score, money: moneyOf(score, task.prescale?.policy.objective ?? policy.objective) }
    })
  }
}

function seriesOf ({ loads }: BacktestHistory, contests: readonly Judged[], { capacity }: PrescaleSetting): BacktestSeries {
  return {
    loads,
    capacity,
    wishes: new Map(contests.map(({ autoscaler, result }) => [autoscaler, result.wishes])),
    forecasts: contests.find(({ result }) => result.forecasts !== null)?.result.forecasts ?? null
  }
}
