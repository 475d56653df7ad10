import type { Configuration, Parameter, ParameterValue } from '../domain.ts'
import { PrescaleError, type ErrorDetail } from '../errors.ts'
import { createRandom } from '../ml/random.ts'
import { parseExpression, type Expression } from './expression.ts'

/** Declared parameters made ready: every configuration is a point of [0, 1]^width. */
export interface ParameterSpace {
  readonly parameters: readonly Parameter[]
  readonly constraints: readonly Expression[]
  /** First coordinate of each parameter, and the width at the end. */
  readonly offsets: readonly number[]
  readonly width: number
  readonly defaults: Configuration
  /** Equal where the same vectors mean the same configurations. */
  readonly fingerprint: string
}

const most = 50

/** Coordinates that a parameter takes: none where there is nothing to choose, one for each choice without an order. */
function widthOf (parameter: Parameter): number {
  if (parameter.kind === 'boolean') return 1
  if (parameter.kind === 'choice') return parameter.choices.length === 1 ? 0 : parameter.ordered ? 1 : parameter.choices.length
  return parameter.low === parameter.high ? 0 : 1
}

function problemOf (parameter: Parameter): ErrorDetail | null {
  const path = parameter.name
  const wrong = (value: unknown, expected: string) => ({ path, value, expected })
  if (parameter.changeCost !== undefined && !(parameter.changeCost >= 0)) return wrong(parameter.changeCost, 'a cost of changing of at least 0')
  if (parameter.kind === 'boolean') return null
  if (parameter.kind === 'choice') {
    if (parameter.choices.length === 0 || new Set(parameter.choices).size < parameter.choices.length) return wrong(parameter.choices, 'at least one choice, each once')
    return parameter.choices.includes(parameter.default) ? null : wrong(parameter.default, `one of ${parameter.choices.join(', ')}`)
  }
  const { low, high, scale, kind } = parameter
  if (!Number.isFinite(high - low) || low > high) return wrong([low, high], 'finite bounds, low not above high')
  if (scale === 'log' && high <= 0) return wrong(high, 'a positive upper bound on a logarithmic scale')
  if (scale === 'log' && low <= 0) return wrong(low, 'a positive lower bound on a logarithmic scale')
  if (scale === 'log' && !Number.isFinite(high / low)) return wrong([low, high], 'bounds whose ratio is a finite number')
  if (kind === 'integer' && Math.ceil(low) > Math.floor(high)) return wrong([low, high], 'bounds with a whole number between them')
  return parameter.default >= low && parameter.default <= high ? null : wrong(parameter.default, `a default between ${low} and ${high}`)
}

/**
 * Checks and prepares declared parameters and their constraints.
 *
 * @param constraints comparisons such as `threads * 4 + cacheMegabytes <= 6000`.
 * @throws PrescaleError 'invalid-config' with every problem at once; also where nothing, or not the defaults, meet the constraints.
 */
export function createParameterSpace (parameters: readonly Parameter[], constraints: readonly string[] = []): ParameterSpace {
  if (parameters.length === 0 || parameters.length > most) {
    throw new PrescaleError('invalid-config', `Expected 1 to ${most} parameters to tune, got ${parameters.length}.`)
  }
  const details = parameters.map(problemOf).filter(problem => problem !== null)
  const names = new Set(parameters.map(parameter => parameter.name))
  if (names.size < parameters.length) details.push({ path: 'parameters', expected: 'each name once' })
  const expressions = constraints.map(parseExpression)
  for (const { text, names: used } of expressions) {
    for (const name of used) if (!names.has(name)) details.push({ path: 'constraints', value: text, expected: `names of parameters; "${name}" is none` })
  }
  if (details.length > 0) throw new PrescaleError('invalid-config', `The parameters to tune have ${details.length === 1 ? 'a problem' : `${details.length} problems`}: ${details.map(({ path, expected }) => `${path}: expected ${expected}`).join('; ')}.`, { details })

  const offsets = [0]
  for (const parameter of parameters) offsets.push(offsets.at(-1)! + widthOf(parameter))
  const defaults = Object.fromEntries(parameters.map(parameter => [parameter.name, parameter.default]))
  const encoding = parameters.map(({ changeCost, role, unit, default: _, ...meaning }) => meaning)
  const space = { parameters, constraints: expressions, offsets, width: offsets.at(-1)!, defaults, fingerprint: JSON.stringify(encoding) }
  requireFeasibleDefaults(space)
  return space
}

function requireFeasibleDefaults (space: ParameterSpace): void {
  const broken = brokenConstraint(space, space.defaults)
  if (broken === null) return
  const random = createRandom(1)
  for (let i = 0; i < 4096; i++) {
    // Corners first: the usual constraint is met by the smallest of everything.
    const unit = Array.from({ length: space.width }, () => i < 256 ? Math.round(random()) : random())
    if (brokenConstraint(space, decode(space, i === 0 ? unit.fill(0) : unit)) === null) {
      throw new PrescaleError('invalid-config', `The defaults break the constraint "${broken}"; they are what the tuner falls back to.`)
    }
  }
  throw new PrescaleError('invalid-config', `No configuration meets the constraints (the defaults break "${broken}").`)
}

/** The text of the first constraint that `config` breaks, or null. */
export function brokenConstraint (space: ParameterSpace, config: Configuration): string | null {
  if (space.constraints.length === 0) return null
  const numbers = Object.fromEntries(space.parameters.map(({ name }) => [name, Number(config[name])]))
  return space.constraints.find(constraint => !(constraint.evaluate(numbers) > 0))?.text ?? null
}

/** A coordinate moved to its nearest end where it lies beyond. */
export const clip = (value: number) => Math.min(1, Math.max(0, value))

/** The point of a configuration; values out of bounds are moved to the bound, absent or unknown ones to the default. */
export function encode (space: ParameterSpace, config: Configuration): number[] {
  const unit = new Array<number>(space.width).fill(0)
  space.parameters.forEach((parameter, p) => {
    const at = space.offsets[p]
    if (space.offsets[p + 1] === at) return
    const value = config[parameter.name]
    if (parameter.kind === 'boolean') {
      unit[at] = Number(typeof value === 'boolean' ? value : parameter.default)
    } else if (parameter.kind === 'choice') {
      const known = parameter.choices.indexOf(value as string | number)
      const index = known >= 0 ? known : parameter.choices.indexOf(parameter.default)
      if (parameter.ordered) unit[at] = index / (parameter.choices.length - 1)
      else unit[at + index] = 1
    } else {
      const { low, high, scale } = parameter
      const number = Math.min(high, Math.max(low, typeof value === 'number' && Number.isFinite(value) ? value : parameter.default))
      unit[at] = scale === 'log' ? Math.log(number / low) / Math.log(high / low) : (number - low) / (high - low)
    }
  })
  return unit
}

/** The configuration nearest to a point: whole numbers where they must be, the largest of one-hot coordinates, always within bounds. */
export function decode (space: ParameterSpace, unit: ArrayLike<number>): Configuration {
  return Object.fromEntries(space.parameters.map((parameter, p) => [parameter.name, valueAt(parameter, unit, space.offsets[p])]))
}

function valueAt (parameter: Parameter, unit: ArrayLike<number>, at: number): ParameterValue {
  if (parameter.kind === 'boolean') return unit[at] >= 0.5
  if (parameter.kind === 'choice') {
    const { choices, ordered } = parameter
    if (choices.length === 1) return choices[0]
    if (ordered) return choices[Math.round(clip(unit[at]) * (choices.length - 1))]
    let best = 0
    for (let i = 1; i < choices.length; i++) if (unit[at + i] > unit[at + best]) best = i
    return choices[best]
  }
  const { low, high, scale, kind } = parameter
  if (low === high) return low
  const real = scale === 'log' ? low * (high / low) ** clip(unit[at]) : low + clip(unit[at]) * (high - low)
  return kind === 'integer' ? Math.min(Math.floor(high), Math.max(Math.ceil(low), Math.round(real))) : Math.min(high, Math.max(low, real))
}

/** The point that a configuration near `unit` really has: rounding and choices applied. */
export function snap (space: ParameterSpace, unit: ArrayLike<number>): number[] {
  return encode(space, decode(space, unit))
}

/** Halves the way from a feasible point until the constraints are met; the feasible point itself in the end. */
export function towardsFeasible (space: ParameterSpace, unit: readonly number[], feasible: readonly number[]): number[] {
  let share = 1
  for (let i = 0; i < 8; i++) {
    const point = snap(space, unit.map((value, k) => feasible[k] + share * (value - feasible[k])))
    if (brokenConstraint(space, decode(space, point)) === null) return point
    share /= 2
  }
  return [...feasible]
}
