import { beforeAll, describe, expect, it } from 'vitest'
import type { Policy } from '../../src/domain.ts'
import type { Models } from '../../src/pipeline.ts'
import { minute, noModels, policy, smallWorkload, trainedOn } from '../support/scaling.ts'
import { createService, reasonOf } from './guarding.ts'

let withForecast: Models

beforeAll(() => {
  withForecast = { ...noModels, forecast: trainedOn(smallWorkload(), { steps: 2000 }) }
})

const tenMinutes: Policy = { ...policy, outageHold: { ttlSeconds: 600 } }

describe('when the load collapses', () => {
  it.each([
    { name: 'with a forecast', models: () => withForecast },
    { name: 'without', models: () => noModels }
  ])('nothing is scaled in, for as long as the hold lasts and no longer, $name', ({ models }) => {
    const shop = createService({ rules: tenMinutes, models: models() })
    const before = shop.pass(60, 1400).replicas
    const held = Array.from({ length: 10 }, () => shop.next({ requestsPerSecond: 3 }))
    const released = shop.next({ requestsPerSecond: 3 })

    expect(held.map(({ replicas }) => replicas)).toEqual(Array(10).fill(before))
    // The first two minutes are stabilisation's own.
    expect(reasonOf(held[4], 'outage')).toMatch(/^OutageHold: the load fell below all that was possible, at least .* was expected; until 1970-01-01T01:11:00\.000Z/)
    expect(held[0].outageSince).toBe(61 * minute)
    expect(released.replicas).toBeLessThan(before)
    expect(released.notices).toEqual(['OutageReleased: a collapse of the load held back scale-in for 600 s, which is as long as it may'])
    expect(shop.next({ requestsPerSecond: 3 }).notices).toBeUndefined()
  })

  it('the hold ends with the load coming back, and the next collapse is held again', () => {
    const shop = createService({ rules: tenMinutes })
    shop.pass(60, 1400)
    shop.pass(5, 3)
    expect(shop.next({ requestsPerSecond: 1300 }).outageSince).toBeUndefined()
    shop.pass(20, 1400)
    expect(shop.next({ requestsPerSecond: 3 }).outageSince).toBe(shop.minutes() * minute)
  })

  it('an unknown load neither begins nor ends it', () => {
    const shop = createService({ rules: tenMinutes })
    shop.pass(60, 1400)
    expect(shop.next({}).outageSince).toBeUndefined()
    shop.next({ requestsPerSecond: 3 })
    expect(shop.next({}).outageSince).toBe(62 * minute)
  })

  it.each([
    { name: 'a fall to a half', from: 1400, to: 700 },
    { name: 'a fall of less than one instance', from: 90, to: 1 }
  ])('$name is none', ({ from, to }) => {
    const shop = createService({ rules: tenMinutes })
    shop.pass(60, from)
    expect(shop.next({ requestsPerSecond: to }).outageSince).toBeUndefined()
  })

  it('a fall that the day before had, too, is ordinary', () => {
    const hour: Policy = { ...tenMinutes, seasonSeconds: 7200 }
    const shop = createService({ rules: hour })
    // Two hours are a season: 90 minutes of work, half an hour of rest.
    shop.pass(90, 1400)
    expect(shop.next({ requestsPerSecond: 3 }).outageSince).toBe(91 * minute)
    shop.pass(29, 3)
    shop.pass(90, 1400)
    expect(shop.next({ requestsPerSecond: 3 }).outageSince).toBeUndefined()
  })

  it('a hold of 0 s never begins', () => {
    const shop = createService({ rules: { ...policy, outageHold: { ttlSeconds: 0 } } })
    shop.pass(60, 1400)
    expect(shop.pass(5, 3)).not.toHaveProperty('outageSince')
    expect(shop.pass(1, 3).replicas).toBeLessThan(20)
  })
})

describe('when a service that this one depends on is in trouble', () => {
  const upstream = (sinceMinute: number, asOfMinute: number): Policy => ({
    ...tenMinutes, upstreams: [{ service: 'login', trouble: 'incident', since: sinceMinute * minute, asOf: asOfMinute * minute }]
  })

  it('nothing is scaled in until the hold is over', () => {
    const shop = createService()
    const before = shop.pass(20, 1400).replicas
    // A third of the load is no collapse.
    const held = shop.pass(9, 460, upstream(20, 29))
    expect(held).toMatchObject({ replicas: before })
    expect(reasonOf(held, 'outage')).toBe('OutageHold: login, on which it depends, has an incident; until 1970-01-01T00:30:00.000Z')
  })

  it('says that the hold is over while the trouble is not', () => {
    const shop = createService()
    const before = shop.pass(20, 1400).replicas
    const released = shop.pass(11, 460, upstream(20, 31))
    expect(released.notices).toEqual(['OutageReleased: the incident of login held back scale-in for 600 s, which is as long as it may'])
    expect(released.replicas).toBeLessThan(before)
  })

  it('what it said long ago does not count', () => {
    const shop = createService()
    const before = shop.pass(20, 1400).replicas
    expect(shop.pass(20, 460, upstream(39, 1)).replicas).toBeLessThan(before)
  })
})
