import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Signals, Verdict } from '../../src/domain.ts'
import { createRandom, normal } from '../../src/ml/random.ts'
import { warmUpSteps } from '../../src/policy/judge.ts'
import { detect, emptyAnomalyState, mostSignals } from '../../src/policy/verdict.ts'
import type { AnomalyState, DetectOptions } from '../../src/policy/verdict.ts'
import { learnService } from '../../training/train-anomaly.ts'

const minute = 60_000
const options: DetectOptions = { model: null, falseAlarmsPerWeek: 7, stepSeconds: 60 }

/** A calm service: three signals with noise around 100, 0.5 and 0.01. */
function calm (steps: number, seed = 1): Signals[] {
  const random = createRandom(seed)
  return Array.from({ length: steps }, () => ({
    requestsPerSecond: 100 + 5 * normal(random),
    cpuUsageRatio: 0.5 + 0.02 * normal(random),
    errorRatio: Math.abs(0.01 + 0.003 * normal(random))
  }))
}

interface Run extends Partial<DetectOptions> { readonly state?: AnomalyState, readonly from?: number }

function run (samples: readonly Signals[], { state = emptyAnomalyState(), from = 1, ...given }: Run = {}) {
  const verdicts: Verdict[] = []
  for (const [i, signals] of samples.entries()) {
    const step = detect(state, { service: 'shop', at: (from + i) * minute, signals }, { ...options, ...given })
    state = step.state
    verdicts.push(step.verdict)
  }
  return { state, verdicts, last: verdicts[verdicts.length - 1] }
}

function trained (rows: readonly Signals[]) {
  const signals = Object.keys(rows[0])
  const x = Float64Array.from(rows.flatMap(row => signals.map(name => row[name])))
  return learnService({ signals, x, at: Float64Array.from(rows, (_, i) => (i + 1) * minute) },
    { stepSeconds: 60, seasonSeconds: null, falseAlarmsPerWeek: 7, random: createRandom(1) })
}

/** Bytes of all typed arrays, and of the rest as JSON. */
function sizeOf (value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (Array.isArray(value)) return value.reduce((sum, each) => sum + sizeOf(each), 0)
  if (typeof value === 'object' && value !== null) return Object.entries(value).reduce((sum, [key, each]) => sum + key.length + sizeOf(each), 0)
  return String(value).length
}

describe('A service that nobody trained', () => {
  it('raises no alarm while it warms up, whatever comes, and says how far it is', () => {
    const { verdicts, last } = run(Array.from({ length: warmUpSteps }, (_, i) => ({ requestsPerSecond: i % 7 === 0 ? 1e6 : i })))
    expect(verdicts.filter(({ isAnomaly }) => isAnomaly)).toEqual([])
    expect(last.maintenance.reason).toContain(`warming up, ${warmUpSteps} of ${warmUpSteps} samples`)
  })

  it('finds a fault, names the signal first and what is normal for it', () => {
    const { last } = run([...calm(1000), { requestsPerSecond: 100, cpuUsageRatio: 0.5, errorRatio: 0.21 }])
    expect(last).toMatchObject({ isAnomaly: true, threshold: 0.5, missingSignals: [] })
    expect(last.score).toBeGreaterThan(0.5)
    expect(last.causes[0].signal).toBe('errorRatio')
    expect(last.causes[0].text).toBe('errorRatio 0.21, normally 0.00–0.02')
    expect(last.maintenance.action).not.toBe('no_action_needed')
  })

  it('raises few alarms on calm data', () => {
    // 5,000 minutes are half a week: 7 alarms a week are 3.5.
    expect(run(calm(5000)).verdicts.filter(({ score }) => score >= 0.5).length).toBeLessThanOrEqual(6)
  })

  it('stays in alarm while a fault lasts', () => {
    const fault = { requestsPerSecond: 100, cpuUsageRatio: 0.5, errorRatio: 0.21 }
    const [ordinary] = calm(1)
    const { verdicts } = run([...calm(1000), fault, fault, fault, ordinary, ordinary])
    // The return is as large a step as the fault was.
    expect(verdicts.slice(-5).map(({ isAnomaly }) => isAnomaly)).toEqual([true, true, true, true, false])
  })

  it('finds a jump of a signal that never moved', () => {
    expect(run([...Array(500).fill({ value: 3 }), { value: 4 }]).last).toMatchObject({ isAnomaly: true, causes: [{ signal: 'value' }] })
  })

  it('finds a change of unit by a factor of 1,000', () => {
    const before = calm(1000)
    expect(run([...before, { ...before[0], requestsPerSecond: 100_000 }]).last.causes[0]).toMatchObject({ signal: 'requestsPerSecond', value: 100_000 })
  })

  it('is not blinded by a counter that was reset: what comes after a value of 10¹² is still found', () => {
    const samples = calm(1200)
    samples[1000] = { ...samples[1000], requestsPerSecond: 1e12 }
    samples[1199] = { ...samples[1199], requestsPerSecond: 1000 }
    const { verdicts, last } = run(samples)
    expect(verdicts[1000].isAnomaly).toBe(true)
    expect(last).toMatchObject({ isAnomaly: true, causes: [{ signal: 'requestsPerSecond', value: 1000 }] })
  })

  it('says which signals are missing, judges the others and does not take the return for a fault', () => {
    const [first, ...rest] = calm(1000)
    const { verdicts } = run([first, ...rest, { requestsPerSecond: 100, cpuUsageRatio: 0.5 }, first])
    expect(verdicts.at(-2)).toMatchObject({ missingSignals: ['errorRatio'], isAnomaly: false })
    expect(verdicts.at(-2)!.maintenance).toEqual({ action: 'monitor_closely', probability: 0.25, reason: 'missing: errorRatio' })
    expect(verdicts.at(-1)).toMatchObject({ missingSignals: [], isAnomaly: false })
  })

  it('waits until it knows a signal that joins later', () => {
    const before = calm(1000)
    const random = createRandom(9)
    const after = calm(29, 2).map(signals => ({ ...signals, queueLength: 40 + normal(random) }))
    expect(run([...before, ...after]).verdicts.slice(1000).filter(({ causes }) => causes.some(({ signal }) => signal === 'queueLength'))).toEqual([])
  })

  it('goes on after a gap of hours', () => {
    const { state } = run(calm(1000))
    expect(run(calm(50, 3), { state, from: 2000 }).verdicts.filter(({ isAnomaly }) => isAnomaly)).toEqual([])
  })

  it('lives with samples that hold nothing', () => {
    expect(run(Array(300).fill({})).last).toMatchObject({ score: 0, isAnomaly: false, causes: [] })
  })

  it('takes the shipped shape of model: a forest over row features, also of another service', () => {
    const { forest } = trained(calm(500))
    const { last } = run([...calm(1000), { requestsPerSecond: 100, cpuUsageRatio: 0.99, errorRatio: 0.2 }], { model: { version: 'anomaly 1', forest } })
    expect(last).toMatchObject({ isAnomaly: true, modelVersion: 'anomaly 1' })
  })
})

describe('A service with training rows', () => {
  const rows = calm(2000)
  const { state, forest } = trained(rows)
  const model = { version: 'learned', forest }
  const ordinary = calm(300, 4)

  it('is judged from its first sample on and finds few alarms in calm data', () => {
    const { verdicts } = run(ordinary, { state, model, from: 2001, seasonSeconds: null })
    const begins = verdicts.filter(({ isAnomaly }, i) => isAnomaly && !verdicts[i - 1]?.isAnomaly)
    expect(begins.length).toBeLessThanOrEqual(2)
    expect(verdicts[0].score).toBeGreaterThan(0)
  })

  it('stays in alarm while the fault lasts, and leaves it afterwards', () => {
    const faulty = ordinary.slice(0, 30).map(signals => ({ ...signals, errorRatio: 0.3 }))
    const { verdicts } = run([...faulty, ...ordinary], { state, model, from: 2001, seasonSeconds: null })
    expect(verdicts.slice(0, 30).every(({ isAnomaly }) => isAnomaly)).toBe(true)
    expect(verdicts[29].causes[0].signal).toBe('errorRatio')
    expect(verdicts.at(-1)!.isAnomaly).toBe(false)
  })

  it('scores a growing deviation of one signal higher and higher, whichever it is and wherever it goes, but for the noise of a forest', () => {
    const after = { state, model, from: 2001, seasonSeconds: null }
    // The deviations of `calm`; an error ratio may be negative here, because only its distance counts.
    const deviation: Signals = { requestsPerSecond: 5, cpuUsageRatio: 0.02, errorRatio: 0.003 }
    const scoreAt = (signal: string, size: number) =>
      run([{ ...ordinary[0], [signal]: { requestsPerSecond: 100, cpuUsageRatio: 0.5, errorRatio: 0.01 }[signal]! + size * deviation[signal] }], after).last.score
    const size = (least: number) => fc.double({ min: least, max: 60, noNaN: true })
    const farther = fc.tuple(fc.constantFrom(...Object.keys(deviation)), fc.constantFrom(1, -1), size(1), size(0.5))
    fc.assert(fc.property(farther, ([signal, side, size, more]) => {
      expect(scoreAt(signal, side * (size + more))).toBeGreaterThanOrEqual(scoreAt(signal, side * size) - 0.02)
    }), { numRuns: 200 })
    expect(scoreAt('errorRatio', 20)).toBeGreaterThan(scoreAt('errorRatio', 2) + 0.1)
  })

  it('is not blinded by a counter that was reset, nor alarmed for long', () => {
    const spike = { ...ordinary[0], requestsPerSecond: 1e12 }
    const later = Array(10).fill({ ...ordinary[0], requestsPerSecond: 300 })
    const { verdicts } = run([spike, ...ordinary.slice(1, 200), ...later], { state, model, from: 2001, seasonSeconds: null })
    expect(verdicts[0]).toMatchObject({ isAnomaly: true, causes: [{ signal: 'requestsPerSecond' }] })
    expect(verdicts.slice(60, 200).filter(({ isAnomaly }) => isAnomaly)).toEqual([])
    expect(verdicts.at(-1)).toMatchObject({ isAnomaly: true, causes: [{ signal: 'requestsPerSecond', value: 300 }] })
  })

  it('judges a signal that joins later by what it shows then, once something is known of it', () => {
    const random = createRandom(7)
    const joined = calm(400, 5).map((signals, i) => ({ ...signals, queueLength: (i < 390 ? 40 : 80) + normal(random) }))
    const { verdicts, last } = run(joined, { state, model, from: 2001, seasonSeconds: null })
    expect(verdicts.slice(0, 390).filter(({ causes }) => causes[0]?.signal === 'queueLength' && causes[0].share > 0.9)).toEqual([])
    expect(last).toMatchObject({ isAnomaly: true, causes: [{ signal: 'queueLength' }] })
  })

  it('says how probable such a score is on a calm sample: for one in ten a tenth, for one in a hundred a hundredth', () => {
    const { verdicts, last } = run([...calm(6000, 6), { requestsPerSecond: 100, cpuUsageRatio: 0.5, errorRatio: 0.3 }], { state, model, from: 2001, seasonSeconds: null })
    const share = (most: number) => verdicts.filter(({ tailProbability }) => tailProbability! <= most).length / verdicts.length
    // Neighbours share four of five rows, so that 6,000 scores say as much as 1,200: ± 0.03 and ± 0.01 are three deviations.
    expect(Math.abs(share(0.1) - 0.1)).toBeLessThan(0.03)
    expect(Math.abs(share(0.01) - 0.01)).toBeLessThan(0.01)
    expect(last.tailProbability).toBeLessThan(1e-4)
  })

  it('learns nothing from what it judges', () => {
    const after = run(ordinary, { state, model, from: 2001, seasonSeconds: null }).state
    expect(after.standard!.calibration).toEqual(state.standard!.calibration)
    expect(after.standard!.threshold).toBe(state.standard!.threshold)
  })
})

describe('detect', () => {
  it('never changes the state that it is given', () => {
    const { state } = run(calm(400))
    const before = structuredClone(state)
    run(calm(20, 2).map(signals => ({ ...signals, queueLength: 5 })), { state, from: 401 })
    expect(state).toEqual(before)
  })

  it('does not depend on the order in which signals are written', () => {
    const samples = calm(400)
    const turned = samples.map(signals => Object.fromEntries(Object.entries(signals).reverse()))
    expect(run(turned).verdicts).toEqual(run(samples).verdicts)
  })

  it('is the same for the same input', () => {
    expect(run(calm(300)).state).toEqual(run(calm(300)).state)
  })

  it('keeps every score between 0 and 1 and every number finite, whatever finite values come', () => {
    const { state } = run(calm(300))
    const value = fc.double({ noNaN: true, noDefaultInfinity: true })
    const samples = fc.array(fc.record({ requestsPerSecond: value, errorRatio: value }, { requiredKeys: [] }), { minLength: 1, maxLength: 20 })
    fc.assert(fc.property(samples, given => {
      for (const { score, causes, maintenance } of run(given as Signals[], { state, from: 301 }).verdicts) {
        expect(score >= 0 && score <= 1).toBe(true)
        expect(causes.every(({ share }) => share >= 0 && share <= 1)).toBe(true)
        expect(causes.reduce((sum, { share }) => sum + share, 0)).toBeLessThan(1 + 1e-9)
        expect(maintenance.probability >= 0 && maintenance.probability <= 1).toBe(true)
      }
    }))
  })

  it('survives values at the end of what a number can hold, in training and afterwards', () => {
    const extreme = (i: number): Signals => ({ requestsPerSecond: i % 2 === 0 ? 1e308 : -1e308, errorRatio: i % 3 === 0 ? -1e308 : 0.01 })
    const samples = Array.from({ length: 400 }, (_, i) => extreme(i))
    const { state, forest } = trained(samples)
    for (const { verdicts } of [run(samples, { model: { version: 'learned', forest } }), run(samples, { state, model: { version: 'learned', forest }, from: 401 })]) {
      expect(verdicts.every(({ score }) => score >= 0 && score <= 1)).toBe(true)
    }
  })

  it.each([[10, 24], [38, 28], [mostSignals, 47]])('needs bounded memory: with %i signals at most %i KiB, however long it runs', (width, kibibytes) => {
    const random = createRandom(1)
    const samples = Array.from({ length: 600 }, () => Object.fromEntries(Array.from({ length: width }, (_, i) => [`signal${i}`, normal(random)])))
    const { state } = run(samples)
    expect(sizeOf(state)).toBeLessThan(kibibytes * 1024)
  })

  it('looks at no more than 100 signals, so that nobody can blow up the state', () => {
    const { state } = run([Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`signal${i}`, i]))])
    expect(state.memory.signals.length).toBe(mostSignals)
  })
})
