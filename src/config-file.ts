import { isMap, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml'
import { PrescaleError, type ErrorDetail } from './errors.ts'
import { configSchema, type ConfigFile } from './config-schema.ts'
import { compileCheck, type Check } from './schema-check.ts'
import { shown } from './schema-words.ts'

/** An error of the file, with the place where an editor finds it. */
export interface FileErrorDetail extends ErrorDetail { readonly place?: string }

export interface ConfigText {
  /** Without what has errors. */
  readonly file: ConfigFile
  readonly details: readonly FileErrorDetail[]
  /** Errors that were found later, with their places in the text. */
  readonly placed: (details: readonly ErrorDetail[]) => FileErrorDetail[]
}

let check: Check | undefined

/**
 * Parses and checks the text of a `prescale.yaml`.
 *
 * @throws PrescaleError `invalid-config` with line and column for text that is not YAML. What is YAML but not valid is in `details`.
 */
export function readConfigText (text: string, name: string): ConfigText {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
  if (document.errors.length > 0) throw notYaml(document, name, lines)
  const file = emptyAsAbsent(toPlain(document, name))
  if (!isPlain(file)) throw new PrescaleError('invalid-config', `${name} holds ${Array.isArray(file) ? 'a list' : JSON.stringify(shown(file))}; keys such as services and sources are expected.`)
  check ??= compileCheck(configSchema)
  const placed = (found: readonly ErrorDetail[]) => found.map((detail) => {
    const place = position(document.contents, detail.path, lines)
    return place === undefined ? detail : { ...detail, place: `${name}:${place}` }
  })
  const details = placed(check(file))
  return { file: withoutBroken(file, details) as ConfigFile, details, placed }
}

/** What has errors is left out (of a service only the settings that do), so that the rules between keys can be checked on the others. */
function withoutBroken (file: unknown, details: readonly ErrorDetail[]): unknown {
  if (!isPlain(file)) return {}
  const broken = (place: string) => details.some(({ path }) => isWithin(path, place))
  const sound = (part: Record<string, unknown>, prefix: string) => Object.fromEntries(Object.entries(part).filter(([key]) => !broken(prefix + key)))
  const { services, ...rest } = file
  const kept = sound(rest, '')
  if (!isPlain(services)) return kept
  const soundServices = Object.entries(services)
    .filter(([name, settings]) => isPlain(settings) && !details.some(({ path }) => path === `services.${name}`))
    .map(([name, settings]) => [name, sound(settings as Record<string, unknown>, `services.${name}.`)])
  return { ...kept, services: Object.fromEntries(soundServices) }
}

function isWithin (path: string, prefix: string): boolean {
  return path.startsWith(prefix) && /^(?:$|[.[])/.test(path.slice(prefix.length))
}

function notYaml (document: Document.Parsed, name: string, lines: LineCounter): PrescaleError {
  const details = document.errors.map((error) => {
    const { line, col } = lines.linePos(error.pos[0])
    return { path: `${name}:${line}:${col}`, expected: error.message }
  })
  const [first, ...more] = details
  return new PrescaleError('invalid-config', `${first.path}: this is not YAML: ${first.expected}`, { details: more })
}

function toPlain (document: Document.Parsed, name: string): unknown {
  try {
    const plain: unknown = document.toJS({ maxAliasCount: 100 })
    // Throws where an alias stands within what it names, which has no end.
    JSON.stringify(plain)
    return plain
  } catch (error) {
    throw new PrescaleError('invalid-config', `${name}: ${(error as Error).message.split('\n')[0]}`, { details: [{ path: name, expected: 'aliases that can be resolved' }], cause: error })
  }
}

/** `services:` or `shop:` with nothing behind it means "nothing special", not the value null. */
function emptyAsAbsent (root: unknown): unknown {
  if (root === null || root === undefined) return {}
  if (!isPlain(root)) return root
  const filled = replaceNull(root)
  const { services, sources } = filled
  return {
    ...filled,
    ...(isPlain(services) && { services: replaceNull(services) }),
    ...(isPlain(sources) && { sources: Object.fromEntries(Object.entries(sources).filter(([, value]) => value !== null)) })
  }
}

function replaceNull (value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, entry ?? {}]))
}

function isPlain (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Line and column, `12:5`, of `services.shop.target`; of the nearest part above it for a key that is missing. */
function position (root: unknown, path: string, lines: LineCounter): string | undefined {
  let at: Node | null = null
  let node = root
  let rest = path
  while (rest !== '') {
    const step = childOf(node, rest)
    if (step === null) break
    at = step.place
    node = step.value
    rest = rest.slice(step.length).replace(/^\./, '')
  }
  const offset = at?.range?.[0]
  if (offset === undefined) return undefined
  const { line, col } = lines.linePos(offset)
  return `${line}:${col}`
}

function childOf (node: unknown, rest: string): { place: Node | null, value: unknown, length: number } | null {
  if (isSeq(node)) {
    const index = /^\[(\d+)\]/.exec(rest)
    const value = index === null ? undefined : node.items[Number(index[1])] as Node | undefined
    return index === null || value === undefined ? null : { place: value, value, length: index[0].length }
  }
  if (!isMap(node)) return null
  // Names of services may hold dots: the longest key that fits is the one that was meant.
  let found: { place: Node | null, value: unknown, length: number } | null = null
  for (const { key, value } of node.items) {
    const name = String(key)
    if (isWithin(rest, name) && name.length > (found?.length ?? -1)) {
      found = { place: key as Node | null, value, length: name.length }
    }
  }
  return found
}
