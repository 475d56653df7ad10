import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { afterAll, describe, expect, it } from 'vitest'
import type { Feedback, TuningRules } from '../../src/domain.ts'
import { createRandom } from '../../src/ml/random.ts'
import { emptyTuningState } from '../../src/policy/suggest.ts'
import { createTuningThread } from '../../src/threads/tuning-thread.ts'
import { presetRules } from '../../src/tuning/preset.ts'
import { takeTurn, type TuningOutcome, type TuningTask } from '../../src/tuning/turn.ts'

const rules: TuningRules = {
  ...presetRules,
  proofShare: 0,
  parameters: [
    { name: 'threads', kind: 'integer', low: 1, high: 64, scale: 'log', default: 8, unit: 'threads' },
    { name: 'codec', kind: 'choice', choices: ['none', 'gzip'], default: 'none' }
  ]
}
const signals = { requestsPerSecond: 400, networkInBytesPerSecond: 1e6, errorRatio: 0.01 }
const nothing = (more: Partial<TuningTask> = {}): TuningTask => ({ service: 'shop', state: emptyTuningState(), record: null, feedback: [], rules, holdMs: 60_000, ...more })
const minute = 60_000
const feedback = (i: number, threads: number, performance: number, more: Partial<Feedback> = {}): Feedback =>
  ({ id: `f${i}`, service: 'shop', at: i * minute, state: signals, config: { threads, codec: 'none' }, performance, ...more })
/** Best at 32 threads. */
const performanceOf = (threads: number) => 80 - 20 * Math.abs(Math.log2(threads / 32))
const after = ({ state, record }: Pick<TuningOutcome, 'state' | 'record'>, more: Partial<TuningTask> = {}) => takeTurn(nothing({ state, record, ...more }))

/** A service that follows every suggestion and reports it, one at a time. */
function run (steps: number, own: TuningRules = rules): TuningOutcome {
  let outcome = takeTurn(nothing({ rules: own, signals }))
  for (let i = 1; i <= steps; i++) {
    const { config } = outcome.suggestion
    outcome = after(outcome, { rules: own, feedback: [feedback(i, 0, performanceOf(Number(config.threads ?? 8)), { config })] })
  }
  return outcome
}

describe('a turn', () => {
  it('comes to what is best, says what changes, what is expected and how to undo it', () => {
    const { suggestion } = after(run(60), { rules: { ...rules, explorationShare: 0 } })
    expect(Number(suggestion.config.threads)).toBeGreaterThan(20)
    expect(Number(suggestion.config.threads)).toBeLessThan(50)
    expect(suggestion).toMatchObject({ source: 'results', observations: 60, mode: 'suggest', modelVersion: 'results+60', undo: { codec: expect.any(String) } })
    expect(suggestion.observationsNearby).toBeGreaterThan(3)
    expect(suggestion.expected!.low).toBeLessThan(suggestion.expected!.performance)
    // The defaults come to 80 − 20 · 2 = 40.
    expect(suggestion.expected!.gain).toBeGreaterThan(15)
  })

  it('gives the same for the same service and results, whatever was asked in between', () => {
    const first = run(20)
    const other = { signals: { ...signals, requestsPerSecond: 900 } }
    const asked = [after(first).suggestion, after(first, other).suggestion, after(first).suggestion]
    expect(asked[2]).toEqual(asked[0])
    expect(run(20)).toEqual(first)
  })

  it('knows the same from the same results in whatever order they come', () => {
    const result = (i: number) => feedback(i, 4 + 4 * (i % 6), performanceOf(4 + 4 * (i % 6)))
    fc.assert(fc.property(fc.shuffledSubarray(Array.from({ length: 12 }, (_, i) => i + 1), { minLength: 12 }), (order) => {
      const inOrder = takeTurn(nothing({ feedback: order.map(result) }))
      const one = order.reduce<TuningOutcome>((outcome, i) => after(outcome, { feedback: [result(i)] }), takeTurn(nothing()))
      const seen = ({ record }: TuningOutcome) => record.tuner.observations.map(({ id, at, utility }) => ({ id, at, utility }))
      expect(seen(one)).toEqual(seen(inOrder))
      expect(one.state.running).toEqual(inOrder.state.running)
      expect(one.record.newestAt).toBe(inOrder.record.newestAt)
    }), { numRuns: 20 })
  })

  it('is bounded however much is reported', () => {
    const packr = new Packr({ moreTypes: true, useRecords: true })
    const random = createRandom(1)
    let outcome = takeTurn(nothing())
    const sizes: number[] = []
    for (let batch = 0; batch < 6; batch++) {
      const items = Array.from({ length: 150 }, (_, i) => feedback(batch * 150 + i + 1, 1 + Math.floor(63 * random()), 100 * random(), { id: `0123456789abcdef-${batch}-${i}` }))
      outcome = after(outcome, { feedback: items })
      sizes.push(packr.pack(outcome.record).length)
    }
    expect(sizes.at(-1)).toBeLessThan(1.1 * sizes[2])
    expect(sizes.at(-1)).toBeLessThan(128 * 1024)
  })

  it('tries nothing while the newest sample says that all is not well, and does again when it is old', () => {
    const known = run(12)
    const kinds = (holdAt: number) => Array.from({ length: 30 }, (_, i) => {
      const record = { ...known.record, tuner: { ...known.record.tuner, draws: i } }
      return after({ record, state: { ...known.state, hold: { at: holdAt, reason: 'an incident is open' } } }).suggestion
    })
    const held = kinds(12 * minute)
    expect(held.map(({ kind }) => kind)).not.toContain('exploration')
    expect(held[0].reason).toContain('Nothing is tried: an incident is open.')
    expect(kinds(10 * minute).map(({ kind }) => kind)).toContain('exploration')
  })

  it('runs the defaults in between for the proof, and says so', () => {
    const outcomes = Array.from({ length: 40 }, (_, i) => run(5 + i % 8, { ...rules, proofShare: 0.5 })).map(({ suggestion }) => suggestion)
    const proofs = outcomes.filter(({ kind }) => kind === 'proof')
    expect(proofs.length).toBeGreaterThan(0)
    expect(proofs[0]).toMatchObject({ config: { threads: 8, codec: 'none' }, reason: expect.stringContaining('so that the gain over them can be measured') })
  })

  it('lets one instance try, with tuning.canary, while the others run what is known to be good', () => {
    const own = { ...rules, canary: true, proofShare: 0.2 }
    let outcome = takeTurn(nothing({ rules: own, signals }))
    const kinds = new Set<string | undefined>()
    for (let i = 1; i <= 80; i++) {
      const { config, canary, kind } = outcome.suggestion
      kinds.add(kind).add(canary?.kind)
      const reports = [feedback(i, 0, performanceOf(Number(config.threads)), { config })]
      if (canary) reports.push(feedback(i, 0, performanceOf(Number(canary.config.threads)), { id: `c${i}`, config: canary.config, canary: true }))
      outcome = after(outcome, { rules: own, feedback: reports })
    }
    // The others never try and are not sent back by what happens to the one.
    expect([...kinds].filter(kind => kind !== undefined).sort()).toEqual(['defaults', 'exploration', 'incumbent', 'proof'])
    // The defaults come to 40.
    expect(performanceOf(Number(outcome.suggestion.config.threads))).toBeGreaterThan(60)
    expect(outcome.suggestion.undo).toEqual(outcome.state.running)
    expect(outcome.suggestion.proof).toMatchObject({ outcome: 'gain' })
  })

  it('lets no instance try while all is not well', () => {
    const known = run(20)
    const held = { ...known.state, hold: { at: 20 * minute, reason: 'an incident is open' } }
    const { suggestion } = after({ record: known.record, state: held }, { rules: { ...rules, canary: true } })
    expect(suggestion).toMatchObject({ canary: null, reason: expect.stringContaining('an incident is open') })
  })

  it('changes nothing whose expected gain is less than the change costs', () => {
    const known = run(60)
    const priced = (changeCost: number): TuningRules => ({ ...rules, explorationShare: 0, parameters: [{ ...rules.parameters[0], changeCost }, rules.parameters[1]] })
    const atDefaults = { ...known, record: { ...known.record, tuner: { ...known.record.tuner, current: { threads: 8, codec: 'none' } } } }
    // What is best comes to 80, the defaults to 40.
    expect(after(atDefaults, { rules: priced(200) }).suggestion).toMatchObject({
      changed: [], reason: expect.stringMatching(/^What runs stays: .* would cost 200, and is expected to gain \d/)
    })
    expect(after(atDefaults, { rules: priced(2) }).suggestion.changed).toMatchObject([{ name: 'threads', from: 8 }])
  })

  it('takes what an operator accepted to run, until a newer result says what does', () => {
    const known = run(30)
    const config = { threads: 32, codec: 'none' }
    const state = { ...known.state, accepted: { answer: 'accepted' as const, config, at: 31 * minute, by: 'ann' } }
    expect(after({ record: known.record, state }).suggestion.undo).toEqual(config)
    const told = after({ record: known.record, state }, { feedback: [feedback(32, 8, 40)] })
    expect(told.suggestion.undo).toEqual({ threads: 8, codec: 'none' })
  })

  it('does not suggest what an operator refused', () => {
    const known = run(60)
    const { config } = after(known, { rules: { ...rules, explorationShare: 0 } }).suggestion
    const refused = { answer: 'refused' as const, config, at: 1, by: 'ann' }
    const running = { threads: 8, codec: 'none' }
    const tuner = { ...known.record.tuner, current: running }
    const { suggestion } = after({ record: { ...known.record, tuner }, state: { ...known.state, refused } }, { rules: { ...rules, explorationShare: 0 } })
    expect(config).not.toEqual(running)
    expect(suggestion).toMatchObject({ config: running, changed: [], reason: expect.stringContaining('refused by an operator') })
  })

  it('computes the performance over the samples since the result before, or the answer before', () => {
    const objective = { kind: 'expression', expression: '100 - 1000 * responseTimeSeconds' } as const
    const names = ['responseTimeSeconds']
    const recent = { names, at: Float64Array.of(1, 2, 3, 4), values: Float32Array.of(0.01, 0.02, 0.03, 0.04), next: 0 }
    const own = { ...rules, objective }
    const ask = (at: number) => feedback(at, 8, 0, { id: `f${at}`, at, performance: undefined, state: undefined })
    const { record, ignored } = takeTurn(nothing({ rules: own, state: { ...emptyTuningState(), recent }, feedback: [ask(2), ask(4), ask(5)] }))
    // Samples 1 and 2: 100 − 15; then 3 and 4: 100 − 35; then none.
    expect(record.tuner.observations.map(({ utility }) => Math.round(utility))).toEqual([85, 65])
    expect(ignored).toEqual([{ id: 'f5', reason: expect.stringContaining('no sample since the last change') }])
    const accepted = { answer: 'accepted' as const, config: { threads: 16 }, at: 3, by: 'ann' }
    const since = takeTurn(nothing({ rules: own, state: { ...emptyTuningState(), recent, accepted }, feedback: [ask(4)] }))
    expect(since.record.tuner.observations[0].utility).toBeCloseTo(60, 4)
  })

  it.each([
    ['no configuration', { config: undefined }, 'it names no configuration that ran'],
    ['an unknown parameter', { config: { colour: 3 } }, 'the parameter colour is unknown; known are threads, codec'],
    ['no performance', { performance: undefined }, 'it says no performance, and tuning.objective is "reported"'],
    ['a performance that is no number', { performance: NaN }, 'performance is NaN, a number from -1000000000000000 to 1000000000000000 is expected']
  ])('leaves out what has %s, with the reason, and learns the rest', (_, more, reason) => {
    const { ignored, suggestion } = takeTurn(nothing({ feedback: [feedback(1, 8, 40, more as Partial<Feedback>), feedback(2, 8, 41)] }))
    expect(ignored).toEqual([{ id: 'f1', reason }])
    expect(suggestion.observations).toBe(1)
  })

  it('learns without a state from a service that has no samples, and leaves out what is older than the samples that are kept', () => {
    const stateless = feedback(1, 8, 40, { state: undefined })
    expect(takeTurn(nothing({ feedback: [stateless] }))).toMatchObject({ ignored: [], suggestion: { observations: 1 } })
    const recent = { names: ['requestsPerSecond'], at: Float64Array.of(2 * minute), values: Float32Array.of(400), next: 0 }
    expect(takeTurn(nothing({ state: { ...emptyTuningState(), recent }, feedback: [stateless] })).ignored)
      .toEqual([{ id: 'f1', reason: 'it names no state, and no sample of that time is kept' }])
  })

  it('leaves out what is older than all that is remembered', () => {
    const items = Array.from({ length: 400 }, (_, i) => feedback(i + 10, 8, 40 + i % 3))
    const outcome = takeTurn(nothing({ feedback: items }))
    expect(after(outcome, { feedback: [feedback(1, 8, 40)] }).ignored).toEqual([{ id: 'f1', reason: 'it is older than all that is still remembered' }])
  })

  it('goes on when every performance is the same, when one is absurd, and when there is nothing to choose', () => {
    const constant = takeTurn(nothing({ feedback: Array.from({ length: 30 }, (_, i) => feedback(i + 1, 1 + 2 * i, 50)) }))
    expect(constant.suggestion.config.threads).toBeTypeOf('number')
    const absurd = after(constant, { feedback: [feedback(99, 8, 1e12)] })
    // One range, 100, beyond the best so far.
    expect(absurd.suggestion.expected!.performance).toBeLessThan(150)
    expect(after(constant, { feedback: [feedback(99, 8, 1e16)] }).ignored[0].reason).toContain('-1000000000000000 to 1000000000000000 is expected')
    const only = { ...rules, parameters: [{ name: 'codec', kind: 'choice' as const, choices: ['gzip'], default: 'gzip' }] }
    expect(takeTurn(nothing({ rules: only, feedback: [feedback(1, 0, 50, { config: { codec: 'gzip' } })] })).suggestion).toMatchObject({
      config: { codec: 'gzip' }, reason: 'Every parameter has one value only: there is nothing to tune.'
    })
  })

  it('keeps what is known when parameters come, go and are tightened', () => {
    const known = run(30)
    const parameters = [{ ...rules.parameters[0], high: 10 }, { name: 'keepAlive', kind: 'boolean', default: true }] as TuningRules['parameters']
    const tightened = { ...rules, parameters }
    const { suggestion } = after(known, { rules: tightened })
    expect(suggestion).toMatchObject({ observations: 30, config: { keepAlive: expect.any(Boolean) }, undo: { keepAlive: true } })
    expect(Number(suggestion.config.threads)).toBeLessThanOrEqual(10)
    expect(Number(suggestion.undo!.threads)).toBeLessThanOrEqual(10)
  })
})

describe('turns on a thread', () => {
  const { turn, close } = createTuningThread()
  afterAll(close)

  it('are the same as in place, one result or many', async () => {
    const many = nothing({ feedback: Array.from({ length: 30 }, (_, i) => feedback(i + 1, 1 + 2 * i, performanceOf(1 + 2 * i))) })
    const [one, batch] = await Promise.all([turn(nothing()), turn(many)])
    expect(one).toEqual(takeTurn(nothing()))
    expect(batch).toEqual(takeTurn(many))
  })

  it('serve 50 parameters, with constraints over them', async () => {
    const parameters = Array.from({ length: 50 }, (_, i) => ({ name: `p${i}`, kind: 'real' as const, low: 0, high: 1, default: 0.5 }))
    const wide = { ...rules, parameters, constraints: ['p0 + p1 <= 1.2'] }
    let outcome = await turn(nothing({ rules: wide, signals }))
    for (let i = 1; i <= 20; i++) {
      const { config } = outcome.suggestion
      expect(Number(config.p0) + Number(config.p1)).toBeLessThanOrEqual(1.2 + 1e-9)
      outcome = await turn(nothing({ state: outcome.state, record: outcome.record, rules: wide, feedback: [feedback(i, 0, 50 + 10 * Number(config.p7), { config })] }))
    }
    expect(outcome.suggestion.observations).toBe(20)
    expect(outcome.ignored).toEqual([])
  })

  it('fail alone', async () => {
    const broken = nothing({ rules: { ...rules, constraints: ['threads <'] }, feedback: [feedback(1, 8, 1), feedback(2, 8, 1)] })
    await expect(turn(broken)).rejects.toThrow('threads <')
    expect((await turn(nothing({ feedback: [feedback(1, 8, 40), feedback(2, 8, 41)] }))).suggestion.observations).toBe(2)
  })
})
