import { describe, expect, it } from 'vitest'
import { bandsOf } from '../../src/dashboard/bands.ts'

describe('the bands of incidents', () => {
  it('last from the first to the newest anomaly, or until now while an incident is open', () => {
    expect(bandsOf([
      { startedAt: 100, lastAnomalyAt: 300, state: 'closed', severity: 'critical' },
      { startedAt: 500, lastAnomalyAt: 600, state: 'open', severity: 'low' }
    ], 900)).toEqual([{ from: 100, to: 300, serious: true }, { from: 500, to: 900, serious: false }])
  })

  it('do not end before the newest anomaly where the clock of the reader is behind', () => {
    expect(bandsOf([{ startedAt: 500, lastAnomalyAt: 600, state: 'open', severity: 'low' }], 550)).toEqual([{ from: 500, to: 600, serious: false }])
  })
})
