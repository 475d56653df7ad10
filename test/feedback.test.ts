import { describe, expect, it } from 'vitest'
import { openNetwork } from '../src/feedback.ts'
import type { ConfigModel } from '../src/policy/suggest.ts'

describe('what a service taught', () => {
  it('that can not be read gives way to the shared network', () => {
    const shared = { version: 'config 1' } as ConfigModel
    expect(openNetwork(Uint8Array.from([1, 2, 3]), shared)).toBe(shared)
    expect(openNetwork(new Uint8Array(0), null)).toBeNull()
  })
})
