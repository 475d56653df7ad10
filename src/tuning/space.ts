import type { Configuration, Parameter, SuggestedChange, TuningRules } from '../domain.ts'
import { brokenConstraint, createParameterSpace, type ParameterSpace } from './parameters.ts'

const spaces = new Map<string, ParameterSpace>()
const mostKept = 512

/** The space of declared parameters; made once for the same declaration. */
export function spaceOf ({ parameters, constraints }: Pick<TuningRules, 'parameters' | 'constraints'>): ParameterSpace {
  const key = JSON.stringify([parameters, constraints])
  let known = spaces.get(key)
  if (known === undefined) {
    known = createParameterSpace(parameters, constraints)
    if (spaces.size >= mostKept) spaces.delete(spaces.keys().next().value!)
    spaces.set(key, known)
  }
  return known
}

/**
 * What is wrong with a configuration that somebody reports: an unknown name, a value of another kind or out of bounds, a broken constraint.
 * Null if nothing is. It may name some of the parameters only; the others are at their defaults.
 */
export function configurationProblem (config: Configuration, rules: Pick<TuningRules, 'parameters' | 'constraints'>): string | null {
  const { parameters } = rules
  const names = parameters.map(({ name }) => name)
  const entries = Object.entries(config)
  if (entries.length === 0) return `the configuration is empty; known parameters are ${names.join(', ')}`
  for (const [name, value] of entries) {
    const parameter = parameters.find(parameter => parameter.name === name)
    if (parameter === undefined) return `the parameter ${name} is unknown; known are ${names.join(', ')}`
    const expected = expectedOf(parameter, value)
    if (expected !== null) return `${name} is ${String(value)}, expected ${expected}`
  }
  const space = spaceOf(rules)
  const broken = brokenConstraint(space, { ...space.defaults, ...config })
  return broken === null ? null : `it breaks the constraint "${broken}"`
}

/** What a parameter would take instead of a value; null where it takes the value. */
function expectedOf (parameter: Parameter, value: Configuration[string]): string | null {
  if (parameter.kind === 'boolean') return typeof value === 'boolean' ? null : 'true or false'
  if (parameter.kind === 'choice') return parameter.choices.includes(value as string | number) ? null : `one of ${parameter.choices.join(', ')}`
  const { low, high, kind } = parameter
  const isOfKind = typeof value === 'number' && (kind === 'real' || Number.isInteger(value))
  return isOfKind && value >= low && value <= high ? null : `${kind === 'integer' ? 'a whole number, ' : ''}${low} to ${high}`
}

/** Whether two configurations, completed by the defaults, are the same to the service. */
export function sameConfiguration ({ parameters, defaults }: ParameterSpace, a: Configuration, b: Configuration): boolean {
  return parameters.every(parameter => {
    const [one, other] = [a, b].map(config => config[parameter.name] ?? defaults[parameter.name])
    if (one === other) return true
    if (typeof one !== 'number' || typeof other !== 'number' || parameter.kind !== 'real') return false
    return Math.abs(one - other) <= 1e-6 * (parameter.high - parameter.low)
  })
}

/** What is to be set to come from one configuration to another; both name every parameter. */
export function changesBetween ({ parameters }: ParameterSpace, from: Configuration, to: Configuration): SuggestedChange[] {
  return parameters
    .filter(({ name }) => to[name] !== from[name])
    .map(({ name, unit }) => ({ name, from: from[name], to: to[name], ...(unit !== undefined && { unit }) }))
}
