import { describe, expect, it } from 'vitest'
import { createRandom } from '../../src/ml/random.ts'
import { demoAnomalies, demoShopHeader, demoShopRows } from '../../training/demo-shop.ts'

const rows = [...demoShopRows(createRandom(1))]
const column = (name: typeof demoShopHeader[number]) => rows.map(row => row[demoShopHeader.indexOf(name)])
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const times = column('at')
const isAbnormal = times.map(at => demoAnomalies.some(({ from, minutes }) => at >= from && at < from + minutes * 60))

describe('the demonstration shop', () => {
  it('has five days of minutes, without a gap and with finite numbers only', () => {
    expect(rows).toHaveLength(5 * 1440)
    expect(new Set(times.slice(1).map((at, i) => at - times[i]))).toEqual(new Set([60]))
    expect(rows.every(row => row.length === demoShopHeader.length && row.every(Number.isFinite))).toBe(true)
  })

  it('is the same for the same seed, and another for another', () => {
    expect([...demoShopRows(createRandom(1))]).toEqual(rows)
    expect([...demoShopRows(createRandom(2))]).not.toEqual(rows)
  })

  it('is busier in the evening than at night', () => {
    const loads = column('requestsPerSecond')
    const hour = (hours: number) => mean(loads.filter((_, i) => Math.floor(i % 1440 / 60) === hours))
    expect(hour(20)).toBeGreaterThan(4 * hour(3))
  })

  it('has signals that agree: utilisation with load over replicas, busy threads with load times response time', () => {
    const [load, cpu, replicas, response, threads] = (['requestsPerSecond', 'cpuUsageRatio', 'readyReplicas', 'responseTimeSeconds', 'threadCount'] as const).map(column)
    rows.forEach((_, i) => {
      if (isAbnormal[i]) return
      // One replica carries 100 requests a second: 0.04 + 0.93 of its share, within noise and at most 1.
      expect(Math.abs(cpu[i] - Math.min(1, 0.04 + 0.93 * load[i] / replicas[i] / 100))).toBeLessThan(0.2)
      const busy = Math.min(load[i] * response[i], 64 * replicas[i])
      expect(Math.abs(threads[i] - busy)).toBeLessThan(0.01 * busy)
    })
  })

  it('shows its anomalies in the signals that they are about', () => {
    const during = (name: typeof demoShopHeader[number], kind: RegExp) => {
      const { from, minutes } = demoAnomalies.find(anomaly => kind.test(anomaly.kind))!
      return mean(column(name).filter((_, i) => times[i] >= from && times[i] < from + minutes * 60))
    }
    const usual = (name: typeof demoShopHeader[number]) => mean(column(name).filter((_, i) => !isAbnormal[i]))
    expect(during('memoryUsageRatio', /leak/)).toBeGreaterThan(usual('memoryUsageRatio') + 0.15)
    expect(during('errorRatio', /database/)).toBeGreaterThan(20 * usual('errorRatio'))
    expect(during('diskIoBytesPerSecond', /backup/)).toBeGreaterThan(2 * usual('diskIoBytesPerSecond'))
    expect(during('requestsPerSecond', /caller/)).toBeLessThan(0.3 * usual('requestsPerSecond'))
    expect(during('cpuUsageRatio', /neighbour/)).toBeGreaterThan(usual('cpuUsageRatio') + 0.15)
  })
})
