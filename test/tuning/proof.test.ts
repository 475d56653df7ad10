import { describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { addBeside, addPeriod, isProofTurn, noProof, proofOf, type ProofState } from '../../src/tuning/proof.ts'

const defaults = { threads: 4 }
const suggested = (performance: number) => ({ at: 1, performance, isDefaults: false, isProofTurn: false })
const compared = (performance: number) => ({ at: 1, performance, isDefaults: true, isProofTurn: true })
const add = (state: ProofState, ...periods: ReturnType<typeof suggested>[]) => periods.reduce((known, period) => addPeriod(known, period, defaults), state)

describe('the proof of a gain', () => {
  it('compares a period with the defaults with the mean of its neighbours on both sides, so that a drifting load does not count', () => {
    // The load drifts by 10 a period; what is suggested is worth 5: before 15, 25, 35, then 40 with the defaults, after 55, 65, 75.
    const state = add(noProof, suggested(15), suggested(25), suggested(35), compared(40), suggested(55), suggested(65), suggested(75))
    expect(state).toMatchObject({ count: 1, mean: 5, defaultMean: 40, open: null, suggested: 6 })
  })

  it('counts only the three nearest on each side', () => {
    const state = add(noProof, suggested(1000), suggested(50), suggested(50), suggested(50), compared(40), suggested(50), suggested(50), suggested(50), suggested(1000))
    expect(state).toMatchObject({ count: 1, mean: 10 })
  })

  it('counts one whose next comparison comes early with the neighbours that there were', () => {
    const state = add(noProof, suggested(50), compared(40), suggested(60), compared(40))
    // (50 + 60) / 2 − 40; the second has nothing after it yet.
    expect(state).toMatchObject({ count: 1, mean: 15, open: { before: [50, 60], after: [] } })
  })

  it('does not count periods with the defaults that were not drawn for it, nor one with nothing before it', () => {
    expect(add(noProof, suggested(50), { ...compared(40), isProofTurn: false }, suggested(50), suggested(50), suggested(50)).count).toBe(0)
    expect(add(noProof, compared(40), suggested(50), suggested(50), suggested(50)).count).toBe(0)
  })

  it('begins anew when the defaults are others', () => {
    const state = add(noProof, suggested(50), compared(40), suggested(50), suggested(50), suggested(50))
    expect(addPeriod(state, suggested(7), { threads: 8 })).toMatchObject({ count: 0, before: [7], suggested: 1 })
  })

  it('compares one instance with the defaults with the others at the same time, whichever reports first', () => {
    const beside = (at: number, performance: number, isCanary: boolean, isDefaults = isCanary) => ({ at, performance, isCanary, isDefaults })
    const periods = [
      beside(1, 40, true), beside(1, 50, false), beside(2, 60, false), beside(2, 45, true),
      beside(3, 70, false), beside(4, 40, true), beside(5, 10, true, false), beside(5, 90, false)
    ]
    const state = periods.reduce((known, period) => addBeside(known, period, defaults), noProof)
    // 50 − 40 and 60 − 45; at 3 and 4 one of the two is missing, and at 5 the one instance runs something else.
    expect(state).toMatchObject({ count: 2, mean: 12.5, defaultMean: 42.5, suggested: 4 })
  })

  it('says with an interval of Student\'s t that it is better, worse, or not measurable', () => {
    // Mean 5, deviation √((1 + 0 + 1) / 2) = 1: 5 ± 4.303 · 1 / √3 = 5 ± 2.484.
    const state = { ...noProof, count: 3, mean: 5, squares: 2, defaultMean: 50, suggested: 9, since: 7 }
    const proof = proofOf(state, 0.02)
    expect(proof).toMatchObject({ since: 7, outcome: 'gain', periods: { defaults: 3, suggested: 9 }, gain: { mean: 5, ratio: 0.1 } })
    expect(proof.gain!.low).toBeCloseTo(2.516, 3)
    expect(proof.reason).toBe('Better than the defaults: 5 (95 %: 2.52 to 7.48) in the unit of performance, from 3 periods with the defaults between periods with what was suggested.')
    expect(proofOf({ ...state, mean: 1 }, 0.02)).toMatchObject({ outcome: 'no-measurable-gain', reason: expect.stringMatching(/^No measurable gain over the defaults: 1 /) })
    expect(proofOf({ ...state, mean: -5 }, 0.02).outcome).toBe('loss')
  })

  it('does not pretend before there are three comparisons', () => {
    expect(proofOf(noProof, 0.02)).toMatchObject({ gain: null, outcome: 'too-few-periods', reason: '0 of 3 periods with the defaults that a comparison needs; they come by themselves.' })
    expect(proofOf(noProof, 0).reason).toContain('tuning.proofShare is 0, so none are made')
  })

  it('covers the truth about as often as it says', () => {
    let covered = 0
    for (let seed = 0; seed < 200; seed++) {
      const random = createRandom(seed)
      let state = noProof
      for (let i = 0; i < 60; i++) state = addPeriod(state, i % 5 === 4 ? compared(40 + 3 * normal(random)) : suggested(42 + 3 * normal(random)), defaults)
      const { low, high } = proofOf(state, 0.2).gain!
      covered += Number(low <= 2 && high >= 2)
    }
    // Neighbours are shared by comparisons, so a little less than 95 %.
    expect(covered / 200).toBeGreaterThan(0.88)
  })

  it('draws its turns by chance, the same for the same service and result, in the share that is asked for, and not at first', () => {
    const turnsOf = (proofShare: number, proof = noProof) => Array.from({ length: 4000 }, (_, learned) => isProofTurn({ tuner: { seed: 7, learned }, proof }, proofShare))
    const share = (turns: readonly boolean[]) => turns.filter(Boolean).length / turns.length
    expect(share(turnsOf(0.1))).toBeGreaterThan(0.085)
    expect(share(turnsOf(0.1))).toBeLessThan(0.115)
    expect(turnsOf(0.1).slice(0, 5)).toEqual([false, false, false, false, false])
    expect(turnsOf(0.1)).toEqual(turnsOf(0.1))
    expect(share(turnsOf(0))).toBe(0)
    // Ten comparisons that leave no doubt: a quarter of 0.1.
    const clear = { ...noProof, count: 10, mean: 5, squares: 9 }
    expect(share(turnsOf(0.1, clear))).toBeGreaterThan(0.015)
    expect(share(turnsOf(0.1, clear))).toBeLessThan(0.035)
    expect(share(turnsOf(0.1, { ...clear, mean: 0 }))).toBeGreaterThan(0.085)
  })
})
