import { createRandom, normal } from '../../src/ml/random.ts'
import { bluefinDefaults, learnBluefin, proposeBluefin, startBluefin } from '../../src/tuning/bluefin.ts'
import { tunerDefaults } from '../../src/tuning/options.ts'
import { createParameterSpace, type Configuration, type Parameter } from '../../src/tuning/parameters.ts'
import { emptyTunerState } from '../../src/tuning/state.ts'
import { learnFrom, proposeConfig } from '../../src/tuning/tuner.ts'
import { defaults, parameterNames, toReal, toUnit } from './service.ts'

/** What tunes the simulated service: signals of the service in, configuration out, then the utility that came of it. */
export interface Strategy {
  propose (signals: readonly number[]): readonly number[]
  learn (utility: number): void
}

/** Keeps a change of one standard step if it was no worse than the mean of the last results of what it replaces. */
function createHillClimbing (seed: number): Strategy {
  const random = createRandom(seed)
  let center = toUnit(defaults)
  let level: number | null = null
  let trial: number[] | null = null
  return {
    propose () {
      // Takes turns, so that the level follows the load.
      trial = level === null || trial !== null ? null : center.map(value => Math.min(1, Math.max(0, value + 0.1 * normal(random))))
      return toReal(trial ?? center)
    },
    learn (utility) {
      if (trial !== null && utility > level!) {
        center = trial
        level = utility
      } else if (trial === null) level = level === null ? utility : 0.5 * level + 0.5 * utility
    }
  }
}

function createBluefin (seed: number): Strategy {
  let state = startBluefin(toUnit(defaults), seed)
  return {
    propose: () => toReal(proposeBluefin(state, bluefinDefaults)),
    learn (utility) { state = learnBluefin(state, utility, bluefinDefaults) }
  }
}

function createRandomSearch (seed: number): Strategy {
  const random = createRandom(seed)
  return { propose: () => toReal(defaults.map(() => random())), learn () {} }
}

/** What an operator would write into the configuration file for this service. */
export const declared: readonly Parameter[] = [
  { name: 'threadPoolSize', kind: 'integer', low: 4, high: 256, scale: 'log', default: 64, role: 'threads' },
  { name: 'cacheMegabytes', kind: 'integer', low: 32, high: 6144, scale: 'log', default: 256, unit: 'MB', role: 'memory' },
  { name: 'timeoutMs', kind: 'integer', low: 20, high: 5000, scale: 'log', default: 1000, unit: 'ms', role: 'timeout' },
  { name: 'batchSize', kind: 'integer', low: 1, high: 64, scale: 'log', default: 4, role: 'batch' },
  { name: 'retryCount', kind: 'integer', low: 0, high: 5, default: 3, role: 'retries' }
]

/** The names and units of the catalogue, in the order of `signalsOf`. */
export function namedSignals (signals: readonly number[]): Record<string, number> {
  const [cpu, memory, disk, networkIn, networkOut, load, errors, meanMs, queue, busy] = signals
  const bytes = 1024 * 1024
  return {
    cpuUsageRatio: cpu,
    memoryUsageRatio: memory,
    diskIoBytesPerSecond: disk * bytes,
    networkInBytesPerSecond: networkIn * bytes,
    networkOutBytesPerSecond: networkOut * bytes,
    requestsPerSecond: load,
    errorRatio: errors,
    responseTimeSeconds: meanMs / 1000,
    queueLength: queue,
    threadCount: busy
  }
}

function createTuner (seed: number): Strategy {
  const space = createParameterSpace(declared)
  let state = emptyTunerState(space, { seed, options: tunerDefaults })
  let moment: { signals: Record<string, number>, config: Configuration } | null = null
  let at = 0
  return {
    propose (signals) {
      const named = namedSignals(signals)
      const answer = proposeConfig(state, { signals: named }, space)
      state = answer.state
      moment = { signals: named, config: answer.proposal.config }
      return parameterNames.map(name => Number(answer.proposal.config[name]))
    },
    learn (utility) {
      at += 60_000
      state = learnFrom(state, { id: String(at), at, utility, ...moment! }, space)
    }
  }
}

export const strategies: Readonly<Record<string, (seed: number) => Strategy>> = {
  defaults: () => ({ propose: () => defaults, learn () {} }),
  random: createRandomSearch,
  'hill-climbing': createHillClimbing,
  bluefin: createBluefin,
  ours: createTuner
}
