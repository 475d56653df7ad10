import { describe, expect, it } from 'vitest'
import { createEarlierLoads } from '../src/earlier-loads.ts'
import { configOf } from './api/support.ts'
import { policy } from './support/scaling.ts'
import { silent } from './support/redis.ts'

const minute = 60_000
const now = 1_000_000 * minute
const config = configOf(`
limits: { historySteps: 256 }
sources:
  prometheus:
    - { url: 'http://one:9090', serviceLabel: app, signals: { queueLength: 'jobs' } }
    - { url: 'http://two:9090', serviceLabel: app, signals: { requestsPerSecond: 'sum by (app) (rate(x[1m]))' } }
`)
/** Ten minutes that end now, 300 to 309 requests per second; minute 4 is no number. */
const values = Array.from({ length: 10 }, (_, i) => [(now - (9 - i) * minute) / 1000, i === 4 ? 'NaN' : String(300 + i)])
const kept = { stepSeconds: 60, startAt: now - 2 * minute, loads: Float64Array.of(7, 8, 9) }

function open (result: unknown = [{ metric: { app: 'shop' }, values }, { metric: {}, values: [] }]) {
  const asked: { address: string, form: Record<string, string> }[] = []
  const fetchBytes = async (address: string, { form }: { form?: URLSearchParams }) => {
    asked.push({ address, form: Object.fromEntries(form!) })
    if (result instanceof Error) throw result
    return { status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } })) }
  }
  let present = now
  const later = (ms: number) => { present += ms }
  return { asked, later, earlier: createEarlierLoads({ config: () => config, fetchBytes, log: silent, now: () => present }) }
}

describe('what Prometheus remembers of a load', () => {
  it('stands before what is kept, on the same grid, and gaps stay gaps', async () => {
    const { earlier, asked } = open()
    const { startAt, loads, stepSeconds } = await earlier.extend('shop', kept, policy)
    expect({ startAt, stepSeconds }).toEqual({ startAt: now - 9 * minute, stepSeconds: 60 })
    expect([...loads]).toEqual([300, 301, 302, 303, NaN, 305, 306, 7, 8, 9])
    // 256 steps that end now, asked where the query for the load is.
    expect(asked).toEqual([{
      address: 'http://two:9090/api/v1/query_range',
      form: { query: 'sum by (app) (rate(x[1m]))', start: ((now - 255 * minute) / 1000).toFixed(3), end: (now / 1000).toFixed(3), step: '60', timeout: '10s' }
    }])
  })

  it('is asked once an hour for all services', async () => {
    const { earlier, asked, later } = open()
    await earlier.extend('shop', kept, policy)
    expect(await earlier.extend('cart', kept, policy)).toBe(kept)
    expect(asked).toHaveLength(1)
    later(3_600_000)
    await earlier.extend('shop', kept, policy)
    expect(asked).toHaveLength(2)
  })

  it.each([
    { name: 'the target is a ratio', rules: { ...policy, target: { kind: 'ratio' as const, signal: 'cpuUsageRatio', atTarget: 0.7 } }, asks: 0 },
    { name: 'no server knows the signal', rules: { ...policy, target: { kind: 'perReplica' as const, signal: 'bytesPerSecond', atTarget: 1, utilization: 1 } }, asks: 0 }
  ])('is not asked where $name', async ({ rules, asks }) => {
    const { earlier, asked } = open()
    expect(await earlier.extend('shop', kept, rules)).toBe(kept)
    expect(asked).toHaveLength(asks)
  })

  it('changes nothing where it does not answer, or knows nothing of before', async () => {
    expect(await open(new Error('refused')).earlier.extend('shop', kept, policy)).toBe(kept)
    const later = [{ metric: { app: 'shop' }, values: values.slice(-2) }]
    expect(await open(later).earlier.extend('shop', kept, policy)).toBe(kept)
  })
})
