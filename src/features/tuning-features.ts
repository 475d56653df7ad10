import type { Signals } from '../domain.ts'

const mebibyte = 1024 * 1024
const ratio = (value: number) => value
/** Logarithmic: 0 at 0 and 1 at `full`, so that 10 and 20 differ as much as 1,000 and 2,000. */
const upTo = (full: number, unit = 1) => (value: number) => Math.log1p(Math.max(0, value) / unit) / Math.log1p(full)

/** The ten signals that describe the state of a service to the configuration network, each squashed to about 0 to 1 by a fixed rising curve. */
const squashing = {
  cpuUsageRatio: ratio,
  memoryUsageRatio: ratio,
  diskIoBytesPerSecond: upTo(50, mebibyte),
  networkInBytesPerSecond: upTo(50, mebibyte),
  networkOutBytesPerSecond: upTo(50, mebibyte),
  requestsPerSecond: upTo(3000),
  errorRatio: (value: number) => Math.sqrt(Math.min(1, Math.max(0, value))), // 1 % of errors is already 0.1
  responseTimeSeconds: upTo(3000, 0.001),
  queueLength: upTo(2000),
  threadCount: upTo(256)
} as const

export const tuningSignals = Object.keys(squashing) as readonly (keyof typeof squashing)[]

/** Far beyond the ordinary range nothing is gained by telling more from much more. */
const ceiling = 1.5

export interface TuningFeatures {
  /** Shape [10], in the order of `tuningSignals`, 0 to 1.5. */
  readonly x: Float64Array
  /** Signals that were not measured; their places hold `typical`. */
  readonly missing: readonly string[]
}

/**
 * The state of a service as the configuration network sees it. No knowledge of the service is needed, so one network serves many.
 *
 * @param typical shape [10]; what stands in for a signal that was not measured.
 */
export function tuningFeatures (signals: Signals, typical: ArrayLike<number>): TuningFeatures {
  const x = new Float64Array(tuningSignals.length)
  const missing: string[] = []
  tuningSignals.forEach((signal, i) => {
    const value = signals[signal]
    if (Number.isFinite(value)) {
      x[i] = Math.min(ceiling, Math.max(0, squashing[signal](value)))
    } else {
      x[i] = typical[i]
      missing.push(signal)
    }
  })
  return { x, missing }
}
