import { describe, expect, it } from 'vitest'
import { createTelemetry } from '../src/telemetry.ts'
import { silent } from './support/redis.ts'

describe('telemetry', () => {
  it('gives a service a label of its own only when it is known', () => {
    const { knowServices, serviceLabel } = createTelemetry({ log: silent, processMetrics: false })
    knowServices(['shop'])
    expect(serviceLabel('shop')).toBe('shop')
    expect(serviceLabel('cart')).toBe('other')
  })

  it('labels at most 500 services', () => {
    const { knowServices, serviceLabel } = createTelemetry({ log: silent, processMetrics: false })
    knowServices(Array.from({ length: 501 }, (_, i) => `service-${i}`))
    expect([serviceLabel('service-499'), serviceLabel('service-500')]).toEqual(['service-499', 'other'])
  })

  it('counts the time of a step that fails, and lets its error through', async () => {
    const { timed, stepSeconds } = createTelemetry({ log: silent, processMetrics: false })
    await expect(timed('load', () => { throw new Error('no') })).rejects.toThrow('no')
    expect(await timed('load', () => 7)).toBe(7)
    const { values } = await stepSeconds.get()
    expect(values.find(({ metricName }) => metricName === 'prescale_step_seconds_count')).toMatchObject({ value: 2, labels: { step: 'load' } })
  })

  it('has the metrics of the process beside its own, in a registry of its own', async () => {
    const [one, other] = [createTelemetry({ log: silent }), createTelemetry({ log: silent })]
    one.decisions.inc({ direction: 'up' })
    expect(await one.registry.metrics()).toMatch(/^process_cpu_user_seconds_total /m)
    expect(await one.registry.metrics()).toContain('prescale_decisions_total{direction="up"} 1')
    expect(await other.registry.metrics()).not.toContain('direction="up"')
  })
})
