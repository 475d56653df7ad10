import { describe, expect, it } from 'vitest'
import { bandsOf } from '../../src/dashboard/bands.ts'

describe('the bands of incidents', () => {
  it('last from the first to the newest anomaly, also to one that came after the incident was read', () => {
    expect(bandsOf([
      { startedAt: 100, lastAnomalyAt: 300, state: 'closed', severity: 'critical' },
      { startedAt: 500, lastAnomalyAt: 600, state: 'open', severity: 'low' }
    ], 900)).toEqual([{ from: 100, to: 300, serious: true }, { from: 500, to: 900, serious: false }])
  })

  it('do not end before their own newest anomaly', () => {
    expect(bandsOf([{ startedAt: 500, lastAnomalyAt: 600, state: 'open', severity: 'low' }], 550)).toEqual([{ from: 500, to: 600, serious: false }])
    expect(bandsOf([{ startedAt: 500, lastAnomalyAt: 600, state: 'open', severity: 'low' }], null)).toEqual([{ from: 500, to: 600, serious: false }])
  })
})
