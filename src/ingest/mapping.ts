import { Type, type Static } from 'typebox'
import { PrescaleError, type ErrorDetail } from '../errors.ts'
import { compilePattern } from './label-match.ts'
import { presetNames, presets } from './presets.ts'
import { signalMappingSchema, type Divisor, type SignalMapping } from './signal-mapping.ts'

export type { SignalMapping } from './signal-mapping.ts'

const presetSchema = Type.Enum([...presetNames], { title: `a preset: ${presetNames.join(', ')}` })

/** `signals:` of a service: a preset, or a list of presets and mappings. */
export const signalsSchema = Type.Union([
  presetSchema,
  Type.Array(Type.Union([presetSchema, signalMappingSchema], { title: `a preset (${presetNames.join(', ')}) or a mapping` }), { maxItems: 200 })
], { title: `a preset (${presetNames.join(', ')}) or a list of presets and mappings` })
export type SignalsSetting = Static<typeof signalsSchema>

/**
 * The mappings that a setting means. Several mappings for one signal are alternatives: the first that has a value gives it.
 * What is written out comes before presets, so that it replaces them where it has a value.
 */
export function resolveSignals (signals: SignalsSetting): SignalMapping[] {
  const entries = typeof signals === 'string' ? [signals] : signals
  const written = entries.filter((entry) => typeof entry !== 'string')
  const named = entries.filter((entry) => typeof entry === 'string')
  return [...written, ...named.flatMap((name) => presets[name])]
}

/** What the schema cannot say: expressions that do not compile, keys that do not go together. */
export function checkSignals (signals: SignalsSetting, path: string): ErrorDetail[] {
  if (typeof signals === 'string') return []
  return signals.flatMap((entry, i) => typeof entry === 'string' ? [] : checkMapping(entry, `${path}[${i}]`))
}

function checkMapping (mapping: SignalMapping, path: string): ErrorDetail[] {
  const details = [...checkPatterns(mapping, path), ...(mapping.per ? checkPatterns(mapping.per, `${path}.per`) : [])]
  if (mapping.kind !== 'histogram' && mapping.quantile !== undefined) {
    details.push({ path: `${path}.quantile`, value: mapping.quantile, expected: 'no quantile, because only kind histogram has quantiles' })
  }
  if (mapping.kind === 'histogram' && mapping.aggregate !== undefined && mapping.aggregate !== 'sum') {
    details.push({ path: `${path}.aggregate`, value: mapping.aggregate, expected: 'sum, because histograms of instances are always merged' })
  }
  return details
}

function checkPatterns ({ metric, match }: SignalMapping | Divisor, path: string): ErrorDetail[] {
  return [...checkPattern(metric, `${path}.metric`), ...checkMatch(match, `${path}.match`)]
}

/** Problems of the expressions in a label match. */
export function checkMatch (match: Readonly<Record<string, string>> | undefined, path: string): ErrorDetail[] {
  return Object.entries(match ?? {}).flatMap(([label, pattern]) => checkPattern(pattern, `${path}.${label}`))
}

function checkPattern (pattern: string, path: string): ErrorDetail[] {
  try {
    compilePattern(pattern)
    return []
  } catch (error) {
    if (!(error instanceof PrescaleError)) throw error
    return [{ path, value: pattern, expected: `a usable pattern: ${error.message}` }]
  }
}
