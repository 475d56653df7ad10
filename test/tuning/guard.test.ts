import { describe, expect, it } from 'vitest'
import type { Configuration } from '../../src/domain.ts'
import { createGuard } from '../../src/tuning/guard.ts'
import { createParameterSpace, decode, encode } from '../../src/tuning/parameters.ts'
import { presetDeclared } from '../../src/tuning/preset.ts'

const space = createParameterSpace(presetDeclared)
const { defaults } = space

/** What the guard makes of `wanted` while `current` runs. */
function guarded (wanted: Configuration, signals: Record<string, number>, current: Configuration = defaults): Configuration {
  return decode(space, createGuard(space, signals, current)(encode(space, { ...defaults, ...wanted })))
}

describe('the guard', () => {
  it.each<[string, Record<string, number>, Configuration, Configuration, Configuration?]>([
    // 20 busy × 1.5 = 30.
    ['keeps 1.5 × the busy threads', { threadCount: 20 }, { threadPoolSize: 8 }, { threadPoolSize: 30 }],
    ['asks for no more threads than the default because many are busy', { threadCount: 200 }, { threadPoolSize: 8 }, { threadPoolSize: 64 }],
    ['doubles the threads while requests queue', { queueLength: 30, threadCount: 1 }, { threadPoolSize: 10 }, { threadPoolSize: 40 }, { ...defaults, threadPoolSize: 20 }],
    // 50 % with 256 MB; 88 / 50 × 256 = 450.
    ['lets memory grow to 88 %', { memoryUsageRatio: 0.5 }, { cacheMegabytes: 4000 }, { cacheMegabytes: 451 }],
    // 40 ms × 2.5 = 100 ms.
    ['keeps a timeout of 2.5 × the mean answer', { responseTimeSeconds: 0.04 }, { timeoutMs: 30 }, { timeoutMs: 100 }],
    ['asks for no longer timeout than the default', { responseTimeSeconds: 3 }, { timeoutMs: 30 }, { timeoutMs: 1000 }],
    ['allows one retry while every tenth request fails', { errorRatio: 0.11 }, { retryCount: 5 }, { retryCount: 1 }],
    ['allows all retries while few fail', { errorRatio: 0.02 }, { retryCount: 5 }, { retryCount: 5 }],
    ['lets everything be where nothing is measured', {}, { threadPoolSize: 4, cacheMegabytes: 6144, timeoutMs: 20 }, { threadPoolSize: 4, cacheMegabytes: 6144, timeoutMs: 20 }]
  ])('%s', (_, signals, wanted, expected, current) => {
    expect(guarded(wanted, signals, current)).toMatchObject(expected)
  })

  it('reads a timeout that is declared in seconds in seconds', () => {
    const inSeconds = createParameterSpace([{ name: 'timeout', kind: 'real', low: 0.02, high: 5, scale: 'log', default: 1, unit: 's', role: 'timeout' }])
    const [unit] = createGuard(inSeconds, { responseTimeSeconds: 0.04 }, inSeconds.defaults)([0])
    expect(decode(inSeconds, [unit]).timeout).toBeCloseTo(0.1)
  })

  it('touches no parameter without a role', () => {
    const plain = createParameterSpace(presetDeclared.map(({ role, ...parameter }) => parameter))
    const low = plain.defaults && encode(plain, { ...plain.defaults, threadPoolSize: 4, timeoutMs: 20 })
    expect(createGuard(plain, { threadCount: 60, responseTimeSeconds: 1 }, plain.defaults)(low)).toEqual(low)
  })

  it('meets the constraints, too', () => {
    const constrained = createParameterSpace(presetDeclared, ['threadPoolSize * 4 + cacheMegabytes <= 1000'])
    const config = decode(constrained, createGuard(constrained, {}, constrained.defaults)(encode(constrained, { ...constrained.defaults, cacheMegabytes: 6144 })))
    expect(4 * Number(config.threadPoolSize) + Number(config.cacheMegabytes)).toBeLessThanOrEqual(1000)
    expect(Number(config.cacheMegabytes)).toBeGreaterThan(256)
  })
})
