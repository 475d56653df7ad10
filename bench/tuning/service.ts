import { normalCdf } from './normal-cdf.ts'

/**
 * A simulated service to tune: five parameters, a workload that drifts, a best configuration that can be computed.
 * A queueing model (Sakasegawa's M/M/c waits, log-normal downstream calls, retries that fail together) solved by a damped fixed point.
 * Times in ms unless named otherwise. Checked against the Python original to 1e-6 (test/tuning/service.test.ts).
 */
export const parameterNames = ['threadPoolSize', 'cacheMegabytes', 'timeoutMs', 'batchSize', 'retryCount'] as const
const low = [4, 32, 20, 1, 0]
const high = [256, 6144, 5000, 64, 5]
const logarithmic = [true, true, true, true, false]
/** What operators start with. */
export const defaults: readonly number[] = [64, 256, 1000, 4, 3]

export interface Workload {
  /** Cacheable share of requests, exponent of the keys' Zipf law. */
  readonly r: number
  readonly a: number
  /** CPU ms a request. */
  readonly S: number
  /** A downstream call of b items takes D0 + d1·b ms and fails with probability phi. */
  readonly D0: number
  readonly d1: number
  readonly phi: number
  readonly lmax: number
  /** KiB in and out a request. */
  readonly kin: number
  readonly kout: number
  /** Requests per second now. */
  readonly lam: number
}

export const regimes = {
  web: { r: 0.95, a: 0.90, S: 2.4, D0: 18, d1: 0.80, phi: 0.004, lmax: 2200, kin: 2, kout: 20 },
  ingest: { r: 0.20, a: 0.80, S: 1.0, D0: 16, d1: 0.20, phi: 0.010, lmax: 2600, kin: 12, kout: 2 },
  compute: { r: 0.70, a: 1.1, S: 4.0, D0: 10, d1: 2.0, phi: 0.002, lmax: 1650, kin: 3, kout: 6 },
  degraded: { r: 0.85, a: 0.75, S: 2.0, D0: 30, d1: 1.0, phi: 0.080, lmax: 1300, kin: 2, kout: 20 }
} as const
export type Regime = keyof typeof regimes
export const regimeNames = Object.keys(regimes) as Regime[]

const cores = 8
const ramMb = 8192
const baseMb = 768
const threadMb = 4
const keys = 1_000_000
const objectKb = 4
const lingerMs = 40
const downstreamServers = 14
const downstreamQueue = 400
const requestQueue = 1000
const callCpuMs = 1.2
const sigma = 0.5
const stuckShare = 0.01
const stuckFactor = 20
const contextSwitch = 0.0025
const objectiveMs = 80
const kappa = 0.5

export interface Outcome {
  readonly utility: number
  readonly errorRatio: number
  readonly meanMs: number
  readonly tailMs: number
  readonly cpu: number
  readonly memory: number
  readonly admitted: number
  readonly waitMs: number
  readonly missesPerSecond: number
  readonly busyThreads: number
}

const clip = (x: number, from: number, to: number) => Math.min(to, Math.max(from, x))

/** Rounds halves to even, as numpy's rint. */
function roundEven (x: number): number {
  const rounded = Math.round(x)
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

/** From [0, 1]⁵ to whole numbers within the bounds. */
export function toReal (z: readonly number[]): number[] {
  return z.map((value, i) => {
    const unit = clip(value, 0, 1)
    const real = logarithmic[i] ? low[i] * (high[i] / low[i]) ** unit : low[i] + unit * (high[i] - low[i])
    return clip(roundEven(real), low[i], high[i])
  })
}

export function toUnit (config: readonly number[]): number[] {
  return config.map((value, i) => logarithmic[i] ? Math.log(value / low[i]) / Math.log(high[i] / low[i]) : (value - low[i]) / (high[i] - low[i]))
}

/** How much of the key space's popularity the `count` most popular keys hold, up to a factor. */
function popularity (count: number, exponent: number): number {
  const n = Math.max(count, 1)
  const sum = Math.abs(1 - exponent) < 1e-9 ? Math.log(n) : (n ** (1 - exponent) - 1) / (1 - exponent)
  return sum + 0.5 * (1 + n ** -exponent)
}

/** Sakasegawa's mean wait of an M/M/c queue. */
function wait (utilisation: number, servers: number, service: number): number {
  const rho = Math.min(utilisation, 0.995)
  return service / servers * rho ** (Math.sqrt(2 * (servers + 1)) - 1) / (1 - rho)
}

/** Of a log-normal call cut at a timeout: how often it is cut, and the first two moments of what remains. */
function cutCall (mean: number, timeout: number): [cut: number, first: number, second: number] {
  const mu = Math.log(mean) - sigma ** 2 / 2
  const k = (Math.log(timeout) - mu) / sigma
  const cut = 1 - normalCdf(k)
  return [cut, mean * normalCdf(k - sigma) + timeout * cut, Math.exp(2 * mu + 2 * sigma ** 2) * normalCdf(k - 2 * sigma) + timeout ** 2 * cut]
}

/** The mean number of attempts and its variance when a retry follows every failure up to `retries` times. */
function attemptsVariance (fail: number, failAgain: number, retries: number): number {
  let first = 0
  let second = 0
  for (let n = 1; n <= 6; n++) {
    const reached = n === 1 ? 1 : fail * failAgain ** (n - 2)
    const fails = n === 1 ? fail : failAgain
    const share = n <= retries ? reached * (1 - fails) : n === retries + 1 ? reached : 0
    first += n * share
    second += n * n * share
  }
  return Math.max(0, second - first ** 2)
}

/** What `config` (threads, cache MB, timeout, batch, retries) does to workload `w`, without noise. */
export function evaluate (w: Workload, config: readonly number[], iterations = 60): Outcome {
  const [threads, cacheMb, timeout, batch, retries] = config
  const arrivals = w.lam / 1000
  const hit = w.r * Math.min(1, popularity(Math.min(cacheMb * 1024 / objectKb, keys), w.a) / popularity(keys, w.a))
  const miss = 1 - hit
  const memory = Math.min(0.985, (baseMb + threadMb * threads + cacheMb) / ramMb)
  const collection = 1 + 0.06 * memory / (1 - memory)
  const switching = 1 + contextSwitch * Math.max(0, threads - 4 * cores)
  let admitted = 1
  let attempts = 1
  let downstreamWait = 0
  let p = 0
  let failAgain = 0
  let misses = 0
  let batchWait = 0
  let et = 0
  let qt = 0
  let cpu = 0
  let compute = 0
  let time = 0
  let queueWait = 0
  for (let i = 0; i < iterations; i++) {
    const entering = arrivals * admitted
    misses = Math.max(entering * miss, 1e-9)
    const b = Math.min(batch, 1 + misses * lingerMs, Math.max(1, threads))
    batchWait = (b - 1) / (2 * misses)
    const call = w.D0 + w.d1 * b
    const callMean = call * (1 + stuckShare * (stuckFactor - 1))
    const rhoDown = misses * attempts / b * callMean / downstreamServers
    const full = downstreamQueue * callMean / downstreamServers
    const newWait = rhoDown < 0.995 ? Math.min(wait(rhoDown, downstreamServers, callMean), full) : full
    downstreamWait = 0.7 * downstreamWait + 0.3 * newWait
    const [p1, e1, q1] = cutCall(downstreamWait + call, timeout)
    const [p2, e2, q2] = cutCall(downstreamWait + call * stuckFactor, timeout)
    const cut = (1 - stuckShare) * p1 + stuckShare * p2
    et = (1 - stuckShare) * e1 + stuckShare * e2
    qt = (1 - stuckShare) * q1 + stuckShare * q2
    p = Math.min(0.999999, w.phi + (1 - w.phi) * cut)
    failAgain = kappa + (1 - kappa) * p
    const newAttempts = retries > 0 ? 1 + p * (1 - failAgain ** retries) / (1 - failAgain) : 1
    attempts = 0.7 * attempts + 0.3 * newAttempts
    const work = (w.S * collection + miss * attempts * callCpuMs / b) * switching
    cpu = entering * work / cores
    compute = work + wait(cpu, cores, work)
    time = compute + miss * (batchWait + attempts * et)
    const rhoThreads = arrivals * time / threads
    queueWait = rhoThreads < 0.995 ? Math.min(wait(rhoThreads, threads, time), requestQueue * time / threads) : requestQueue * time / threads
    admitted = 0.7 * admitted + 0.3 * Math.min(1, 0.99 / rhoThreads)
  }
  const errorRatio = 1 - admitted * (1 - miss * p * failAgain ** retries)
  const missTime = batchWait + attempts * et
  const missVariance = attempts * Math.max(0, qt - et ** 2) + attemptsVariance(p, failAgain, retries) * et ** 2 + batchWait ** 2 / 3
  const meanMs = queueWait + compute + miss * missTime
  const variance = queueWait ** 2 + compute ** 2 + miss * missVariance + miss * (1 - miss) * missTime ** 2
  const tailMs = meanMs + 1.65 * Math.sqrt(variance)
  const utility = 100 * (1 - errorRatio) ** 3 / (1 + (tailMs / objectiveMs) ** 2) - 8 * (cacheMb / ramMb) - 2 * (threads / 256)
  return {
    utility,
    errorRatio,
    meanMs,
    tailMs,
    cpu: Math.min(1, cpu),
    memory,
    admitted,
    waitMs: queueWait,
    missesPerSecond: misses * 1000,
    busyThreads: Math.min(threads, arrivals * admitted * time)
  }
}

/** The ten signals as a monitoring agent sees them, before noise: ratios, MB/s, MB/s, MB/s, 1/s, ratio, ms, requests, threads. */
export function signalsOf (w: Workload, o: Outcome): number[] {
  const entering = w.lam * o.admitted
  const inMb = w.lam * w.kin / 1024
  return [o.cpu, o.memory, o.missesPerSecond * objectKb / 1024 + inMb * 0.2, inMb, entering * (1 - o.errorRatio) * w.kout / 1024,
    w.lam, o.errorRatio, o.meanMs, w.lam / 1000 * o.waitMs, o.busyThreads]
}
