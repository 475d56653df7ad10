import { parseFloat64 } from './exposition-cursor.ts'
import type { OpenMetricsSample } from './exposition-labels.ts'

export function isWhole (value: number): boolean {
  return Number.isInteger(value) || value === Infinity
}

/** The rules between the samples of one histogram at one time: ascending cumulative buckets up to +Inf, which is the count. */
export function createHistogramCheck (type: 'histogram' | 'gaugehistogram', fail: (expected: string) => never) {
  const parts = new Map<string, number>()
  let bound = -Infinity
  let inBucket = 0
  let hasBuckets = false
  let hasNegativeBuckets = false

  function add (suffix: string, sample: OpenMetricsSample): void {
    if (suffix !== '_bucket') {
      parts.set(suffix.replace('_g', '_'), sample.value)
      return
    }
    const le = readBound(sample)
    if (hasBuckets && le <= bound) fail('the buckets of a histogram must ascend')
    if (sample.value < inBucket) fail('the buckets of a histogram must be cumulative')
    hasBuckets = true
    hasNegativeBuckets ||= le < 0
    bound = le
    inBucket = sample.value
  }

  function readBound ({ labels }: OpenMetricsSample): number {
    const text = labels.find(([name]) => name === 'le')?.[1] ?? fail('a bucket needs a label le')
    if (text === '+Inf') return Infinity
    const le = parseFloat64(text)
    return le !== undefined && Number.isFinite(le) ? le : fail(`le must be a number or +Inf, not ${JSON.stringify(text)}`)
  }

  function end (): void {
    const [count, sum] = [parts.get('_count'), parts.get('_sum')]
    if (bound !== Infinity) fail('a histogram needs a bucket +Inf')
    if (count !== undefined && count !== inBucket) fail(`the count of a histogram is ${count}, but its bucket +Inf holds ${inBucket}`)
    if (sum !== undefined && count === undefined) fail('a histogram with a sum needs a count')
    if (hasNegativeBuckets && type === 'histogram' && sum !== undefined) fail('a histogram with negative buckets has no sum')
    if (count !== undefined && sum === undefined && !(hasNegativeBuckets && type === 'histogram')) fail('a histogram with a count needs a sum')
    if (type === 'gaugehistogram' && sum !== undefined && !(sum >= 0 || hasNegativeBuckets)) fail('a sum without negative buckets must not be negative or NaN')
  }

  return { add, end }
}
export type HistogramCheck = ReturnType<typeof createHistogramCheck>
