import { Agent } from 'node:http'
import { createRandom } from '../../src/ml/random.ts'
import { get, type LiveService } from './real-service.ts'

const keyCount = 8000
const objectiveMs = 40
const giveUpMs = 3000

export interface Period {
  /** 0 to 100: for each request 1 / (1 + (latency / 40 ms)²), 0 where it failed; less up to 8 for the cache and 2 for the workers. */
  readonly performance: number
  readonly state: Readonly<Record<string, number>>
}

/** Keys by Zipf's law with exponent 0.9: the cumulative shares, in which a random number finds its key. */
const shares = (() => {
  const weights = Float64Array.from({ length: keyCount }, (_, i) => (i + 1) ** -0.9)
  let sum = 0
  for (let i = 0; i < keyCount; i++) weights[i] = sum += weights[i]
  return weights.map(value => value / sum)
})()
function keyAt (place: number): number {
  let low = 0
  let high = keyCount - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (shares[middle] < place) low = middle + 1
    else high = middle
  }
  return low
}

interface LoadOptions { readonly seed: number, readonly requestsPerSecond: (step: number) => number, readonly periodSeconds: number }
interface Tally { readonly latencies: number[], failed: number, busy: number, queued: number, ticks: number }

/** Open load: the same requests at the same moments to every service, however long they take. */
export function createLiveLoad (services: readonly LiveService[], { seed, requestsPerSecond, periodSeconds }: LoadOptions) {
  const random = createRandom(seed)
  const agent = new Agent({ keepAlive: true })
  let step = 0

  /** One period under load; one result for each service. */
  async function run (): Promise<Period[]> {
    const rate = requestsPerSecond(step++)
    const tallies = services.map((): Tally => ({ latencies: [], failed: 0, busy: 0, queued: 0, ticks: 0 }))
    const pending: Promise<void>[] = []
    const ends = performance.now() + 1000 * periodSeconds
    let next = performance.now()
    while (next < ends) {
      await new Promise(resolve => setTimeout(resolve, Math.max(0, next - performance.now())))
      const id = keyAt(random())
      services.forEach((service, i) => {
        const { threadCount, queueLength } = service.now()
        const tally = tallies[i]
        tally.busy += threadCount
        tally.queued += queueLength
        tally.ticks++
        const began = performance.now()
        pending.push(get(`${service.url}/${id}`, { agent, timeoutMs: giveUpMs }).catch(() => 0).then(status => {
          if (status === 200) tally.latencies.push(performance.now() - began)
          else tally.failed++
        }))
      })
      next -= 1000 / rate * Math.log(1 - random())
    }
    await Promise.all(pending)
    return services.map((service, i) => periodOf(service, tallies[i], rate))
  }
  return { run, close: () => { agent.destroy() } }
}

function periodOf (service: LiveService, { latencies, failed, busy, queued, ticks }: Tally, rate: number): Period {
  const count = latencies.length + failed
  const { workers, cacheMegabytes } = service.config()
  const satisfaction = latencies.reduce((sum, latency) => sum + 1 / (1 + (latency / objectiveMs) ** 2), 0) / Math.max(1, count)
  return {
    performance: 100 * satisfaction - 8 * cacheMegabytes / 64 - 2 * workers / 64,
    state: {
      requestsPerSecond: rate,
      errorRatio: failed / Math.max(1, count),
      responseTimeSeconds: latencies.reduce((sum, latency) => sum + latency, 0) / Math.max(1, latencies.length) / 1000,
      threadCount: busy / Math.max(1, ticks),
      queueLength: queued / Math.max(1, ticks)
    }
  }
}
