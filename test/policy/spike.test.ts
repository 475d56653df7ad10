import { beforeAll, describe, expect, it } from 'vitest'
import type { Models } from '../../src/pipeline.ts'
import { noModels, policy, smallWorkload, trainedOn } from '../support/scaling.ts'
import { createService, reasonOf } from './guarding.ts'

let withForecast: Models

beforeAll(() => {
  withForecast = { ...noModels, forecast: trainedOn(smallWorkload(), { steps: 2000 }) }
})

const roomy = { ...policy, maxReplicas: 100_000 }
/** Long enough for the detector to know what is usual. */
const known = 200

describe('a load of a thousand times what is usual', () => {
  it.each([
    { name: 'with a forecast', models: () => withForecast },
    { name: 'without', models: () => noModels }
  ])('lets replicas grow by half a step, and is believed when it lasts, $name', ({ models }) => {
    const shop = createService({ rules: roomy, models: models() })
    const before = shop.pass(known, 700).replicas
    const [first, second, third] = Array.from({ length: 3 }, () => shop.next({ requestsPerSecond: 700_000 }))

    expect(first.replicas).toBe(Math.ceil(1.5 * before))
    expect(second.replicas).toBe(Math.ceil(1.5 * first.replicas))
    expect(reasonOf(first, 'spike')).toMatch(/^SpikeCapped: a load of 700000 was impossible \(at most \d+\), believed if it lasts for 3 samples, this is number 1$/)
    // What HPA allows in one step
    expect(third.replicas).toBe(2 * second.replicas)
    expect(reasonOf(third, 'spike')).toBeUndefined()
    expect(reasonOf(third, 'rate')).toMatch(/^ScaleUpLimit: /)
  })

  it('teaches nothing while it is not believed', () => {
    const struck = createService({ rules: roomy, models: withForecast })
    struck.pass(known, 700)
    struck.next({ requestsPerSecond: 700_000 })
    expect(struck.state().scaling.window?.recent).not.toContain(700_000)
    // Stabilisation lets go of the growth after two minutes, and then all is as it was.
    const calm = createService({ rules: roomy, models: withForecast })
    calm.pass(known + 1, 700)
    expect(struck.pass(20, 700).replicas).toBe(calm.pass(20, 700).replicas)
  })

  it('never takes what the last believed load needs', () => {
    const shop = createService({ rules: { ...roomy, spikeCap: { factor: 1.5, steps: 3 } } })
    shop.pass(known, 700)
    // Three run, which nobody asked for; 700 / 100 at full utilisation.
    const three = { ...roomy, override: { kind: 'force' as const, replicas: 3, reason: 'drill' } }
    shop.next({ requestsPerSecond: 700 }, three)
    expect(shop.next({ requestsPerSecond: 700_000 }).adjustments.find(({ stage }) => stage === 'spike')?.to).toBe(7)
  })

  it.each([
    { name: 'five times the load is a burst and no spike', rules: roomy, warm: known, load: 3500 },
    { name: 'a service that is hardly known has no spikes', rules: roomy, warm: 20, load: 700_000 },
    { name: 'where no steps are asked for it is believed at once', rules: { ...roomy, spikeCap: { factor: 1.5, steps: 0 } }, warm: known, load: 700_000 }
  ])('$name', ({ rules, warm, load }) => {
    const shop = createService({ rules })
    shop.pass(warm, 700)
    expect(reasonOf(shop.next({ requestsPerSecond: load }), 'spike')).toBeUndefined()
  })
})
