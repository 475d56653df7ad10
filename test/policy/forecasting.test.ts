import { beforeAll, describe, expect, it } from 'vitest'
import type { Decision } from '../../src/domain.ts'
import { LoadForecaster } from '../../src/ml/forecaster.ts'
import { emptyState, evaluate, type Models, type ServiceState } from '../../src/pipeline.ts'
import { takeOver } from '../../src/policy/defaults.ts'
import { generateWorkload } from '../../training/generate-workloads.ts'
import { minute, noModels, policy, sampleAt, smallWorkload, trainedOn } from '../support/scaling.ts'

const { loads, startAt, stepSeconds } = smallWorkload()
const firstMinute = startAt / 60
let shipped: LoadForecaster
let local: LoadForecaster
const named = (forecaster: LoadForecaster, version: string) => LoadForecaster.fromBytes(forecaster.toBytes(), version)

beforeAll(() => {
  expect(stepSeconds).toBe(60)
  shipped = named(trainedOn(generateWorkload('other', { seed: 11, steps: 1000 }), { steps: 300 }), 'forecast 1')
  local = named(trainedOn(smallWorkload(), { steps: 2500 }), 'local/1')
})

/** Minutes `from` to `to` of the workload; a gap has no load. */
function live (state: ServiceState, [from, to]: [number, number], models: Models): { state: ServiceState, decisions: Decision[] } {
  const decisions: Decision[] = []
  for (let i = from; i < to; i++) {
    const evaluation = evaluate(state, sampleAt(firstMinute + i + 1, Number.isFinite(loads[i]) ? { requestsPerSecond: loads[i] } : {}), models, policy)
    state = evaluation.state
    if (evaluation.status === 'decided') decisions.push(evaluation.decision)
  }
  return { state, decisions }
}

describe('a service with a model of its own', () => {
  it('goes over to it when it has shown to be better, and each decision says by which model and why', () => {
    const { decisions, state } = live(emptyState(), [2500, 3500], { ...noModels, forecast: shipped, local: [local] })

    const canaryFrom = decisions.findIndex(({ modelVersion }) => modelVersion === 'local/1')
    expect(canaryFrom).toBeGreaterThanOrEqual(takeOver.shadowForecasts)
    expect(decisions.slice(canaryFrom).every(({ modelVersion }) => modelVersion === 'local/1')).toBe(true)
    expect(decisions[canaryFrom - 1].reason)
      .toMatch(/; forecast by forecast 1, because local\/1 is in shadow: its loss is \d+ % below that of forecast 1 over \d+ forecasts$/)
    expect(decisions[canaryFrom].reason).toContain('; forecast by local/1, learned from this service, a canary')
    expect(decisions.at(-1)!.reason).toMatch(/; forecast by local\/1, learned from this service and active: its loss is \d+ % below that of forecast 1 over \d+ forecasts$/)
    expect(state.forecasts!.contest).toMatchObject([{ version: 'local/1', life: 'active', rival: 'forecast 1' }])
  })

  it('has no quantile below the shipped one while it is a canary', () => {
    const models = { ...noModels, forecast: shipped, local: [local] }
    let { state } = live(emptyState(), [2500, 2700], models)
    let next = 2700
    while (state.forecasts!.contest[0].life !== 'canary') ({ state } = live(state, [next, ++next], models))
    const quantilesWith = (models: Models) => live(state, [next, next + 1], models).decisions[0].forecast!.quantiles.map(({ load }) => load)
    const [both, alone] = [quantilesWith(models), quantilesWith({ ...noModels, forecast: shipped })]
    expect(both.every((load, i) => load >= alone[i])).toBe(true)
    expect(both).not.toEqual(alone)
  })

  it('goes back to the shipped one as soon as its own is not there, and begins in shadow when it is again', () => {
    const { state } = live(emptyState(), [2500, 3400], { ...noModels, forecast: shipped, local: [local] })
    const without = live(state, [3400, 3401], { ...noModels, forecast: shipped })
    expect(without.decisions[0]).toMatchObject({ modelVersion: 'forecast 1', reason: expect.not.stringContaining('local/1') })
    expect(without.state.forecasts!.contest).toEqual([])
    const again = live(without.state, [3401, 3402], { ...noModels, forecast: shipped, local: [local] })
    expect(again.state.forecasts!.contest).toMatchObject([{ life: 'shadow' }])
  })

  it('decides the same for the same input, whatever happened in between', () => {
    const models = { ...noModels, forecast: shipped, local: [local] }
    expect(live(emptyState(), [2500, 2800], models).decisions).toEqual(live(emptyState(), [2500, 2800], models).decisions)
  })

  it('remembers less than 4 kB of forecasts with two models of its own', () => {
    const { state } = live(emptyState(), [2500, 2600], { ...noModels, forecast: shipped, local: [local, named(local, 'local/2')] })
    expect(Buffer.byteLength(JSON.stringify(state.forecasts, (_, value: unknown) => ArrayBuffer.isView(value) ? 'x'.repeat(value.byteLength) : value))).toBeLessThan(4096)
  })
})

describe('the calibration of a service', () => {
  it('is in every forecast once one has come due', () => {
    const { decisions } = live(emptyState(), [2500, 3500], { ...noModels, forecast: local })
    expect(decisions.slice(0, 3).map(({ forecast }) => forecast!.calibration)).toEqual([undefined, undefined, undefined])
    expect(decisions[3].forecast!.calibration!.forecasts).toBe(1)
    const { forecasts, coverage } = decisions.at(-1)!.forecast!.calibration!
    expect(forecasts).toBeGreaterThan(900)
    const shares = coverage.map(({ share }) => share)
    // A small forest on days that it has not seen: not exact, but neither blind nor never exceeded.
    expect(shares).toEqual(shares.toSorted((a, b) => a - b))
    expect(shares[0]).toBeLessThan(0.8)
    expect(shares[3]).toBeGreaterThan(0.95)
  })

  it('leaves out what a gap hides', () => {
    const before = live(emptyState(), [2500, 2600], { ...noModels, forecast: local }).state
    const gap = evaluate(before, sampleAt(firstMinute + 2610, { requestsPerSecond: 1 }), { ...noModels, forecast: local }, policy).state
    expect(gap.forecasts!.calibration).toEqual(before.forecasts!.calibration)
    expect(gap.forecasts!.open.map(({ until }) => until)).toEqual([(firstMinute + 2613) * minute])
  })

  it('begins anew where a state of an earlier release knows nothing of it', () => {
    const { forecasts, ...before } = live(emptyState(), [2500, 2600], { ...noModels, forecast: local }).state
    expect(forecasts!.calibration.forecasts).toBeGreaterThan(50)
    expect(live(before, [2600, 2604], { ...noModels, forecast: local }).state.forecasts!.calibration.forecasts).toBe(1)
  })
})
