import { describe, expect, it } from 'vitest'
import { advance } from '../../src/features/anomaly-features.ts'
import { emptyMemory, widenMemory } from '../../src/features/signal-memory.ts'
import { saturationOf } from '../../src/policy/saturation.ts'

function after (values: readonly number[], signal = 'memoryUsageRatio') {
  let memory = widenMemory(emptyMemory(), [signal])
  for (const value of values) memory = advance(memory, Float64Array.of(value), { position: NaN, elapsedSteps: 1, learning: 'bounded' }).memory
  return memory
}

const flat = Array.from({ length: 2000 }, (_, i) => 0.4 + 0.005 * Math.sin(i))
/** From 0.4 by 0.0005 a minute, for 600 minutes: to 0.7. */
const leak = Array.from({ length: 600 }, (_, i) => 0.4 + 0.0005 * i)

describe('Time to a limit', () => {
  it('is what is left divided by the slope of the recent means', () => {
    // About 0.3 is left at 0.0005 a minute: 600 minutes; the mean of 20 steps lags by ten minutes.
    const found = saturationOf(after([...flat, ...leak]), 60)
    expect(found?.signal).toBe('memoryUsageRatio')
    expect(found!.secondsLeft / 60).toBeGreaterThan(540)
    expect(found!.secondsLeft / 60).toBeLessThan(760)
  })

  it('is not seen in noise, in a signal without a limit, or before four hours of minutes', () => {
    expect(saturationOf(after(flat), 60)).toBeNull()
    expect(saturationOf(after([...flat, ...leak], 'requestsPerSecond'), 60)).toBeNull()
    expect(saturationOf(after(leak.slice(0, 239)), 60)).toBeNull()
  })
})
