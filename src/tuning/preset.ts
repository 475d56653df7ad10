import type { Parameter, Policy, TuningRules } from '../domain.ts'
import { presetParameters } from '../policy/parameters.ts'
import { tunerDefaults } from './options.ts'

const roles: Readonly<Record<string, Parameter['role']>> = {
  threadPoolSize: 'threads', cacheMegabytes: 'memory', timeoutMs: 'timeout', batchSize: 'batch', retryCount: 'retries'
}

/** The five parameters of the original design as declared ones; the network knows these and no others. */
export const presetDeclared: readonly Parameter[] = presetParameters.map(({ name, kind, low, high, scale, byDefault, unit }) => ({
  name, kind, low, high, scale, default: byDefault, role: roles[name], ...(unit !== null && { unit })
}))

/** What holds where a service says nothing of tuning. */
export const presetRules: TuningRules = {
  mode: 'suggest',
  parameters: presetDeclared,
  constraints: [],
  objective: { kind: 'reported' },
  performanceRange: null,
  strategy: 'surrogate',
  explorationShare: tunerDefaults.explorationShare,
  safetyMargin: tunerDefaults.safetyMargin,
  proofShare: 0.02,
  canary: false,
  furtherSignals: []
}

export const tuningRules = ({ tuning }: Pick<Policy, 'tuning'>): TuningRules => tuning ?? presetRules

const presetText = JSON.stringify(presetDeclared)

/** Whether the network can speak of these parameters. */
export function isPreset ({ parameters }: TuningRules): boolean {
  return parameters === presetDeclared || JSON.stringify(parameters) === presetText
}
