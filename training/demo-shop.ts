import { normal, type Random } from '../src/ml/random.ts'

export const demoShopHeader = [
  'at', 'requestsPerSecond', 'cpuUsageRatio', 'memoryUsageRatio', 'diskIoBytesPerSecond', 'networkInBytesPerSecond', 'networkOutBytesPerSecond',
  'errorRatio', 'responseTimeSeconds', 'queueLength', 'threadCount', 'readyReplicas'
] as const

const minute = 60
const minutesPerDay = 1440
/** Monday, 5 January 2026, 00:00 UTC. */
const startAt = 1_767_571_200
/** What one replica carries when it does nothing else. */
const requestsPerReplica = 100
const [leastReplicas, mostReplicas] = [2, 40]
const startUpMinutes = 2
const threadsPerReplica = 64

export interface DemoAnomaly { readonly kind: string, readonly from: number, readonly minutes: number }

const clock = (day: number, hour: number, minutes = 0) => startAt + ((day * 24 + hour) * 60 + minutes) * minute

/** What goes wrong in the five days, and when; nothing else does. */
export const demoAnomalies: readonly DemoAnomaly[] = [
  { kind: 'memory leak until a restart', from: clock(1, 15), minutes: 150 },
  { kind: 'database answers slowly and with errors', from: clock(2, 10, 20), minutes: 30 },
  { kind: 'backup saturates the disk', from: clock(3, 2, 10), minutes: 40 },
  { kind: 'caller fails, the load collapses', from: clock(3, 19, 40), minutes: 20 },
  { kind: 'noisy neighbour takes the processor', from: clock(4, 13), minutes: 40 }
]

/** How an anomaly changes a minute: factors, but for memory, cpu and errors, which are added. */
interface Disturbance { load: number, response: number, disk: number, memory: number, cpu: number, errors: number }

function disturbanceAt (at: number): Disturbance {
  const calm: Disturbance = { load: 1, response: 1, disk: 1, memory: 0, cpu: 0, errors: 0 }
  const index = demoAnomalies.findIndex(({ from, minutes }) => at >= from && at < from + minutes * minute)
  if (index === -1) return calm
  const share = (at - demoAnomalies[index].from) / (demoAnomalies[index].minutes * minute)
  const disturbances: readonly Disturbance[] = [
    { ...calm, memory: 0.4 * share, response: 1 + 0.8 * share },
    { ...calm, response: 5, cpu: -0.2, errors: 0.15 },
    { ...calm, disk: 12, response: 2 },
    { ...calm, load: 0.08 },
    { ...calm, cpu: 0.25, response: 2.2 }
  ]
  return disturbances[index]
}

/** Two peaks a day, lunch and evening, a quiet night, and no two days alike; requests per second. */
function dailyLoad (minuteOfDay: number, dayFactor: number): number {
  const bump = (center: number, width: number) => Math.exp(-(((minuteOfDay - center) / width) ** 2) / 2)
  return dayFactor * (140 + 620 * bump(750, 110) + 1250 * bump(1215, 130) + 380 * bump(960, 240))
}

/**
 * Five days of a web shop in steps of 60 s (`at` is the begin of the step): a daily season with bursts and noise, replicas that follow the load reactively, and signals that
 * agree with both (utilisation from load and replicas, response time from utilisation, busy threads by Little's law).
 */
export function * demoShopRows (random: Random, days = 5): Generator<number[]> {
  const dayFactors = Array.from({ length: days }, () => 1 + 0.08 * normal(random))
  const wishes: number[] = []
  let drift = 0
  let burst = 0
  let queue = 0
  let ready = leastReplicas + 2
  let cpuNoise = 0
  for (let i = 0; i < days * minutesPerDay; i++) {
    const at = startAt + i * minute
    const disturbance = disturbanceAt(at)
    drift = 0.9 * drift + 0.015 * normal(random)
    // About one burst in seven hours: up within a minute, halved every ten.
    burst = random() < 1 / 420 ? 0.25 + 0.6 * random() : burst * 0.933
    const expected = dailyLoad(i % minutesPerDay, dayFactors[Math.floor(i / minutesPerDay)]) * (1 + drift + burst) * disturbance.load
    const load = Math.max(1, expected + Math.sqrt(expected / minute) * 3 * normal(random))

    // A reactive autoscaler at 70 %: up when new replicas are ready, down to the largest wish of five minutes.
    wishes.push(Math.min(mostReplicas, Math.max(leastReplicas, Math.ceil(load / (0.7 * requestsPerReplica)))))
    const started = wishes[Math.max(0, wishes.length - 1 - startUpMinutes)]
    ready = started > ready ? started : Math.min(ready, Math.max(...wishes.slice(-5)))

    const full = ready * requestsPerReplica
    const served = Math.min(load + queue / minute, full)
    queue = Math.min(2000, Math.max(0, queue + (load - served) * minute))
    cpuNoise = 0.6 * cpuNoise + 0.015 * normal(random)
    const cpu = Math.min(1, Math.max(0.02, 0.04 + 0.93 * served / full + cpuNoise + disturbance.cpu))
    const responseSeconds = (0.03 + 0.012 / (1.04 - cpu)) * disturbance.response * Math.exp(0.06 * normal(random)) + queue / full
    const noisy = (value: number, share = 0.05) => value * Math.exp(share * normal(random))
    yield [
      at,
      rounded(load),
      rounded(cpu),
      rounded(Math.min(0.98, 0.42 + 0.12 * cpu + 0.00006 * (i % minutesPerDay) + 0.006 * normal(random) + disturbance.memory)),
      rounded(noisy(ready * 60_000 + served * 4500, 0.1) * disturbance.disk),
      rounded(noisy(load * 2100)),
      rounded(noisy(served * 18_500)),
      rounded(Math.min(1, noisy(0.0015, 0.4) + disturbance.errors * (0.8 + 0.4 * random()) + 0.3 * Math.max(0, load - served) / load)),
      rounded(responseSeconds),
      rounded(queue + noisy(load * 0.002, 0.3)),
      rounded(Math.min(load * responseSeconds, ready * threadsPerReplica)),
      ready
    ]
  }
}

/** Four significant digits: more would be noise and bytes. */
function rounded (value: number): number { return Number(value.toPrecision(4)) }
