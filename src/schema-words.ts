const longestShown = 256
const deepestShown = 8

/** Text that an answer may repeat: whoever sends a megabyte need not get it back. What was cut is left as it is. */
export function cut (text: string): string {
  return text.length <= longestShown + 32 ? text : `${text.slice(0, longestShown)}… (${text.length} characters)`
}

/** An offending value as an answer shows it: cut where it is long or deep, and in words where JSON has none for it. */
export function shown (value: unknown): unknown {
  if (typeof value === 'string') return cut(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object' || value === null) return value
  const shallow = upTo(deepestShown, value)
  const text = JSON.stringify(shallow)
  return cut(text) === text ? shallow : cut(text)
}

/** What is nested a thousand times cannot be written as JSON without end of the stack. */
function upTo (depth: number, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return '…'
  if (Array.isArray(value)) return value.map(one => upTo(depth - 1, one))
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, upTo(depth - 1, one)]))
}

/** What a schema asks for, in words; its `title` where it has one. */
export function describe (schema: Record<string, unknown>): string {
  if (typeof schema['title'] === 'string') return schema['title']
  if ('const' in schema) return JSON.stringify(schema['const'])
  if (Array.isArray(schema['enum'])) return `one of ${schema['enum'].map((value) => JSON.stringify(value)).join(', ')}`
  const branches = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(branches)) return branches.map((branch) => describe(branch as Record<string, unknown>)).join(', or ')
  switch (schema['type']) {
    case 'integer': return 'a whole number' + range(schema, 'minimum', 'maximum')
    case 'number': return 'a number' + range(schema, 'minimum', 'maximum')
    case 'boolean': return 'true or false'
    case 'array': return 'a list' + range(schema, 'minItems', 'maxItems', ' entries')
    case 'object': return 'an object' + (schema['properties'] ? ` with the keys ${Object.keys(schema['properties'] as object).join(', ')}` : '')
    case 'string':
      if (typeof schema['pattern'] === 'string') return `text of the form ${schema['pattern']}`
      return (typeof schema['format'] === 'string' ? `text in the format ${schema['format']}` : 'text') + range(schema, 'minLength', 'maxLength', ' characters')
    default: return 'another value'
  }
}

/** " from 1 to 5", " of at least 1", " above 0 and of at most 1"; with the noun for a length. */
function range (schema: Record<string, unknown>, low: string, high: string, noun = ''): string {
  const { exclusiveMinimum: above, exclusiveMaximum: below, [low]: least, [high]: most } = schema as Record<string, number | undefined>
  const parts = [
    above !== undefined && ` above ${above}`,
    least !== undefined && most === undefined && ` of at least ${least}`,
    least !== undefined && most !== undefined && ` from ${least} to ${most}`,
    least === undefined && most !== undefined && `${above === undefined ? '' : ' and'} of at most ${most}`,
    below !== undefined && ` and below ${below}`
  ].filter((part) => part !== false)
  return parts.length === 0 ? '' : parts.join('') + noun
}

/** The known key that takes the fewest edits, if those are few enough to be a slip. */
export function nearest (key: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.max(2, Math.floor(key.length / 3)) + 1
  for (const candidate of known) {
    const edits = editDistance(key.toLowerCase(), candidate.toLowerCase())
    if (edits < fewest) [best, fewest] = [candidate, edits]
  }
  return best
}

/** Levenshtein distance. */
function editDistance (a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length]
}
