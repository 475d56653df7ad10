import { Type, type Static } from 'typebox'
import { signalNamePattern, tuningModes, type Parameter, type TuningObjective, type TuningRules } from './domain.ts'
import { PrescaleError, type ErrorDetail } from './errors.ts'
import { parseExpression } from './tuning/expression.ts'
import { createParameterSpace } from './tuning/parameters.ts'
import { presetRules } from './tuning/preset.ts'
import { roleOf } from './tuning/roles.ts'

/** What a service says of its own tuning: the schema, what it becomes, and the rules between its keys. */
const optional = Type.Optional
const kinds = ['integer', 'real', 'choice', 'boolean'] as const
const roles = ['threads', 'memory', 'timeout', 'batch', 'retries', 'none'] as const
const name = Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,63}$', title: 'a name: a letter, then letters, digits and _, at most 64 characters' })
const value = (title: string) => Type.Union([Type.Number(), Type.String({ minLength: 1, maxLength: 128 }), Type.Boolean()], { title })

const parameterSchema = Type.Object({
  name,
  kind: Type.Enum([...kinds]),
  low: optional(Type.Number({ description: 'The smallest value, of an integer or real.' })),
  high: optional(Type.Number({ description: 'The largest one.' })),
  scale: optional(Type.Enum(['linear', 'log'], { description: 'log where 10 and 20 differ as much as 100 and 200; linear where not given.' })),
  choices: optional(Type.Array(Type.Union([Type.Number(), Type.String({ minLength: 1, maxLength: 128 })], { title: 'a number or a text' }), { minItems: 1, maxItems: 50, description: 'Of a choice.' })),
  ordered: optional(Type.Boolean({ description: 'The choices go from little to much, so that neighbours are alike.' })),
  default: value('the value that runs where nothing is tuned'),
  unit: optional(Type.String({ minLength: 1, maxLength: 32 })),
  changeCost: optional(Type.Number({ minimum: 0, description: 'What a change costs in the unit of performance, such as a restart: one that is expected to gain less is not suggested. 0 where not given.' })),
  role: optional(Type.Enum([...roles], { description: 'What it is to the service: then what is measured limits it (threads: 1.5 × those busy; memory: 88 %; retries: 1 while every tenth request fails). Where not given, what its name says: threadPoolSize, max_workers, cacheMegabytes, timeout, batch_size, retryCount; none for none.' }))
}, { additionalProperties: false, title: '{ name, kind: integer | real, low, high, default }, { name, kind: choice, choices, default } or { name, kind: boolean, default }' })

const objectiveSchema = Type.Union([
  Type.String({ minLength: 1, maxLength: 500 }),
  Type.Object({
    responseTimeSeconds: Type.Number({ exclusiveMinimum: 0, description: 'The one that is asked for: there the performance is 50.' }),
    requestsPerSecond: optional(Type.Number({ exclusiveMinimum: 0, description: 'Throughput that is to be reached, where the service decides it.' })),
    resourceWeight: optional(Type.Number({ minimum: 0, maximum: 100, default: 10, description: 'What full CPU and memory cost.' }))
  }, { additionalProperties: false })
], {
  title: 'reported, an expression over signals such as "requestsPerSecond - 200 * errorRatio", or the preset { responseTimeSeconds: 0.2 }',
  description: 'How performance is computed where a feedback does not say it; reported (every feedback says it) where not given.'
})

export const tuningSchema = Type.Object({
  mode: optional(Type.Enum([...tuningModes], { default: 'suggest', description: 'off: nothing is learned and suggested. suggest: it may be asked for. apply: the service follows it; changes are pushed to webhooks.' })),
  parameters: optional(Type.Array(parameterSchema, { minItems: 1, maxItems: 50, description: 'threadPoolSize, cacheMegabytes, timeoutMs, batchSize and retryCount where not given.' })),
  constraints: optional(Type.Array(Type.String({ minLength: 3, maxLength: 500, title: 'a comparison such as "threads * 4 + cacheMegabytes <= 6000"' }), { maxItems: 32 })),
  objective: optional(objectiveSchema),
  performanceRange: optional(Type.Number({ exclusiveMinimum: 0, description: 'Best imaginable performance minus the worst; taken from the first results where not given, 100 for the preset.' })),
  strategy: optional(Type.Enum(['surrogate', 'bluefin'], { default: 'surrogate', description: 'bluefin: the two-point method, which needs no model.' })),
  explorationShare: optional(Type.Number({ minimum: 0, maximum: 1, description: 'Largest share of suggestions that may try something; falls as more is known.' })),
  safetyMargin: optional(Type.Number({ minimum: 0, maximum: 1, description: 'A suggestion may be expected this share of the range below the defaults at worst.' })),
  proofShare: optional(Type.Number({ minimum: 0, maximum: 0.5, default: presetRules.proofShare, description: 'Share of suggestions that are the defaults, in turn with the others, so that the gain is measured; 0 for never.' })),
  canary: optional(Type.Boolean({ default: false, description: 'One instance runs what is tried (canary of the suggestion), the others what is known to be good; both report, the one with canary: true.' })),
  furtherSignals: optional(Type.Array(Type.String({ pattern: signalNamePattern, title: 'the name of a signal' }), { maxItems: 16, uniqueItems: true, description: 'Signals beside the ten of the catalogue that say what the service is asked to do.' }))
}, { additionalProperties: false, description: 'Configuration parameters that are tuned from what came of them.' })
export type TuningSettings = Static<typeof tuningSchema>

/** Only of checked settings. */
export function toTuning (settings: TuningSettings): TuningRules {
  const { parameters, objective: asked, ...rest } = settings
  const objective = toObjective(asked)
  const preset = { ...presetRules, performanceRange: objective.kind === 'preset' ? 100 : presetRules.performanceRange }
  return { ...preset, ...rest as Partial<TuningRules>, ...(parameters && { parameters: parameters.map(withRole) }), objective }
}

function withRole ({ role: declared, ...parameter }: ParameterSettings): Parameter {
  const isNumber = parameter.kind === 'integer' || parameter.kind === 'real'
  const role = declared ?? (isNumber ? roleOf(parameter.name) : undefined)
  return { ...parameter, ...(role !== undefined && role !== 'none' && { role }) } as Parameter
}

function toObjective (objective: TuningSettings['objective'] = 'reported'): TuningObjective {
  if (objective === 'reported') return { kind: 'reported' }
  if (typeof objective === 'string') return { kind: 'expression', expression: objective }
  const { responseTimeSeconds, requestsPerSecond = null, resourceWeight = 10 } = objective
  return { kind: 'preset', responseTimeSeconds, requestsPerSecond, resourceWeight }
}

/** @param at the path of a key of `tuning`. */
export function checkTuning (tuning: TuningSettings | undefined, at: (key: string) => string): ErrorDetail[] {
  if (tuning === undefined) return []
  const { parameters = [], constraints = [], objective } = tuning
  const details = parameters.flatMap((parameter, i) => checkParameter(parameter, `${at('parameters')}[${i}]`))
  const names = parameters.map(({ name }) => name)
  names.forEach((one, i) => {
    if (names.indexOf(one) < i) details.push({ path: `${at('parameters')}[${i}].name`, value: one, expected: `each name once; parameters[${names.indexOf(one)}] has it already` })
  })
  constraints.forEach((text, i) => { details.push(...checkExpression(text, `${at('constraints')}[${i}]`)) })
  if (typeof objective === 'string' && objective !== 'reported') details.push(...checkObjective(objective, at('objective')))
  return details.length > 0 ? details : checkSpace(tuning, at)
}

type ParameterSettings = NonNullable<TuningSettings['parameters']>[number]

function checkParameter (parameter: ParameterSettings, path: string): ErrorDetail[] {
  const { kind, low, high, scale, choices, ordered } = parameter
  const isNumber = kind === 'integer' || kind === 'real'
  const details: ErrorDetail[] = []
  const say = (key: string, value: unknown, expected: string) => { details.push({ path: `${path}.${key}`, ...(value !== undefined && { value }), expected }) }
  for (const [key, value] of Object.entries({ low, high })) if (isNumber && value === undefined) say(key, value, `a number, the ${key === 'low' ? 'smallest' : 'largest'} value of ${parameter.name}`)
  for (const [key, value] of Object.entries({ low, high, scale })) if (!isNumber && value !== undefined) say(key, value, `no ${key} of a ${kind}`)
  for (const [key, value] of Object.entries({ choices, ordered })) if (kind !== 'choice' && value !== undefined) say(key, value, `no ${key} of ${kind === 'integer' ? 'an' : 'a'} ${kind}`)
  if (kind === 'choice' && choices === undefined) say('choices', undefined, 'a list of choices')
  if (isNumber && typeof parameter.default !== 'number') say('default', parameter.default, 'a number')
  if (kind === 'integer' && typeof parameter.default === 'number' && !Number.isInteger(parameter.default)) say('default', parameter.default, 'a whole number')
  if (kind === 'boolean' && typeof parameter.default !== 'boolean') say('default', parameter.default, 'true or false')
  return details
}

function checkExpression (text: string, path: string): ErrorDetail[] {
  try {
    parseExpression(text)
    return []
  } catch (error) {
    return [{ path, value: text, expected: `an expression that can be read (${(error as Error).message})` }]
  }
}

function checkObjective (text: string, path: string): ErrorDetail[] {
  const details = checkExpression(text, path)
  if (details.length > 0) return details
  return parseExpression(text).names.length > 0 ? [] : [{ path, value: text, expected: 'an expression over signals; it names none' }]
}

/** What only all parameters and constraints together can show. */
function checkSpace (tuning: TuningSettings, at: (key: string) => string): ErrorDetail[] {
  const { parameters, constraints } = toTuning(tuning)
  try {
    createParameterSpace(parameters, constraints)
    return []
  } catch (error) {
    if (!(error instanceof PrescaleError)) throw error
    if (error.details.length === 0) return [{ path: at('constraints'), value: constraints, expected: error.message }]
    return error.details.map(({ path, value, expected }) => {
      const index = parameters.findIndex(({ name }) => name === path)
      if (index >= 0 && tuning.parameters) return { path: `${at('parameters')}[${index}]`, value, expected }
      const broken = constraints.indexOf(String(value))
      return { path: broken >= 0 ? `${at('constraints')}[${broken}]` : at(path), value, expected }
    })
  }
}
