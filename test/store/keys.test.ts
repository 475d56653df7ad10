import { describe, expect, it } from 'vitest'
import { fnv1a } from '../../src/hash.ts'
import { createKeys } from '../../src/store/keys.ts'

describe('keys', () => {
  it.each([
    // Published test vectors of FNV-1a, 32 bits.
    { text: '', hash: 0x811c9dc5 },
    { text: 'a', hash: 0xe40c292c },
    { text: 'foobar', hash: 0xbf9cf968 }
  ])('hashes "$text" as FNV-1a does, for ever', ({ text, hash }) => {
    expect(fnv1a(text)).toBe(hash)
  })

  it('spreads services evenly over the partitions', () => {
    const { partitionOf } = createKeys({ partitions: 8 })
    const counts = Array.from({ length: 8 }, () => 0)
    for (let i = 0; i < 8_000; i++) counts[partitionOf(`team-${i % 40}/service-${i}`)]++
    // 1,000 each; four standard deviations are 4 × √(8,000 × 1/8 × 7/8) = 118.
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(118)
  })

  it('gives all keys of a service the hash tag of its partition', () => {
    const keys = createKeys({ prefix: 'p', partitions: 4 })
    const partition = keys.partitionOf('shop')
    const all = [
      keys.service('shop'), keys.history('shop'), keys.feedbackIds('shop'), keys.services(partition), keys.settings(partition),
      keys.events(partition), keys.deadLetters(partition), keys.queuePrefix(partition)
    ]
    for (const key of all) expect(key.startsWith(`{p:${partition}}`)).toBe(true)
    expect(new Set(all).size).toBe(all.length)
  })

  it('refuses a number of partitions that is none', () => {
    expect(() => createKeys({ partitions: 0 })).toThrow('Expected at least 1 partition, got 0.')
    expect(() => createKeys({ partitions: 2.5 })).toThrow('Expected at least 1 partition, got 2.5.')
  })
})
