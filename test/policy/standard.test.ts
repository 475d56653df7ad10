import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Signals, Verdict } from '../../src/domain.ts'
import { createRandom, normal } from '../../src/ml/random.ts'
import { detect } from '../../src/policy/verdict.ts'
import type { AnomalyState } from '../../src/policy/verdict.ts'
import { learnService } from '../../training/train-anomaly.ts'

const minute = 60_000
const options = { stepSeconds: 60, seasonSeconds: null, falseAlarmsPerWeek: 7 }

function calm (steps: number, seed = 1): Signals[] {
  const random = createRandom(seed)
  return Array.from({ length: steps }, () => ({
    requestsPerSecond: 100 + 5 * normal(random),
    networkOutBytesPerSecond: 5e6 + 2e5 * normal(random),
    errorRatio: Math.abs(0.01 + 0.003 * normal(random)),
    poolSize: 8
  }))
}

function trainedOn (rows: readonly Signals[]) {
  const signals = Object.keys(rows[0])
  const x = Float64Array.from(rows.flatMap(row => signals.map(name => row[name])))
  return learnService({ signals, x, at: Float64Array.from(rows, (_, i) => (i + 1) * minute) }, { ...options, random: createRandom(1) })
}

const { state: fresh, forest } = trainedOn(calm(2000))
const model = { version: 'learned', forest }

function run (samples: readonly Signals[], { state = fresh, from = 2001 }: { state?: AnomalyState, from?: number } = {}) {
  const verdicts: Verdict[] = samples.map((signals, i) => {
    const next = detect(state, { service: 'shop', at: (from + i) * minute, signals }, { ...options, model })
    state = next.state
    return next.verdict
  })
  return { state, verdicts, last: verdicts[verdicts.length - 1] }
}

const settled = run(calm(200, 2))
const later = { state: settled.state, from: 2201 }

describe('A trained service', () => {
  it('finds a change of unit by a factor of 1,000 and names the signal', () => {
    const { last } = run(calm(20, 3).map(row => ({ ...row, networkOutBytesPerSecond: row.networkOutBytesPerSecond / 1000 })), later)
    expect(last.isAnomaly).toBe(true)
    expect(last.causes[0].signal).toBe('networkOutBytesPerSecond')
  })

  it('finds the spike of a counter that was reset, and is calm again within three hours', () => {
    const [first, ...rest] = calm(240, 4)
    const { verdicts } = run([{ ...first, networkOutBytesPerSecond: 4e12 }, ...rest], later)
    expect(verdicts[0].isAnomaly).toBe(true)
    expect(verdicts[0].causes[0].signal).toBe('networkOutBytesPerSecond')
    expect(verdicts.slice(180).every(({ isAnomaly }) => !isAnomaly)).toBe(true)
  })

  it('finds the first move of a signal that was constant in training', () => {
    expect(run([{ ...calm(1, 5)[0], poolSize: 9 }], later).last.isAnomaly).toBe(true)
  })

  it('adopts a level that has lasted for two days, and is not in alarm for ever', () => {
    const shifted = calm(4 * 1440, 6).map(row => ({ ...row, requestsPerSecond: row.requestsPerSecond + 80 }))
    const { verdicts } = run(shifted, later)
    expect(verdicts[30].isAnomaly).toBe(true)
    const lastDay = verdicts.slice(3 * 1440)
    expect(lastDay.filter(({ isAnomaly }) => isAnomaly).length / lastDay.length).toBeLessThan(0.1)
    expect(lastDay.at(-1)!.score).toBeLessThan(0.5)
  })

  it('adopts it sooner, and accepts an alarm that does not end sooner, where that is configured', () => {
    // The first ten are calm: what was configured counts from the last sample inside the level on.
    const moved = calm(190, 8).map((signals, i) => ({ ...signals, requestsPerSecond: signals.requestsPerSecond + (i < 10 ? 0 : 60) }))
    const alarmed = (anomalies?: { adoptLevelAfterSeconds?: number, adoptAlarmAfterSeconds?: number }) => {
      let { state } = settled
      return moved.map((signals, i) => {
        const next = detect(state, { service: 'shop', at: (later.from + i) * minute, signals }, { ...options, model, ...(anomalies && { anomalies: { ...anomalies, signals: {}, closeAfterSeconds: 300, reopenWithinSeconds: 3600 } }) })
        state = next.state
        return next.verdict.isAnomaly
      })
    }
    expect(alarmed().at(-1)).toBe(true)
    expect(alarmed({ adoptLevelAfterSeconds: 3600 }).at(-1)).toBe(false)
    expect(alarmed({ adoptAlarmAfterSeconds: 3600 }).slice(65, 80)).toContain(false)
  })

  it('does not learn from a fault of an hour', () => {
    const faulty = calm(60, 7).map(row => ({ ...row, errorRatio: 0.4 }))
    const after = run([...faulty, ...calm(200, 8)], later)
    expect(after.last.isAnomaly).toBe(false)
    expect(run([{ ...calm(1, 9)[0], errorRatio: 0.4 }], { state: after.state, from: 2461 }).last.causes[0].signal).toBe('errorRatio')
  })

  it('keeps every score between 0 and 1, and scores a growing deviation of any signal no lower', () => {
    const base = calm(1, 10)[0]
    fc.assert(fc.property(fc.constantFrom('requestsPerSecond', 'networkOutBytesPerSecond', 'errorRatio'), fc.double({ min: 5, max: 40, noNaN: true }),
      fc.double({ min: 1.2, max: 3, noNaN: true }), (signal, deviations, factor) => {
        const scale = { requestsPerSecond: 5, networkOutBytesPerSecond: 2e5, errorRatio: 0.003 }[signal]!
        const [small, large] = [deviations, deviations * factor].map(far => run([{ ...base, [signal]: base[signal] + far * scale }], later).last.score)
        expect(small).toBeGreaterThanOrEqual(0)
        expect(large).toBeLessThanOrEqual(1)
        // The forest is a sixth of the score and its trees end at the farthest training row: up to its noise.
        expect(large).toBeGreaterThanOrEqual(small - 0.02)
      }), { numRuns: 60 })
  })

  it('is the same for columns in another order', () => {
    const turned = (rows: readonly Signals[]) => rows.map(row => Object.fromEntries(Object.entries(row).reverse()) as Signals)
    const other = trainedOn(turned(calm(2000)))
    expect(Buffer.from(other.forest.toBytes()).equals(Buffer.from(forest.toBytes()))).toBe(true)
    expect(other.state).toEqual(fresh)
  })
})
