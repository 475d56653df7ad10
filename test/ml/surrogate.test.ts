import { describe, expect, it } from 'vitest'
import { createRandom, normal } from '../../src/ml/random.ts'
import { emptyMemory, Surrogate, type SurrogateMemory, type SurrogatePrior, type SurrogateShape } from '../../src/ml/surrogate.ts'

const shape: SurrogateShape = { members: 5, hidden: 40, width: 2, contextScales: [1, 1], seed: 1 }
const prior: SurrogatePrior = { noise: 3, shared: 15, specific: 12, slope: 20, contextSlope: 8, level: 40 }
const surrogate = new Surrogate(shape, prior)
const here = [0, 0]
const reference = [0.5, 0.5]
const weights = [1, 1, 1, 1, 1]
/** A hill of 20 at (0.8, 0.3). */
const hill = ([x, y]: readonly number[]) => 20 * Math.exp(-8 * ((x - 0.8) ** 2 + (y - 0.3) ** 2))

function taught (count: number, { model = surrogate }: { model?: Surrogate } = {}): SurrogateMemory {
  const random = createRandom(7)
  let memory = emptyMemory(model.shape)
  for (let i = 0; i < count; i++) {
    const unit = [random(), random()]
    memory = model.learn(memory, { context: here, unit, value: hill(unit) + normal(random), weights, decay: 1 })
  }
  return memory
}
const answers = (memory: SurrogateMemory, context = here, model = surrogate) => model.fit(memory).inContext(context, reference)

describe('the surrogate', () => {
  it('knows nothing at first: a value of 0, and an interval as wide as the prior', () => {
    const { value, gain, valueDeviation } = answers(emptyMemory(shape))
    expect(value([0.8, 0.3])).toBe(0)
    expect(gain([0.8, 0.3]).mean).toBe(0)
    expect(valueDeviation([0.8, 0.3])).toBeGreaterThan(prior.level)
  })

  it('learns a function of two parameters', () => {
    const { value } = answers(taught(200))
    const errors = Array.from({ length: 100 }, (_, i) => [(i % 10 + 0.5) / 10, (Math.floor(i / 10) + 0.5) / 10]).map(unit => Math.abs(value(unit) - hill(unit)))
    expect(errors.reduce((sum, error) => sum + error, 0) / 100).toBeLessThan(1.5)
  })

  it('is honest about its uncertainty: 17 in 20 of what it was not taught lie within two deviations', () => {
    const { gain } = answers(taught(60))
    const random = createRandom(3)
    const inside = Array.from({ length: 200 }, () => [random(), random()]).filter((unit) => {
      const { mean, deviation } = gain(unit)
      return Math.abs(mean - (hill(unit) - hill(reference))) <= 2 * deviation
    })
    expect(inside.length).toBeGreaterThan(170)
  })

  it('is surer the more it was taught, and where it was taught', () => {
    expect(answers(taught(100)).gain([0.8, 0.3]).deviation).toBeLessThan(answers(taught(10)).gain([0.8, 0.3]).deviation)
    const corner = Array.from({ length: 40 }, (_, i) => [0.1 + 0.002 * i, 0.1])
      .reduce((memory, unit) => surrogate.learn(memory, { context: here, unit, value: 5, weights, decay: 1 }), emptyMemory(shape))
    expect(answers(corner).valueDeviation([0.15, 0.1])).toBeLessThan(answers(corner).valueDeviation([0.95, 0.9]))
  })

  it('knows exactly that the reference gains nothing on itself', () => {
    expect(answers(taught(30)).gain(reference)).toEqual({ mean: 0, deviation: 0 })
  })

  it('carries to another context what holds everywhere, with more doubt', () => {
    const memory = taught(150)
    const [near, far] = [answers(memory).gain([0.8, 0.3]), answers(memory, [2, -2]).gain([0.8, 0.3])]
    expect(far.mean).toBeGreaterThan(0)
    expect(far.deviation).toBeGreaterThan(near.deviation)
  })

  it('draws plausible truths: different ones, around the mean, as far as the deviation', () => {
    const { draw, gain } = answers(taught(20))
    const unit = [0.9, 0.9]
    const random = createRandom(5)
    const values = Array.from({ length: 400 }, () => draw(random)(unit))
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    const expected = gain(unit)
    expect(Math.abs(mean - expected.mean)).toBeLessThan(0.3 * expected.deviation)
    expect(deviation / expected.deviation).toBeGreaterThan(0.7)
    expect(deviation / expected.deviation).toBeLessThan(1.4)
  })

  it('forgets by decay', () => {
    const memory = taught(100)
    const random = createRandom(9)
    const after = Array.from({ length: 100 }, () => [random(), random()])
      .reduce((old, unit) => surrogate.learn(old, { context: here, unit, value: -10, weights, decay: 0.9 }), memory)
    expect(Math.abs(answers(after).value([0.8, 0.3]) + 10)).toBeLessThan(3)
  })

  it('is the same for the same seed and another for another, leaves what it learned from as it was', () => {
    const twin = new Surrogate(shape, prior)
    const memory = taught(20)
    expect(answers(memory, here, twin).gain([0.8, 0.3])).toEqual(answers(memory).gain([0.8, 0.3]))
    const other = new Surrogate({ ...shape, seed: 2 }, prior)
    expect(answers(taught(20, { model: other }), here, other).value([0.8, 0.3])).not.toBe(answers(memory).value([0.8, 0.3]))
    const before = structuredClone(memory)
    surrogate.learn(memory, { context: here, unit: [0, 0], value: 1, weights, decay: 0.5 })
    expect(memory).toEqual(before)
  })

  it('differs from member to member where their weights do', () => {
    const contradictory = [[2, 0, 0, 0, 0], [0, 2, 2, 2, 2]].reduce((memory, own, i) =>
      surrogate.learn(memory, { context: here, unit: [0.8, 0.3], value: i === 0 ? 20 : -20, weights: own, decay: 1 }), emptyMemory(shape))
    const agreeing = [1, 2].reduce(memory => surrogate.learn(memory, { context: here, unit: [0.8, 0.3], value: 0, weights, decay: 1 }), emptyMemory(shape))
    expect(answers(contradictory).gain([0.8, 0.3]).deviation).toBeGreaterThan(answers(agreeing).gain([0.8, 0.3]).deviation)
  })
})
