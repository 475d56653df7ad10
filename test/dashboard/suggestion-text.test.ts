import { describe, expect, it } from 'vitest'
import type { Suggestion } from '../../src/domain.ts'
import { canaryText, evidenceText, expectedText, undoText } from '../../src/dashboard/suggestion-text.ts'

const suggestion: Suggestion = {
  service: 'shop',
  asOf: 0,
  source: 'results',
  config: { threadPoolSize: 48, codec: 'gzip', keepAlive: false },
  changed: [{ name: 'cacheMegabytes', from: 256, to: 300, unit: 'MB' }, { name: 'codec', from: 'none', to: 'gzip' }, { name: 'keepAlive', from: true, to: false }],
  reason: 'r',
  observations: 212,
  observationsNearby: 14,
  modelVersion: 'results+212'
}

describe('a suggestion on the page', () => {
  it('says what is expected, with signs where it is a gain', () => {
    expect(expectedText({ performance: 63.21, low: 60.1, high: 66.3, gain: 4.1, gainLow: -1, gainHigh: 9.2 })).toBe('Expected 63.2 (60.1 to 66.3), +4.1 over the defaults (-1 to +9.2).')
  })

  it('says what it rests on', () => {
    expect(evidenceText(suggestion)).toBe('From what results taught: 212 observations, 14 of them nearby.')
    expect(evidenceText({ ...suggestion, source: 'network', observations: 1, observationsNearby: undefined })).toBe('From the network: 1 observation.')
  })

  it('says what one instance tries, or that it runs the defaults', () => {
    const canary = { config: {}, kind: 'exploration', changed: suggestion.changed.slice(0, 2), expected: null, reason: 'r' } as const
    expect(canaryText(canary)).toBe('One instance tries cache megabytes 300 MB, codec gzip.')
    expect(canaryText({ ...canary, kind: 'proof' })).toBe('One instance runs the defaults, so that the gain is measured: cache megabytes 300 MB, codec gzip.')
  })

  it('says how to go back, for every kind of parameter', () => {
    expect(undoText(suggestion)).toBe('To undo it: cache megabytes 256 MB, codec none, keep alive true.')
  })
})
