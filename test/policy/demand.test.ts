import { describe, expect, it } from 'vitest'
import type { Policy } from '../../src/domain.ts'
import { demandOf } from '../../src/policy/demand.ts'
import { policy, sampleAt } from '../support/scaling.ts'

const ratio: Policy = { ...policy, target: { kind: 'ratio', signal: 'cpuUsageRatio', atTarget: 0.5 } }
const auto: Policy = { ...policy, target: { kind: 'auto', utilization: 0.7 } }

describe('the demand in a sample', () => {
  it('is the target\'s signal, as it is summed over instances', () => {
    expect(demandOf(sampleAt(1, { requestsPerSecond: 300 }), policy, 4)).toMatchObject({ load: 300, givenCapacity: 70, missingSignals: [] })
  })

  it('is usage times ready replicas for a ratio', () => {
    // 0.8 × 5
    expect(demandOf(sampleAt(1, { cpuUsageRatio: 0.8, readyReplicas: 5 }), ratio, 4)).toMatchObject({ load: 4, givenCapacity: 0.5 })
  })

  it('takes the replicas last decided where nobody reports them, and says so', () => {
    expect(demandOf(sampleAt(1, { cpuUsageRatio: 0.8 }), ratio, 10)).toMatchObject({ load: 8, missingSignals: ['readyReplicas'] })
    expect(demandOf(sampleAt(1, { cpuUsageRatio: 0.8 }), ratio, null)).toMatchObject({ load: null, missingSignals: ['readyReplicas'] })
  })

  it('needs three signals to learn a capacity, and names those that are missing', () => {
    expect(demandOf(sampleAt(1, { requestsPerSecond: 300 }), auto, 4).missingSignals).toEqual(['cpuUsageRatio', 'readyReplicas'])
  })

  it.each([-1, NaN, Infinity, 1e16])('takes %s for missing', value => {
    expect(demandOf(sampleAt(1, { requestsPerSecond: value }), policy, 4)).toMatchObject({ load: null, missingSignals: ['requestsPerSecond'] })
  })
})
