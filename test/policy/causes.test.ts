import { describe, expect, it } from 'vitest'
import { emptyMemory, field, fields, widenMemory } from '../../src/features/signal-memory.ts'
import { causesOf, causeText, contributionsOf, keptContributions } from '../../src/policy/causes.ts'

describe('Causes', () => {
  it.each([
    [{ signal: 'errorRatio', value: 0.21, low: 0, high: 0.02 }, 'errorRatio 0.21, normally 0.00–0.02'],
    [{ signal: 'requestsPerSecond', value: 950, low: 80, high: 120 }, 'requestsPerSecond 950, normally 80–120'],
    [{ signal: 'diskIoBytesPerSecond', value: 204.5e6, low: 1e6, high: 31e6 }, 'diskIoBytesPerSecond 205M, normally 1M–31M'],
    [{ signal: 'queueLength', value: 7, low: 0, high: 0 }, 'queueLength 7.00, normally 0.00'],
    [{ signal: 'cpuUsageRatio', value: 0.41, low: 0.1, high: 0.6 }, 'cpuUsageRatio 0.4, normally 0.1–0.6, but moved unusually'],
    [{ signal: 'errorRatio', value: 0.21, low: 0, high: 0.02, isSeasonal: true }, 'errorRatio 0.21, normally 0.00–0.02 at this hour'],
    [{ signal: 'bytes', value: 9, low: 1, high: 3, alike: ['packets'] }, 'bytes 9, normally 1–3 (and packets alike)']
  ])('are words that an engineer reads: %o', (given, text) => {
    expect(causeText(given)).toBe(text)
  })

  it('contribute their squared deviations of all kinds', () => {
    // Two signals, five kinds: 3² + 1² and 2².
    expect(contributionsOf(Float64Array.of(3, 2, 1, 0, 0, 0, 0, 0, 0, 0), 2)).toEqual(Float64Array.of(10, 4))
  })

  it('have shares of the score, the largest first, and leave out what explains nothing and what is missing', () => {
    const memory = widenMemory(emptyMemory(), ['a', 'b', 'c', 'd'])
    const deviations = Float64Array.of(4, 7, 4, 1)
    const causes = causesOf({ memory, x: Float64Array.of(1, 2, NaN, 4), contributions: Float64Array.of(20, 60, 19, 1), position: NaN, deviations })
    expect(causes.map(({ signal, share }) => [signal, share])).toEqual([['b', 0.6], ['a', 0.2]])
  })

  it('that say the same are one, with the shares of both', () => {
    const memory = widenMemory(emptyMemory(), ['bytes', 'packets', 'threads'])
    // Two kinds: bytes and packets deviate alike in both, threads in the first alone.
    const deviations = Float64Array.of(5, 5.1, 5, 2, 2, -2)
    const causes = causesOf({ memory, x: Float64Array.of(9, 8, 7), contributions: Float64Array.of(40, 40, 20), position: NaN, deviations })
    expect(causes.map(({ signal, share }) => [signal, share])).toEqual([['bytes', 0.8], ['threads', 0.2]])
    expect(causes[0].text).toContain('(and packets alike)')
  })

  it('stay apart where they only look alike because both are too far to be told apart', () => {
    const memory = widenMemory(emptyMemory(), ['bytes', 'errors', 'packets'])
    // All have mean 0 and variance 1: bytes and packets are 5,000 and 5,100 deviations away, errors 300; more than 100 is 100.
    for (let i = 0; i < 3; i++) memory.values[i * fields + field.variance] = 1
    const x = Float64Array.of(5000, 300, 5100)
    const causes = causesOf({ memory, x, contributions: Float64Array.of(1, 1, 1), position: NaN, deviations: Float64Array.of(100, 100, 100) })
    expect(causes.map(({ text }) => /\((.*) alike/.exec(text)?.[1])).toEqual(['and packets', undefined])
  })

  it('are what contributed most of late: a signal that has returned is one for some twenty steps', () => {
    let kept = keptContributions(undefined, Float64Array.of(100, 1))
    for (let step = 0; step < 20; step++) kept = keptContributions(kept, Float64Array.of(0, 30))
    // 100 × 0.95²⁰ = 36 is still more than 30.
    expect(kept[0]).toBeCloseTo(35.8, 1)
    expect(kept[1]).toBe(30)
  })

  it('are none where nothing deviates', () => {
    expect(causesOf({ memory: widenMemory(emptyMemory(), ['a']), x: Float64Array.of(1), contributions: Float64Array.of(0), position: NaN, deviations: Float64Array.of(0) })).toEqual([])
  })
})
