import { createHistogramCheck, isWhole, type HistogramCheck } from './openmetrics-histogram.ts'
import type { OpenMetricsSample } from './exposition-labels.ts'

type Type = 'counter' | 'gauge' | 'histogram' | 'gaugehistogram' | 'stateset' | 'info' | 'summary' | 'unknown'

/** What may follow the name of a family in the names of its samples. */
const suffixes: Record<Type, readonly string[]> = {
  counter: ['_total', '_created'],
  gauge: [''],
  histogram: ['_bucket', '_count', '_sum', '_created'],
  gaugehistogram: ['_bucket', '_gcount', '_gsum'],
  stateset: [''],
  info: ['_info'],
  summary: ['', '_count', '_sum', '_created'],
  unknown: ['']
}

interface Family {
  readonly name: string
  type: Type | null
  help: string | null
  unit: string | null
  hasSamples: boolean
}

/** Samples of one metric: same labels, apart from those that tell its parts from each other. */
interface Group { readonly key: string, readonly seconds: number | null, readonly histogram: HistogramCheck | null }

/** The rules between the lines of an exposition: families are not mixed, metadata come first and once, values fit their type. */
export function createFamilies (fail: (expected: string) => never) {
  const names = new Set<string>()
  const sampleNames = new Set<string>()
  const groups = new Set<string>()
  let family: Family | null = null
  let group: Group | null = null

  function metadata (keyword: 'HELP' | 'TYPE' | 'UNIT', name: string, text: string): void {
    const current = family?.name === name ? family : begin(name)
    if (current.hasSamples) fail(`# ${keyword} ${name} must come before its samples`)
    const key = keyword.toLowerCase() as 'help' | 'type' | 'unit'
    if (current[key] !== null) fail(`a second # ${keyword} ${name}`)
    if (keyword === 'TYPE') current.type = Object.hasOwn(suffixes, text) ? text as Type : fail(`${JSON.stringify(text)} is no metric type`)
    else if (keyword === 'UNIT') current.unit = text
    else current.help = text
    if (keyword === 'UNIT' && text !== '' && !name.endsWith(`_${text}`)) fail(`the name ${name} must end with its unit ${text}`)
    if (current.unit && (current.type === 'info' || current.type === 'stateset')) fail(`a metric of type ${current.type} has no unit`)
  }

  function begin (name: string): Family {
    endFamily()
    if (names.has(name)) fail(`the lines of ${name} must stand together`)
    names.add(name)
    family = { name, type: null, help: null, unit: null, hasSamples: false }
    return family
  }

  function endFamily (): void {
    if (family === null) return
    endGroup()
    groups.clear()
    for (const name of new Set([family.name, ...suffixes[family.type ?? 'unknown'].map((suffix) => family!.name + suffix)])) {
      if (sampleNames.has(name)) fail(`the sample name ${name} belongs to two metrics`)
      sampleNames.add(name)
    }
    family = null
  }

  function sample (one: OpenMetricsSample): void {
    const part = family === null ? undefined : suffixes[family.type ?? 'unknown'].find((suffix) => family!.name + suffix === one.metric)
    const current = part === undefined || family === null ? begin(one.metric) : family
    const type = current.type ?? 'unknown'
    current.hasSamples = true
    checkValue(one, { name: current.name, type, suffix: part ?? '', fail })
    joinGroup(one, { name: current.name, type, suffix: part ?? '' })
  }

  function joinGroup (one: OpenMetricsSample, { name, type, suffix }: { name: string, type: Type, suffix: string }): void {
    const key = groupKey(one.labels, type === 'stateset' ? name : partLabels[type])
    if (group?.key === key) checkTime(group, one)
    if (group?.key !== key || group.seconds !== one.seconds) {
      if (group?.key !== key && groups.has(key)) fail(`the samples of one metric of ${name} must stand together`)
      endGroup()
      groups.add(key)
      group = { key, seconds: one.seconds, histogram: type === 'histogram' || type === 'gaugehistogram' ? createHistogramCheck(type, fail) : null }
    }
    group.histogram?.add(suffix, one)
  }

  function checkTime ({ seconds }: Group, next: OpenMetricsSample): void {
    if ((seconds === null) !== (next.seconds === null)) fail('either all samples of a metric have a timestamp or none')
    if (seconds !== null && next.seconds !== null && next.seconds < seconds) fail('timestamps of a metric must not go back')
  }

  function endGroup (): void {
    group?.histogram?.end()
    group = null
  }

  return { metadata, sample, end: endFamily }
}
export type Families = ReturnType<typeof createFamilies>

/** The labels that tell the parts of one metric from each other. */
const partLabels: Partial<Record<Type, string>> = { histogram: 'le', gaugehistogram: 'le', summary: 'quantile' }

/** The same for any order of the labels, the label `apart` left out. */
function groupKey (labels: OpenMetricsSample['labels'], apart: string | undefined): string {
  const sorted = labels.every(([name], i) => i === 0 || labels[i - 1][0] < name) ? labels : [...labels].sort(([a], [b]) => a < b ? -1 : 1)
  let key = ''
  // Lengths keep ["a", "b=c"] and ["a=b", "c"] apart.
  for (const [name, value] of sorted) if (name !== apart) key += `${name.length}${name}=${value.length}${value}`
  return key
}

interface Place { readonly name: string, readonly type: Type, readonly suffix: string, readonly fail: (expected: string) => never }

const counting = new Set(['_bucket', '_count', '_gcount'])
const notNegative = new Set([...counting, '_total', '_sum'])

function checkValue ({ metric, labels, value, hasExemplar }: OpenMetricsSample, { name, type, suffix, fail }: Place): void {
  const label = (wanted: string) => labels.find(([known]) => known === wanted)?.[1]
  if (notNegative.has(suffix) && !(value >= 0)) fail(`${metric} must not be negative or NaN`)
  if (counting.has(suffix) && !isWhole(value)) fail(`${metric} counts and must be a whole number`)
  if (hasExemplar && suffix !== '_bucket' && suffix !== '_total') fail('only buckets and totals have exemplars')
  if (type === 'info' && value !== 1) fail('an info has the value 1')
  if (type === 'stateset' && ((value !== 0 && value !== 1) || label(name) === undefined)) fail(`a state has the value 0 or 1 and a label ${name}`)
  if (type === 'summary' && suffix === '') {
    const quantile = Number(label('quantile') ?? NaN)
    if (!(quantile >= 0 && quantile <= 1)) fail('a summary needs a quantile from 0 to 1')
    if (value < 0) fail('the quantile of a summary must not be negative')
  }
}
