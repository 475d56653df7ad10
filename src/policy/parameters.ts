import type { Configuration } from '../domain.ts'

/** One tunable value of a service: its bounds, how it is stepped through, and what operators start with. */
export interface Parameter {
  readonly name: string
  readonly low: number
  readonly high: number
  readonly scale: 'linear' | 'log'
  readonly kind: 'integer' | 'real'
  readonly byDefault: number
  /** For a reader; null for a count. */
  readonly unit: string | null
}

/** The five parameters of the original design; the network answers in this order. */
export const presetParameters: readonly Parameter[] = [
  { name: 'threadPoolSize', low: 4, high: 256, scale: 'log', kind: 'integer', byDefault: 64, unit: null },
  { name: 'cacheMegabytes', low: 32, high: 6144, scale: 'log', kind: 'integer', byDefault: 256, unit: 'MB' },
  { name: 'timeoutMs', low: 20, high: 5000, scale: 'log', kind: 'integer', byDefault: 1000, unit: 'ms' },
  { name: 'batchSize', low: 1, high: 64, scale: 'log', kind: 'integer', byDefault: 4, unit: null },
  { name: 'retryCount', low: 0, high: 5, scale: 'linear', kind: 'integer', byDefault: 3, unit: null }
]

/** Values of these five. */
export type PresetConfiguration = Readonly<Record<string, number>>

/** A value as a place on its scale: 0 at `low`, 1 at `high`; 32 MB of 32 to 2,048 log is 0, 256 MB is 0.5. */
export function toScale ({ low, high, scale }: Parameter, value: number): number {
  return scale === 'log' ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low)
}

/** The value at a place on the scale, within the bounds, rounded where the parameter is an integer. */
export function fromScale ({ low, high, scale, kind }: Parameter, place: number): number {
  const within = Math.min(1, Math.max(0, place))
  const value = scale === 'log' ? low * (high / low) ** within : low + within * (high - low)
  return Math.min(high, Math.max(low, kind === 'integer' ? Math.round(value) : value))
}

export function defaultConfiguration (parameters: readonly Parameter[] = presetParameters): PresetConfiguration {
  return Object.fromEntries(parameters.map(({ name, byDefault }) => [name, byDefault]))
}

/**
 * What is wrong with a configuration that somebody reports: an unknown name, a value that is no number, or one out of bounds. Null if nothing.
 * It may name some of the parameters only.
 */
export function configurationProblem (config: Configuration, parameters: readonly Parameter[] = presetParameters): string | null {
  const entries = Object.entries(config)
  if (entries.length === 0) return `the configuration is empty; known parameters are ${names(parameters)}`
  for (const [name, value] of entries) {
    const parameter = parameters.find(parameter => parameter.name === name)
    if (parameter === undefined) return `the parameter ${name} is unknown; known are ${names(parameters)}`
    const { low, high } = parameter
    if (typeof value !== 'number' || !(value >= low && value <= high)) return `${name} is ${value}, expected ${low} to ${high}`
  }
  return null
}

const names = (parameters: readonly Parameter[]) => parameters.map(({ name }) => name).join(', ')
