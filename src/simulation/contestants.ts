import { hpaRule, wishesOf, type Moment } from './rules.ts'
import { score, type ClusterSetting, type LoadSeries } from './score.ts'

export interface ContestSetting extends ClusterSetting {
  readonly seasonSeconds: number
  readonly violationTarget: number
  /** From where on counts what they make of it; what is chosen with hindsight is chosen on that part. */
  readonly scoreFrom: number
}

/** Wishes of one autoscaler for a whole series, shape [steps]. */
export type Contestant = (series: LoadSeries, setting: ContestSetting) => Float64Array

/** What prescale is compared with, in the order of reports. */
export const contestants = {
  /** The HorizontalPodAutoscaler of Kubernetes. */
  hpa: (series, setting) => wishesOf(series, hpaRule(setting), setting),
  /** HPA that sees, where it is more than the present load, the largest load of the same time one season ago. */
  season: (series, setting) => wishesOf(series, hpaRule(setting, { expect: lastSeason(series, setting) }), setting),
  /** HPA that sees, where it is more than the present load, what Holt and Winters expect. */
  'holt-winters': (series, setting) => wishesOf(series, hpaRule(setting, { expect: holtWinters(setting) }), setting),
  /** The smallest constant that meets the target; chosen with hindsight. */
  static: (series, setting) => smallestConstant(series, setting),
  /** Knows the future, and starts each instance just in time. */
  oracle: (series, setting) => foretold(series, setting)
} satisfies Readonly<Record<string, Contestant>>
export type ContestantName = keyof typeof contestants

/** A wish at the end of this step is served this many steps later, and the load of all of them has to be carried. */
function horizonOf ({ startUpSeconds, stepSeconds }: ClusterSetting): number {
  return Math.ceil(startUpSeconds / stepSeconds) + 1
}

/** NaN for ever outside of `loads`, and where nothing was measured. */
function largest (loads: Float64Array, from: number, to: number): number {
  let most = NaN
  for (let step = Math.max(0, from); step < Math.min(to, loads.length); step++) if (!(loads[step] <= most)) most = Number.isNaN(loads[step]) ? most : loads[step]
  return most
}

function lastSeason ({ loads }: LoadSeries, setting: ContestSetting) {
  const season = Math.max(1, Math.round(setting.seasonSeconds / setting.stepSeconds))
  const horizon = horizonOf(setting)
  // The season is not over yet for what would lie after this step.
  return ({ step }: Moment) => largest(loads, step + 1 - season, Math.min(step + 1, step + 1 + horizon - season))
}

/** How quickly level, trend and season follow; usual for minutes, and the same for every service. */
const smoothing = { level: 0.3, trend: 0.005, season: 0.3 }

/**
 * Additive triple exponential smoothing; begins with the mean of the first season, before which it expects nothing.
 *
 * @see Winters, "Forecasting sales by exponentially weighted moving averages", Management Science 1960.
 */
function holtWinters (setting: ContestSetting) {
  const length = Math.max(1, Math.round(setting.seasonSeconds / setting.stepSeconds))
  const horizon = horizonOf(setting)
  const seasonal = new Float64Array(length)
  let [level, trend, known, sum] = [NaN, 0, 0, 0]

  function learn (step: number, load: number): void {
    const place = step % length
    if (Number.isNaN(level)) {
      seasonal[place] = load
      sum += load
      if (++known < length) return
      level = sum / known
      for (let i = 0; i < length; i++) seasonal[i] -= level
      return
    }
    const before = level
    level = smoothing.level * (load - seasonal[place]) + (1 - smoothing.level) * (level + trend)
    trend = smoothing.trend * (level - before) + (1 - smoothing.trend) * trend
    seasonal[place] = smoothing.season * (load - level) + (1 - smoothing.season) * seasonal[place]
  }

  return ({ step, load }: Moment): number => {
    if (!Number.isNaN(load)) learn(step, load)
    let most = NaN
    for (let ahead = 1; ahead <= horizon; ahead++) {
      const expected = level + ahead * trend + seasonal[(step + ahead) % length]
      if (!(expected <= most)) most = expected
    }
    return most
  }
}

function smallestConstant (series: LoadSeries, setting: ContestSetting): Float64Array {
  let [low, high] = [setting.minReplicas, setting.maxReplicas]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const { violationRatio } = score(series, series.loads.map(() => middle), setting)
    if (violationRatio <= setting.violationTarget) high = middle
    else low = middle + 1
  }
  return series.loads.map(() => low)
}

function foretold ({ loads }: LoadSeries, setting: ContestSetting): Float64Array {
  const { minReplicas, maxReplicas } = setting
  const horizon = horizonOf(setting)
  return loads.map((_, step) => Math.min(maxReplicas, Math.max(minReplicas, Math.ceil((largest(loads, step + 1, step + 1 + horizon) || 0) - 1e-9))))
}
