import { describe, expect, it } from 'vitest'
import { forecastProbabilities } from '../../src/ml/forecaster.ts'
import { takeOver } from '../../src/policy/defaults.ts'
import type { Outcome } from '../../src/policy/forecast-record.ts'
import { compared, explainContest, inUse, nextContest, type ModelContest } from '../../src/policy/model-contest.ts'

const shipped = 'forecast 1'
const { shadowForecasts, canaryForecasts, leastForecasts } = takeOver

/** What came is 0; each model is wrong by so much, and its loss is in proportion. */
const outcomeOf = (wrong: Readonly<Record<string, number>>): Outcome => ({
  came: 0,
  decided: new Float32Array(forecastProbabilities.length),
  said: Object.entries(wrong).map(([version, error]) => ({ version, quantiles: new Float32Array(forecastProbabilities.length).fill(error) }))
})

/** One step after the other, each with one outcome. */
function after (before: ModelContest, steps: number, wrong: Readonly<Record<string, number>>, present = Object.keys(wrong).filter((name) => name !== shipped)): ModelContest {
  let contest = before
  for (let i = 0; i < steps; i++) contest = nextContest(contest, [outcomeOf(wrong)], { present, shipped, at: i })
  return contest
}
const lives = (contest: ModelContest) => Object.fromEntries(contest.map(({ version, life }) => [version, life]))

const canary = () => after([], shadowForecasts, { [shipped]: 1, 'local/1': 0.8 })
const active = () => after(canary(), canaryForecasts, { [shipped]: 1, 'local/1': 0.8 })

describe('a model of the service', () => {
  it('begins in shadow, where it decides nothing', () => {
    const contest = after([], shadowForecasts - 1, { [shipped]: 1, 'local/1': 0.5 })
    expect(lives(contest)).toEqual({ 'local/1': 'shadow' })
    expect(inUse(contest)).toBeNull()
  })

  it('becomes a canary when it was better for long enough, and then active', () => {
    expect(lives(canary())).toEqual({ 'local/1': 'canary' })
    expect(lives(after(canary(), canaryForecasts - 1, { [shipped]: 1, 'local/1': 0.8 }))).toEqual({ 'local/1': 'canary' })
    expect(lives(active())).toEqual({ 'local/1': 'active' })
  })

  it.each([
    { name: 'as good', wrong: 1 },
    { name: 'better by less than the margin', wrong: 0.98 },
    { name: 'worse', wrong: 1.5 }
  ])('that is $name stays in shadow', ({ wrong }) => {
    expect(lives(after([], 5 * shadowForecasts, { [shipped]: 1, 'local/1': wrong }))).toEqual({ 'local/1': 'shadow' })
  })

  it('falls back as a canary as soon as it is worse at all, and as an active one when it is worse by the slack', () => {
    expect(lives(after(canary(), leastForecasts, { [shipped]: 1, 'local/1': 1.01 }))).toEqual({ 'local/1': 'shadow' })
    expect(lives(after(active(), 3000, { [shipped]: 1, 'local/1': 1.01 }))).toEqual({ 'local/1': 'active' })
    expect(lives(after(active(), 3000, { [shipped]: 1, 'local/1': 1.05 }))).toEqual({ 'local/1': 'shadow' })
  })

  it('that fell back has to show itself anew', () => {
    const [fallen] = after(canary(), leastForecasts, { [shipped]: 1, 'local/1': 2 })
    expect(fallen).toMatchObject({ life: 'shadow', forecasts: 0, loss: 0, rival: shipped })
  })

  it('is compared with another shipped model from the beginning', () => {
    const contest = nextContest(active(), [], { present: ['local/1'], shipped: 'forecast 2', at: 1 })
    expect(contest[0]).toMatchObject({ life: 'active', forecasts: 0, rival: 'forecast 2' })
  })

  it('leaves when it is not there any more', () => {
    expect(nextContest(active(), [], { present: [], shipped, at: 1 })).toEqual([])
  })
})

describe('a successor', () => {
  const both = { [shipped]: 1, 'local/1': 0.8, 'local/2': 0.7 }

  it('is compared with the model in use, and takes its place and its life', () => {
    const beginning = after(active(), 1, both)
    expect(beginning.map(({ version, life, rival }) => ({ version, life, rival }))).toEqual([
      { version: 'local/1', life: 'active', rival: shipped }, { version: 'local/2', life: 'shadow', rival: 'local/1' }
    ])
    expect(lives(after(beginning, shadowForecasts, both))).toEqual({ 'local/1': 'shadow', 'local/2': 'active' })
  })

  it('that is only better than the shipped one stays in shadow', () => {
    expect(lives(after(active(), 1000, { ...both, 'local/2': 0.8 }))).toEqual({ 'local/1': 'active', 'local/2': 'shadow' })
  })

  it('is one of several that may be ready at once, of which the best is taken', () => {
    const contest = after([], shadowForecasts, { [shipped]: 1, 'local/1': 0.8, 'local/2': 0.7 })
    expect(lives(contest)).toEqual({ 'local/1': 'shadow', 'local/2': 'canary' })
  })
})

describe('an explanation', () => {
  it('names the model, its life and what it was compared with', () => {
    expect(explainContest([], shipped)).toBeNull()
    expect(explainContest(after([], 10, { [shipped]: 1, 'local/1': 1.25 }), shipped))
      .toBe('forecast by forecast 1, because local/1 is in shadow: its loss is 25 % above that of forecast 1 over 10 forecasts')
    expect(explainContest(canary(), shipped))
      .toBe('forecast by local/1, learned from this service, a canary (never below what forecast 1 expects): not compared with forecast 1 yet')
    expect(explainContest(active(), shipped))
      .toBe('forecast by local/1, learned from this service and active: its loss is 20 % below that of forecast 1 over 360 forecasts')
  })

  it('of one forecast is no plural', () => {
    expect(compared(after([], 1, { [shipped]: 1, 'local/1': 1 })[0])).toBe('its loss is 0 % below that of forecast 1 over 1 forecast')
  })
})
