import type { Signals } from '../src/domain.ts'
import { normal, type Random } from '../src/ml/random.ts'
import { defaultConfiguration, fromScale, presetParameters, toScale, type PresetConfiguration } from '../src/policy/parameters.ts'

/**
 * A small model of a service with a thread pool, a cache, and batched calls with timeout and retries to something behind it. It exists to make
 * training rows for the configuration network: a state that monitoring would show, and the configuration that is best in it. Times in ms.
 */
export interface Workload {
  readonly requestsPerSecond: number
  /** CPU time of one request. */
  readonly cpuMs: number
  /** Share of requests that a cache without bounds would answer, and the size at which it does. */
  readonly cacheableRatio: number
  readonly workingSetMegabytes: number
  /** One call behind: so long for itself and so much longer for each item of its batch. */
  readonly callMs: number
  readonly itemMs: number
  /** Calls that fail whatever we do. */
  readonly failureRatio: number
  readonly inKilobytes: number
  readonly outKilobytes: number
}

const cores = 8
const memoryMegabytes = 8192
const baseMegabytes = 512
const megabytesPerThread = 4
const parallelCalls = 16
const longestQueue = 500
const longestFillMs = 50
const cpuMsPerCall = 1
/** Now and then a call hangs: what a timeout is for. */
const stuckRatio = 0.015
const stuckTimes = 20
const objectiveMs = 100

interface Outcome {
  /** 0 to 100: success and latency, less a little for memory and threads. */
  readonly utility: number
  readonly signals: Signals
}

/** M/M/c waiting time. @see Sakasegawa, "An approximation formula L_q ≅ α·ρ^β/(1−ρ)", Ann. Inst. Stat. Math. 29 (1977). */
function waiting (utilization: number, servers: number, serviceMs: number): number {
  if (utilization >= 0.995) return longestQueue * serviceMs / servers
  const wait = serviceMs / servers * utilization ** (Math.sqrt(2 * (servers + 1)) - 1) / (1 - utilization)
  return Math.min(wait, longestQueue * serviceMs / servers)
}

/** A call with an exponential time and so much left before its timeout: how often it is too late, how long it takes on average. */
function answer (leftMs: number, meanMs: number): { late: number, spentMs: number } {
  const late = Math.exp(-Math.max(0, leftMs) / meanMs)
  return { late, spentMs: meanMs * (1 - late) }
}

/** Steady state of the service under a configuration, found by repeating it until waiting, retries and admission agree. */
export function simulate (workload: Workload, config: PresetConfiguration): Outcome {
  const { threadPoolSize: threads, cacheMegabytes: cache, timeoutMs, batchSize, retryCount } = config
  const perMs = workload.requestsPerSecond / 1000
  const hit = workload.cacheableRatio * Math.min(1, cache / workload.workingSetMegabytes) ** 0.4
  const miss = 1 - hit
  const memory = Math.min(0.985, (baseMegabytes + megabytesPerThread * threads + cache) / memoryMegabytes)
  const slowdown = (1 + 0.05 * memory / (1 - memory)) * (1 + 0.002 * Math.max(0, threads - 4 * cores)) // collecting garbage, switching threads
  const batch = Math.min(batchSize, 1 + perMs * miss * longestFillMs, threads)
  const fillMs = (batch - 1) / (2 * Math.max(perMs * miss, 1e-9))
  const callMs = workload.callMs + workload.itemMs * batch

  let admitted = 1
  let attempts = 1
  let wait = 0
  let fail = 0
  let held = 0
  let queue = 0
  let cpu = 0
  for (let i = 0; i < 40; i++) {
    const calls = perMs * admitted * miss * attempts / batch
    wait = 0.7 * wait + 0.3 * waiting(calls * callMs / parallelCalls, parallelCalls, callMs)
    const usual = answer(timeoutMs - wait, callMs)
    const stuck = answer(timeoutMs - wait, callMs * stuckTimes)
    const late = (1 - stuckRatio) * usual.late + stuckRatio * stuck.late
    const spent = Math.min(timeoutMs, wait) + (1 - stuckRatio) * usual.spentMs + stuckRatio * stuck.spentMs
    fail = Math.min(0.999, workload.failureRatio + (1 - workload.failureRatio) * late)
    attempts = 0.7 * attempts + 0.3 * (1 - fail ** (retryCount + 1)) / (1 - fail)
    const work = (workload.cpuMs + miss * attempts * cpuMsPerCall / batch) * slowdown
    cpu = perMs * admitted * work / cores
    held = work + waiting(cpu, cores, work) + miss * (fillMs + attempts * spent)
    const busy = perMs * held / threads
    queue = waiting(busy, threads, held)
    admitted = 0.7 * admitted + 0.3 * Math.min(1, 0.99 / busy)
  }
  const errors = 1 - admitted * (1 - miss * fail ** (retryCount + 1))
  const meanMs = queue + held
  const slowMs = meanMs + 1.7 * Math.sqrt(queue ** 2 + held ** 2 / 2)
  return {
    utility: 100 * (1 - errors) ** 3 / (1 + (slowMs / objectiveMs) ** 2) - 8 * cache / memoryMegabytes - 2 * threads / 256,
    signals: {
      cpuUsageRatio: Math.min(1, cpu),
      memoryUsageRatio: memory,
      diskIoBytesPerSecond: workload.requestsPerSecond * (miss * 4 + workload.inKilobytes * 0.2) * 1024,
      networkInBytesPerSecond: workload.requestsPerSecond * workload.inKilobytes * 1024,
      networkOutBytesPerSecond: workload.requestsPerSecond * admitted * (1 - errors) * workload.outKilobytes * 1024,
      requestsPerSecond: workload.requestsPerSecond,
      errorRatio: Math.max(0, errors),
      responseTimeSeconds: meanMs / 1000,
      queueLength: perMs * queue,
      threadCount: Math.min(threads, perMs * admitted * held)
    }
  }
}

const between = (random: Random, low: number, high: number) => low * (high / low) ** random()

/** Any service that 8 cores can carry: quick and slow, cacheable or not, sound or failing behind. */
export function drawWorkload (random: Random): Workload {
  const cpuMs = between(random, 0.8, 8)
  return {
    cpuMs,
    requestsPerSecond: (0.1 + 0.75 * random()) * 1000 * cores / (cpuMs + 1),
    cacheableRatio: 0.1 + 0.85 * random(),
    workingSetMegabytes: between(random, 200, 6000),
    callMs: between(random, 5, 60),
    itemMs: between(random, 0.1, 3),
    failureRatio: between(random, 0.001, 0.15),
    inKilobytes: between(random, 0.5, 16),
    outKilobytes: between(random, 1, 40)
  }
}

const anyConfiguration = (random: Random): PresetConfiguration =>
  Object.fromEntries(presetParameters.map(parameter => [parameter.name, fromScale(parameter, random())]))

/** Half of the time the defaults run, else anything. */
export function drawConfiguration (random: Random): PresetConfiguration {
  const byDefault = random() < 0.5
  return byDefault ? defaultConfiguration() : anyConfiguration(random)
}

/** The signals as an agent would measure them, each off by about 5 %. */
export function measured (signals: Signals, random: Random): Signals {
  return Object.fromEntries(Object.entries(signals).map(([name, value]) => [name, value * Math.exp(0.05 * normal(random))]))
}

/** Utility that the longest possible way from the defaults in one parameter must bring: where it hardly matters, the defaults stay. */
const costOfChange = 4

/**
 * The best configuration: many drawn, the best of them improved by ever smaller steps in all parameters. Half of its worth is how it does when
 * there is more load and what is behind slows down; the very best of one minute is a cliff in the next.
 */
export function bestConfiguration (workload: Workload, random: Random): PresetConfiguration {
  const harder = { ...workload, requestsPerSecond: workload.requestsPerSecond * 1.2, callMs: workload.callMs * 1.6, itemMs: workload.itemMs * 1.6 }
  let best = { config: defaultConfiguration(), worth: -Infinity }
  const consider = (config: PresetConfiguration) => {
    const distance = presetParameters.reduce((sum, parameter) =>
      sum + (toScale(parameter, config[parameter.name]) - toScale(parameter, parameter.byDefault)) ** 2, 0)
    const worth = (simulate(workload, config).utility + simulate(harder, config).utility) / 2 - costOfChange * distance
    if (worth > best.worth) best = { config, worth }
  }
  consider(best.config)
  for (let i = 0; i < 300; i++) consider(anyConfiguration(random))
  for (const step of [0.15, 0.08, 0.04, 0.02]) {
    for (let i = 0; i < 60; i++) {
      const from = best.config
      consider(Object.fromEntries(presetParameters.map(parameter =>
        [parameter.name, fromScale(parameter, toScale(parameter, from[parameter.name]) + step * normal(random))])))
    }
  }
  return best.config
}
