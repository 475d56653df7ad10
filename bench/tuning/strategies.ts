import type { Configuration, Parameter } from '../../src/domain.ts'
import { tuningSignals } from '../../src/features/tuning-features.ts'
import { ConfigNetwork } from '../../src/ml/config-network.ts'
import { DenseNetwork } from '../../src/ml/dense-network.ts'
import { createRandom, normal } from '../../src/ml/random.ts'
import { suggest, type TuningState } from '../../src/policy/suggest.ts'
import { createTuner } from '../../src/policy/tuner.ts'
import { openTuningRecord } from '../../src/policy/tuning-record.ts'
import { bluefinDefaults, learnBluefin, proposeBluefin, startBluefin } from '../../src/tuning/bluefin.ts'
import { tunerDefaults } from '../../src/tuning/options.ts'
import { createParameterSpace } from '../../src/tuning/parameters.ts'
import { emptyTunerState } from '../../src/tuning/state.ts'
import { learnFrom, proposeConfig } from '../../src/tuning/tuner.ts'
import { defaults, parameterNames, toReal, toUnit } from './service.ts'

/** What tunes the simulated service: signals of the service in, configuration out, then the utility that came of it. */
export interface Strategy {
  propose (signals: readonly number[]): readonly number[]
  /** @param optimal what would have been best: for those who are told. */
  learn (utility: number, optimal: readonly number[]): void | Promise<void>
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
function namedSignals (signals: readonly number[]): Record<string, number> {
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

function createSurrogate (seed: number): Strategy {
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

/** The network of the preset, told the best configuration of every step. */
function createSupervised (seed: number): Strategy {
  const tuner = createTuner({ seed })
  const network = ConfigNetwork.create({ features: tuningSignals, parameters: parameterNames, typical: Array.from(tuningSignals, () => 0), seed })
  let record: Uint8Array | null = null
  let state: TuningState | null = null
  let signals: Record<string, number> = {}
  return {
    propose (seen) {
      signals = namedSignals(seen)
      if (record === null) return defaults
      const { suggestion } = suggest(state, { service: 'bench', at: 0, signals }, openTuningRecord(record))
      return parameterNames.map(name => Number(suggestion!.config[name]))
    },
    async learn (_, optimal) {
      const feedback = [{ id: '1', service: 'bench', at: 0, state: signals, optimal: Object.fromEntries(parameterNames.map((name, i) => [name, optimal[i]])) }]
      const model = { version: '0', network: new DenseNetwork((await network).content) }
      const learned = await tuner.learn({ service: 'bench', network: record, state, feedback, model })
      record = learned.network
      state = learned.state
    }
  }
}

export const strategies: Readonly<Record<string, (seed: number) => Strategy>> = {
  defaults: () => ({ propose: () => defaults, learn () {} }),
  random: createRandomSearch,
  'hill-climbing': createHillClimbing,
  bluefin: createBluefin,
  surrogate: createSurrogate,
  supervised: createSupervised
}
