import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import ajvFormats from 'ajv-formats'
import type { TSchema } from 'typebox'
import type { ErrorDetail } from './errors.ts'
import { cut, describe, nearest, shown } from './schema-words.ts'

export type Check = (value: unknown) => ErrorDetail[]

interface CheckOptions {
  /** Turn text into numbers and booleans, as query strings and path parameters need it; changes `value` in place. */
  readonly coerce?: boolean
  /** Every error instead of the first one. Only for input whose size is bounded. */
  readonly all?: boolean
}

/**
 * A function that lists what is wrong with a value: where, what it was, what was expected. The schema is compiled when it is first
 * asked, because most routes are not asked in the first seconds.
 */
export function compileCheck (schema: TSchema, options: CheckOptions = {}): Check {
  let validate: ValidateFunction | undefined
  return (value) => {
    validate ??= compilerFor(options).compile(schema)
    if (!validate(value)) return explain(validate.errors ?? [])
    return options.coerce === true ? infinities(value, schema) : []
  }
}

/** Text such as `1e999` is a number, but none that a limit could hold; ajv lets it pass where it makes numbers of text. */
function infinities (value: unknown, schema: TSchema): ErrorDetail[] {
  if (typeof value !== 'object' || value === null) return []
  const properties = (schema as { properties?: Record<string, Record<string, unknown>> }).properties ?? {}
  return Object.entries(value)
    .filter(([, entry]) => entry === Infinity || entry === -Infinity)
    .map(([key, entry]) => ({ path: key, value: shown(entry), expected: describe(properties[key] ?? {}) }))
}

const compilers = new Map<string, Ajv>()

function compilerFor ({ coerce = false, all = true }: CheckOptions): Ajv {
  const key = `${coerce} ${all}`
  const known = compilers.get(key)
  if (known) return known
  const ajv = new Ajv({ allErrors: all, verbose: true, strict: false, strictNumbers: true, coerceTypes: coerce, allowUnionTypes: true })
  ajvFormats.default(ajv)
  compilers.set(key, ajv)
  return ajv
}

/** Makes ajv's errors readable: one line per place, the branch of a union that was meant, the nearest known key. */
function explain (errors: readonly ErrorObject[]): ErrorDetail[] {
  const details = new Map<string, ErrorDetail>()
  for (const error of withoutForeignBranches(errors)) {
    const detail = toDetail(error)
    if (!details.has(detail.path)) details.set(detail.path, detail)
  }
  return [...details.values()]
}

/**
 * Of a failed union only one voice should speak: the errors inside the only branch whose type fits the value, or else the union.
 * Example: `signals: [{ metrc: 'x' }]` is meant as a list, so "no key metrc" is said and "or one of the presets" is not.
 */
function withoutForeignBranches (errors: readonly ErrorObject[]): ErrorObject[] {
  let kept = [...errors]
  // Inner unions come first in ajv's list, so that the outer ones see what is left of them.
  for (const union of errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf')) {
    if (!kept.includes(union)) continue
    const branchOf = (error: ErrorObject) => {
      const isInside = error.schemaPath.startsWith(union.schemaPath + '/') && (error.instancePath + '/').startsWith(union.instancePath + '/')
      return isInside ? Number(error.schemaPath.slice(union.schemaPath.length + 1).split('/')[0]) : -1
    }
    const branches = new Map<number, ErrorObject[]>()
    for (const error of kept) {
      const branch = branchOf(error)
      if (branch >= 0) branches.set(branch, [...branches.get(branch) ?? [], error])
    }
    const isOfOtherType = (error: ErrorObject) => error.instancePath === union.instancePath && !insideKeywords.has(error.keyword)
    const meant = [...branches].filter(([, own]) => !own.some(isOfOtherType))
    const speaks = meant.length === 1 ? meant[0][1] : [union]
    kept = kept.filter((error) => (error !== union && branchOf(error) < 0) || speaks.includes(error))
  }
  return kept
}

/** Keywords that fail at a value of the right type because of what is inside it. */
const insideKeywords = new Set(['required', 'additionalProperties', 'anyOf', 'oneOf', 'minItems', 'maxItems', 'minProperties', 'maxProperties'])

function toDetail (error: ErrorObject): ErrorDetail {
  const path = readablePath(error.instancePath)
  const schema = error.parentSchema as Record<string, unknown>
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params['additionalProperty'])
      return { path: join(path, key), value: shown((error.data as Record<string, unknown>)[key]), expected: unknownKey(key, schema) }
    }
    case 'required': {
      const key = String(error.params['missingProperty'])
      return { path: join(path, key), expected: describe((schema['properties'] as Record<string, Record<string, unknown>>)?.[key] ?? {}) }
    }
    // Whoever sends ten thousand keys needs their number, and not all of them back.
    case 'maxProperties':
      return { path, value: `${Object.keys(error.data as object).length} keys`, expected: `at most ${error.params['limit']} keys; ${describe(schema)}` }
    default:
      return { path, value: shown(error.data), expected: describe(schema) }
  }
}

function unknownKey (key: string, schema: Record<string, unknown>): string {
  const known = Object.keys((schema['properties'] ?? {}) as object)
  if (known.length === 0) return typeof schema['title'] === 'string' ? schema['title'] : 'no such key'
  const near = nearest(key, known)
  return `${near === undefined ? '' : `did you mean "${near}"? `}one of the keys ${known.join(', ')}`
}

/** `/services/shop/signals/0/metric` becomes `services.shop.signals[0].metric`. */
function readablePath (pointer: string): string {
  return pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).reduce(join, '')
}

function join (path: string, key: string): string {
  if (/^\d+$/.test(key)) return `${path}[${key}]`
  return path === '' ? cut(key) : `${path}.${cut(key)}`
}
