import type { Parameter, Policy, TuningRules } from '../domain.ts'
import { presetParameters } from '../policy/parameters.ts'
import { tunerDefaults } from './options.ts'
import { roleOf } from './roles.ts'

/** The five parameters of the preset as declared ones; the network knows these and no others. */
export const presetDeclared: readonly Parameter[] = presetParameters.map(({ name, kind, low, high, scale, byDefault, unit }) => ({
  name, kind, low, high, scale, default: byDefault, role: roleOf(name), ...(unit !== null && { unit })
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

const meaningOf = (parameter: Parameter) => {
  const { low, high, scale = 'linear' } = parameter as Extract<Parameter, { low: number }>
  return JSON.stringify([parameter.name, parameter.kind, low, high, scale, parameter.default])
}
const presetMeanings = presetDeclared.map(meaningOf).sort()

/** Whether the network can speak of these parameters: the five of the preset, whoever declares them. */
export function isPreset ({ parameters }: TuningRules): boolean {
  return parameters === presetDeclared || (parameters.length === presetMeanings.length && parameters.map(meaningOf).sort().every((one, i) => one === presetMeanings[i]))
}
