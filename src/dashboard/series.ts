import type { Decision, Verdict } from '../domain.ts'
import { csv } from './format.ts'

type Numbers = (number | null)[]

/** As GET /v1/services/{service}/series gives it. */
export interface SeriesAnswer {
  readonly decisions: {
    readonly at: number[]
    readonly load: Numbers
    readonly capacity: Numbers
    readonly low: Numbers
    readonly middle: Numbers
    readonly high: Numbers
    readonly wanted: Numbers
    readonly ready: Numbers
    readonly reactive: Numbers
    readonly source: string[]
  }
  readonly verdicts: { readonly at: number[], readonly score: Numbers, readonly threshold: Numbers, readonly anomaly: boolean[] }
  readonly horizonSeconds: number | null
}

/** Columns may be `undefined` where only another column has a point; a null is a hole. */
type Columns = [number[], ...(number | null | undefined)[][]]

export interface Change { readonly at: number, readonly from: number | null, readonly to: number, readonly source: string }

const quantileOf = ({ forecast }: Decision, quantile: number) => forecast?.quantiles.find((one) => one.quantile === quantile)?.load ?? null

/** The past of one service that grows at its end. */
export function createSeries ({ decisions, verdicts, horizonSeconds }: SeriesAnswer) {
  let horizonMs = 1000 * (horizonSeconds ?? 0)

  /** False for one that is known already, as after a reconnect. */
  const addDecision = (decision: Decision): boolean => {
    if (decision.asOf <= (decisions.at.at(-1) ?? 0)) return false
    if (decision.forecast) horizonMs = 1000 * decision.forecast.horizonSeconds
    decisions.at.push(decision.asOf)
    decisions.load.push(decision.load)
    decisions.capacity.push(decision.capacity)
    decisions.low.push(quantileOf(decision, 0.05))
    decisions.middle.push(quantileOf(decision, 0.5))
    decisions.high.push(quantileOf(decision, 0.95))
    decisions.wanted.push(decision.replicas)
    decisions.ready.push(decision.currentReplicas)
    decisions.reactive.push(decision.rawRecommendations.find(({ source }) => source === 'reactive')?.replicas ?? null)
    decisions.source.push(decision.source)
    return true
  }

  const addVerdict = ({ asOf, score, threshold, isAnomaly }: Verdict): boolean => {
    if (asOf <= (verdicts.at.at(-1) ?? 0)) return false
    verdicts.at.push(asOf)
    verdicts.score.push(score)
    verdicts.threshold.push(threshold)
    verdicts.anomaly.push(isAnomaly)
    return true
  }

  /** What was expected stands at the end of its horizon, so that it can be compared with what came; some of it lies ahead of now. */
  const load = (): Columns => {
    const { at, load, capacity, ready, low, middle, high } = decisions
    const carried = ready.map((replicas, i) => replicas === null || capacity[i] === null ? null : replicas * capacity[i])
    const ends = at.map((time) => time + horizonMs)
    const times = [...new Set([...at, ...ends])].sort((a, b) => a - b)
    const place = new Map(times.map((time, i) => [time, i]))
    const spread = (own: readonly number[], values: Numbers) => {
      const column: (number | null | undefined)[] = Array.from({ length: times.length }, () => undefined)
      own.forEach((time, i) => { column[place.get(time)!] = values[i] })
      return column
    }
    return [times.map(seconds), spread(at, load), spread(ends, low), spread(ends, middle), spread(ends, high), spread(at, carried)]
  }

  const replicas = (): Columns => [decisions.at.map(seconds), decisions.wanted, decisions.ready, decisions.reactive]
  const score = (): Columns => [verdicts.at.map(seconds), verdicts.score, verdicts.threshold]

  /** Where another number of replicas was wanted than before, newest first. */
  const changes = (limit: number): Change[] => {
    const { at, wanted, source } = decisions
    const list: Change[] = []
    for (let i = at.length - 1; i >= 0 && list.length < limit; i--) {
      if (i === 0 || wanted[i] !== wanted[i - 1]) list.push({ at: at[i], from: i === 0 ? null : wanted[i - 1], to: wanted[i]!, source: source[i] })
    }
    return list
  }

  const toCsv = (): string => {
    const { at, ...columns } = decisions
    const verdictAt = new Map(verdicts.at.map((time, i) => [time, i]))
    const names = Object.keys(columns) as (keyof typeof columns)[]
    return csv(['time', ...names, 'score', 'threshold'], at.map((time, i) => {
      const judged = verdictAt.get(time)
      const found = judged === undefined ? [null, null] : [verdicts.score[judged], verdicts.threshold[judged]]
      return [new Date(time).toISOString(), ...names.map((name) => columns[name][i]), ...found]
    }))
  }

  return {
    addDecision,
    addVerdict,
    load,
    replicas,
    score,
    changes,
    toCsv,
    firstAt: () => decisions.at.at(0) ?? verdicts.at.at(0) ?? null,
    lastAt: () => decisions.at.at(-1) ?? verdicts.at.at(-1) ?? null,
    newestAnomalyAt: () => verdicts.at[verdicts.anomaly.lastIndexOf(true)] ?? null,
    horizonMs: () => horizonMs,
    isEmpty: () => decisions.at.length === 0 && verdicts.at.length === 0
  }
}
export type Series = ReturnType<typeof createSeries>

function seconds (ms: number): number {
  return ms / 1000
}
