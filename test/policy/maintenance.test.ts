import { describe, expect, it } from 'vitest'
import { maintenanceFor } from '../../src/policy/maintenance.ts'
import type { Condition } from '../../src/policy/maintenance.ts'

const calm: Condition = { severity: 'none', alarmSeconds: 0, signals: {}, missingSignals: [], saturation: null }

describe('Maintenance', () => {
  it.each([
    { name: 'nothing unusual', given: {}, probability: 0, action: 'no_action_needed' },
    { name: 'a low severity', given: { severity: 'low' }, probability: 0.15, action: 'no_action_needed' },
    { name: 'a medium anomaly', given: { severity: 'medium' }, probability: 0.4, action: 'monitor_closely' },
    { name: 'a high anomaly', given: { severity: 'high' }, probability: 0.65, action: 'planned_maintenance' },
    { name: 'a critical anomaly', given: { severity: 'critical' }, probability: 0.85, action: 'immediate_maintenance' },
    // 1 − 0.6 · (1 − 0.30 · 0.5) = 0.49
    { name: 'a medium anomaly of half an hour', given: { severity: 'medium', alarmSeconds: 1800 }, probability: 0.49, action: 'monitor_closely' },
    // 1 − 0.6 · 0.7 = 0.58: an hour and a day weigh the same
    { name: 'a medium anomaly of an hour', given: { severity: 'medium', alarmSeconds: 3600 }, probability: 0.58, action: 'planned_maintenance' },
    { name: 'a medium anomaly of a day', given: { severity: 'medium', alarmSeconds: 86_400 }, probability: 0.58, action: 'planned_maintenance' },
    { name: 'CPU at its limit of 90 %', given: { signals: { cpuUsageRatio: 0.9 } }, probability: 0, action: 'no_action_needed' },
    { name: 'CPU above it', given: { signals: { cpuUsageRatio: 0.91 } }, probability: 0.3, action: 'monitor_closely' },
    { name: 'memory above 85 %', given: { signals: { memoryUsageRatio: 0.86 } }, probability: 0.3, action: 'monitor_closely' },
    // 1 − 0.7²
    { name: 'both', given: { signals: { cpuUsageRatio: 0.95, memoryUsageRatio: 0.9 } }, probability: 0.51, action: 'planned_maintenance' },
    // 1 − 0.35 · 0.7²
    { name: 'both in a high anomaly', given: { severity: 'high', signals: { cpuUsageRatio: 0.95, memoryUsageRatio: 0.9 } }, probability: 0.8285, action: 'immediate_maintenance' },
    { name: 'a limit within the hour', given: { saturation: { signal: 'memoryUsageRatio', secondsLeft: 3600 } }, probability: 0.5, action: 'planned_maintenance' },
    { name: 'a limit within six hours', given: { saturation: { signal: 'diskUsageRatio', secondsLeft: 3601 } }, probability: 0.3, action: 'monitor_closely' },
    { name: 'a limit within a day', given: { saturation: { signal: 'diskUsageRatio', secondsLeft: 86_400 } }, probability: 0.2, action: 'monitor_closely' },
    { name: 'a limit later', given: { saturation: { signal: 'diskUsageRatio', secondsLeft: 86_401 } }, probability: 0, action: 'no_action_needed' },
    { name: 'missing signals', given: { missingSignals: ['errorRatio'] }, probability: 0.25, action: 'monitor_closely' }
  ] as { name: string, given: Partial<Condition>, probability: number, action: string }[])('$name: $action with probability $probability', ({ given, probability, action }) => {
    const found = maintenanceFor({ ...calm, ...given })
    expect(found.action).toBe(action)
    expect(found.probability).toBeCloseTo(probability, 9)
  })

  it('gives its reasons, the weightiest first', () => {
    const { reason } = maintenanceFor({ ...calm, severity: 'high', alarmSeconds: 600, signals: { cpuUsageRatio: 0.97 }, saturation: { signal: 'memoryUsageRatio', secondsLeft: 7200 } })
    expect(reason).toBe('anomaly of severity high; CPU at 97 %, above 90 %; memoryUsageRatio reaches its limit in 2 h; anomalous for 10 min')
  })
})
