import { describe, expect, it } from 'vitest'
import type { AnomalyRules, Signals } from '../../src/domain.ts'
import { advance } from '../../src/features/anomaly-features.ts'
import { emptyMemory, widenMemory, type SignalMemory } from '../../src/features/signal-memory.ts'
import { nextSaturation, saturationOf, type SaturationState } from '../../src/policy/saturation.ts'

const minute = 60_000
const day = 1440
const limits: Pick<AnomalyRules, 'signals'> = { signals: { queueLength: { direction: 'both', minimumDeviation: { absolute: 0 }, limit: 1000 } } }

interface Run { readonly anomalies?: Pick<AnomalyRules, 'signals'>, readonly memory?: SignalMemory, readonly from?: number }
/** One sample a minute. */
function after (samples: readonly Signals[], { anomalies, memory = emptyMemory(), from = 0 }: Run = {}): SaturationState {
  let state: SaturationState | undefined
  for (const [i, signals] of samples.entries()) {
    const at = from + i + 1
    state = nextSaturation(state, { service: 'shop', at: at * minute, signals }, { stepSeconds: 60, anomalies, memory, position: (at % day) / day, seasonSeconds: 86_400 })
  }
  return state!
}
const minutesOf = (count: number, value: (i: number) => number, signal = 'memoryUsageRatio'): Signals[] => Array.from({ length: count }, (_, i) => ({ [signal]: value(i) }))
/** From 0.4 by 0.0005 a minute. */
const leak = (i: number) => 0.4 + 0.0005 * i

describe('the time until a limit is reached', () => {
  it('is what is left, divided by the slope of the last four hours', () => {
    const found = saturationOf(after(minutesOf(600, leak)))
    expect(found!.signal).toBe('memoryUsageRatio')
    // 0.3 is left after 600 minutes at 0.0005 a minute: 600 minutes; the last whole block lies up to ten minutes back.
    expect(Math.abs(found!.secondsLeft / 60 - 600)).toBeLessThan(10)
  })

  it('hardly changes with single far values', () => {
    const found = saturationOf(after(minutesOf(600, (i) => i % 50 === 7 ? 1 : leak(i))))
    expect(Math.abs(found!.secondsLeft / 60 - 600)).toBeLessThan(30)
  })

  it('is known for any signal whose limit is configured, and the first to be full counts', () => {
    const samples = Array.from({ length: 300 }, (_, i) => ({ memoryUsageRatio: leak(i), queueLength: 10 * i / 6 }))
    // 500 of 1,000 after 300 minutes, at 5 in 3 minutes: 300 minutes.
    const found = saturationOf(after(samples, { anomalies: limits }))
    expect(found!.signal).toBe('queueLength')
    expect(Math.abs(found!.secondsLeft / 60 - 300)).toBeLessThan(10)
    expect(saturationOf(after(samples))!.signal).toBe('memoryUsageRatio')
  })

  it.each([
    { name: 'in noise', samples: minutesOf(600, (i) => 0.4 + 0.05 * Math.sin(i)) },
    { name: 'in what falls', samples: minutesOf(600, (i) => 0.9 - 0.0005 * i) },
    { name: 'in a signal without a limit', samples: minutesOf(600, leak, 'requestsPerSecond') },
    { name: 'within the first hour', samples: minutesOf(59, leak) },
    { name: 'in a constant', samples: minutesOf(600, () => 0.99) },
    { name: 'without signals', samples: minutesOf(600, leak).map(() => ({})) }
  ])('is not seen $name', ({ samples }) => { expect(saturationOf(after(samples))).toBeNull() })

  it('is 0 for what is full already and still grows', () => {
    expect(saturationOf(after(minutesOf(300, (i) => 1 + 0.001 * i)))!.secondsLeft).toBe(0)
  })

  it('is not seen in the rise of every morning', () => {
    const cpu = (i: number) => 0.5 - 0.3 * Math.cos(2 * Math.PI * i / day)
    let memory = widenMemory(emptyMemory(), ['cpuUsageRatio'])
    for (let i = 1; i <= 3 * day; i++) memory = advance(memory, Float64Array.of(cpu(i)), { position: (i % day) / day, elapsedSteps: 1, learning: 'all' }).memory
    // Six hours from 4 o'clock on.
    const morning = Array.from({ length: 360 }, (_, i) => ({ cpuUsageRatio: cpu(240 + i + 1) }))
    expect(saturationOf(after(morning, { from: 3 * day + 240 }))).not.toBeNull()
    expect(saturationOf(after(morning, { from: 3 * day + 240, memory }))).toBeNull()
  })

  it('begins anew after a gap of hours', () => {
    const state = after(minutesOf(600, leak))
    const later = nextSaturation(state, { service: 'shop', at: 1200 * minute, signals: { memoryUsageRatio: 0.4 } }, { stepSeconds: 60, memory: emptyMemory(), position: NaN, seasonSeconds: 86_400 })
    expect(saturationOf(later)).toBeNull()
  })

  it('is still known when another signal joins', () => {
    const joined = [...minutesOf(590, leak), ...Array.from({ length: 10 }, (_, i) => ({ memoryUsageRatio: leak(590 + i), cpuUsageRatio: 0.5 }))]
    expect(saturationOf(after(joined))).toEqual(saturationOf(after(minutesOf(600, leak))))
  })
})

it('the state holds at most 6 signals', () => {
  const signals = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`s${i}UsageRatio`, 0.5]))
  expect(after([signals, signals]).means).toHaveLength(6 * 48)
})
