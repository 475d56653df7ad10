import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDemo, demoService } from '../src/demo.ts'
import type { Decision, Sample } from '../src/domain.ts'
import type { Envelope } from '../src/store/envelope.ts'
import { decisionOf } from './api/support.ts'
import { silent } from './support/redis.ts'

/** 3,000 minutes; minute m has the load m. */
const trace = Array.from({ length: 3000 }, (_, minute) => ({ requestsPerSecond: minute, cpuUsageRatio: 0.5, readyReplicas: 10 }))
const start = 1_800_000_000_000
const second = (ms: number) => ms / 1000

let sent: Envelope[]
let decision: Decision | null
let demo: ReturnType<typeof createDemo>
beforeEach(() => {
  vi.useFakeTimers({ now: start })
  sent = []
  decision = null
})
afterEach(async () => {
  await demo.close()
  vi.useRealTimers()
})
const begin = () => {
  demo = createDemo({
    trace, queue: { enqueue: async (envelopes) => { sent.push(...envelopes) } }, decisions: { latest: async () => decision }, log: silent, now: Date.now
  })
  return vi.advanceTimersByTimeAsync(0)
}
const samples = (): readonly Sample[] => sent.flatMap((envelope) => envelope.kind === 'samples' ? envelope.samples : [])

describe('the demonstration', () => {
  it('begins with a little more than one season of the past, in batches, and ends at the present second', async () => {
    await begin()
    expect(samples().length).toBe(1500)
    expect(Math.max(...sent.map((envelope) => envelope.kind === 'samples' ? envelope.samples.length : 0))).toBe(100)
    expect(samples()[0]).toEqual({ service: demoService, at: start - 1_499_000, signals: trace[(second(start) - 1499) % 3000] })
    expect(samples()[1499].at).toBe(start)
  })

  it('then plays one minute a second', async () => {
    await begin()
    sent = []
    await vi.advanceTimersByTimeAsync(3000)
    expect(samples().map(({ at, signals }) => [at, signals['requestsPerSecond']])).toEqual([1, 2, 3].map((i) => [start + i * 1000, (second(start) + i) % 3000]))
  })

  it('after a restart goes on where the clock says and sends only what is missing', async () => {
    decision = decisionOf(demoService, { asOf: start - 42_000, validUntil: start + 1000 })
    await begin()
    expect(samples().map(({ at }) => at)).toEqual(Array.from({ length: 42 }, (_, i) => start - 41_000 + i * 1000))
  })

  it('has the replicas that were decided, two seconds later, and the CPU that these need', async () => {
    await begin()
    const ready = () => samples().at(-1)?.signals
    expect(ready()).toMatchObject({ readyReplicas: 10, cpuUsageRatio: 0.5 })
    decision = decisionOf(demoService, { asOf: start, validUntil: start + 60_000, replicas: 20 })
    await vi.advanceTimersByTimeAsync(1000)
    expect(ready()).toMatchObject({ readyReplicas: 10 })
    await vi.advanceTimersByTimeAsync(2000)
    // Twice the replicas have half the work each.
    expect(ready()).toMatchObject({ readyReplicas: 20, cpuUsageRatio: 0.25 })
  })

  it('goes on by itself after the queue has refused it', async () => {
    let refuse = true
    demo = createDemo({
      trace, queue: { enqueue: async (envelopes) => { if (refuse) throw new Error('no Redis'); sent.push(...envelopes) } }, decisions: { latest: async () => decision }, log: silent, now: Date.now
    })
    await vi.advanceTimersByTimeAsync(5000)
    expect(sent).toEqual([])
    refuse = false
    await vi.advanceTimersByTimeAsync(1000)
    expect(samples().length).toBe(1500)
  })
})
