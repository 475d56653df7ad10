import type { AnomalyRules, Sample } from '../domain.ts'
import { bounded, placeIn, usualAt, type SignalMemory } from '../features/signal-memory.ts'
import { robustTrend, type Trend } from '../ml/robust-trend.ts'

/** The recent past of the signals that can run full, in blocks of five minutes or one step; at most 6 × 48 numbers. */
export interface SaturationState {
  readonly blockMs: number
  readonly signals: readonly { readonly signal: string, readonly limit: number }[]
  /** Number of the block that is being gathered: epoch ms / blockMs. */
  readonly block: number
  /** Shape [signals, blocks]: means, each at its number modulo 48; NaN where nothing was measured. */
  readonly means: Float32Array
  /** Shape [signals, 2]: sum and count of the block at hand. */
  readonly gathering: Float64Array
  /** Shape [signals]: the trend when the last block ended; null where there is none. */
  readonly trends: readonly (Trend | null)[]
}

export interface Saturation { readonly signal: string, readonly secondsLeft: number }

export interface SaturationOptions {
  readonly stepSeconds: number
  readonly anomalies?: Pick<AnomalyRules, 'signals'> | undefined
  readonly memory: SignalMemory
  /** Place in the season, NaN where none is known; and its length. */
  readonly position: number
  readonly seasonSeconds: number
}

const blocks = 48
const blockSeconds = 300
const mostSignals = 6
/** Signals that are a share of something that runs out: full at 1. */
const sharesOfALimit = /UsageRatio$/
/** A rise that this time of the season always brings ends as it always does. */
const seasonalShare = 0.5

/** The past with one more sample. Pure; what a trend is, is found out once in a block. */
export function nextSaturation (before: SaturationState | undefined, { at, signals }: Sample, options: SaturationOptions): SaturationState {
  const state = stateFor(before, signals, options)
  if (state.signals.length === 0) return state
  const block = Math.floor(at / state.blockMs)
  const closed = block === state.block ? state : closeBlock(state, block, options)
  const gathering = closed.gathering.slice()
  for (const [i, { signal }] of closed.signals.entries()) {
    if (signals[signal] === undefined) continue
    gathering[2 * i] += bounded(signals[signal])
    gathering[2 * i + 1]++
  }
  return { ...closed, block, gathering }
}

/** The signal that reaches its limit first if its trend goes on; null if none does. */
export function saturationOf ({ signals, trends, blockMs }: SaturationState): Saturation | null {
  let first: Saturation | null = null
  for (const [i, { signal, limit }] of signals.entries()) {
    const trend = trends[i]
    if (trend === null || trend.slope <= 0) continue
    const secondsLeft = Math.max(0, limit - trend.level) / trend.slope * blockMs / 1000
    if (first === null || secondsLeft < first.secondsLeft) first = { signal, secondsLeft }
  }
  return first
}

/** The state with room for signals that were not known before; what was known stays, unless the blocks have another length. */
function stateFor (before: SaturationState | undefined, signals: Sample['signals'], { stepSeconds, anomalies }: SaturationOptions): SaturationState {
  const blockMs = 1000 * Math.max(blockSeconds, stepSeconds)
  const kept = before?.blockMs === blockMs ? before : null
  const limitOf = (signal: string) => anomalies?.signals[signal]?.limit ?? (sharesOfALimit.test(signal) ? 1 : null)
  const known = kept?.signals.map(({ signal }) => signal) ?? []
  const added = Object.keys(signals).filter(signal => limitOf(signal) !== null && !known.includes(signal)).sort()
  const limited = [...known.filter(signal => limitOf(signal) !== null), ...added].slice(0, mostSignals).map(signal => ({ signal, limit: limitOf(signal)! }))
  if (kept !== null && limited.length === known.length && limited.every(({ signal }, i) => signal === known[i])) return { ...kept, signals: limited }
  const means = new Float32Array(limited.length * blocks).fill(NaN)
  const gathering = new Float64Array(2 * limited.length)
  const trends = limited.map(({ signal }, i) => {
    const from = known.indexOf(signal)
    if (kept === null || from < 0) return null
    means.set(kept.means.subarray(from * blocks, (from + 1) * blocks), i * blocks)
    gathering.set(kept.gathering.subarray(2 * from, 2 * from + 2), 2 * i)
    return kept.trends[from]
  })
  return { blockMs, signals: limited, block: kept?.block ?? -1, means, gathering, trends }
}

function closeBlock (state: SaturationState, block: number, options: SaturationOptions): SaturationState {
  const means = state.means.slice()
  const gap = Math.min(block - state.block, blocks)
  const trends = state.signals.map(({ signal }, i) => {
    const [sum, count] = state.gathering.subarray(2 * i, 2 * i + 2)
    if (state.block >= 0) means[i * blocks + state.block % blocks] = count > 0 ? sum / count : NaN
    for (let passed = 1; passed < gap; passed++) means[i * blocks + (state.block + passed) % blocks] = NaN
    const first = block % blocks
    const ordered = Float64Array.from({ length: blocks }, (_, k) => means[i * blocks + (first + k) % blocks])
    // The place of the block at hand holds what lies a whole ring back.
    return withoutSeason(robustTrend(ordered.subarray(1)), signal, state.blockMs, options)
  })
  return { ...state, means, trends, gathering: new Float64Array(state.gathering.length) }
}

/** What is left of a trend when the usual change of these hours is taken off; null where that was most of it. */
function withoutSeason (trend: Trend | null, signal: string, blockMs: number, { memory, position, seasonSeconds }: SaturationOptions): Trend | null {
  const i = memory.signals.indexOf(signal)
  if (trend === null || i < 0 || Number.isNaN(position)) return trend
  const earlier = position - blocks * blockMs / 1000 / seasonSeconds
  const usual = (place: number) => usualAt(memory, i, placeIn(memory, place - Math.floor(place))!)
  const seasonal = (usual(position) - usual(earlier)) / blocks
  if (Number.isNaN(seasonal)) return trend
  return seasonal > seasonalShare * trend.slope ? null : { ...trend, slope: trend.slope - Math.max(0, seasonal) }
}
