import { createHash, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { parseDocument } from 'yaml'
import { Type, type Static } from 'typebox'
import { PrescaleError, type ErrorDetail } from '../errors.ts'
import { compileCheck } from '../schema-check.ts'
import { grantProperties, nameSchema, toPrincipal, type Principal } from './grants.ts'

const entrySchema = Type.Object({
  name: nameSchema,
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$', title: 'the SHA-256 of the token, 64 hexadecimal digits in quotes; `prescale token create` prints it' }),
  ...grantProperties
}, { additionalProperties: false })
export type TokenEntry = Static<typeof entrySchema>

const check = compileCheck(Type.Array(entrySchema, { maxItems: 100_000, title: 'a list of { name, sha256, scopes }' }))

/**
 * Reads a file of tokens: a YAML or JSON list, or one JSON object on each line.
 *
 * @throws PrescaleError `invalid-config` with every error. None shows a value: somebody may have put a token where its hash belongs.
 */
export function parseTokens (text: string, path: string): TokenEntry[] {
  const value = text.trimStart().startsWith('{') ? parseLines(text, path) : parseYaml(text, path)
  const details: ErrorDetail[] = check(value).map(({ path: at, expected }) => ({ path: `${path}${at}`, expected }))
  if (details.length === 0) details.push(...repeated(value as TokenEntry[], path))
  if (details.length > 0) throw new PrescaleError('invalid-config', `${path} has ${details.length === 1 ? 'one error' : `${details.length} errors`}.`, { details })
  return value as TokenEntry[]
}

function parseLines (text: string, path: string): unknown[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line) as unknown]
    } catch {
      throw notReadable(`${path}:${index + 1}`, 'a JSON object on each line')
    }
  })
}

function parseYaml (text: string, path: string): unknown {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' })
  if (document.errors.length > 0) throw notReadable(path, 'a YAML list of { name, sha256, scopes }')
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? []
  } catch {
    throw notReadable(path, 'a YAML list with aliases that can be resolved')
  }
}

function notReadable (place: string, expected: string): PrescaleError {
  return new PrescaleError('invalid-config', `${place} cannot be read.`, { details: [{ path: place, expected }] })
}

/** A name says in the audit who it was, so it must say one. */
function repeated (entries: readonly TokenEntry[], path: string): ErrorDetail[] {
  return (['name', 'sha256'] as const).flatMap((key) => {
    const seen = new Set<string>()
    return entries.flatMap((entry, index) => {
      const isNew = !seen.has(entry[key])
      seen.add(entry[key])
      return isNew ? [] : [{ path: `${path}[${index}].${key}`, expected: `another one than that of an entry above (${entry.name})` }]
    })
  })
}

/** Digests are found by their first bytes; that tells a stopwatch nothing, because nobody can choose the digest of what he sends. */
const bucketBytes = 2

/** Finds who holds a token. */
export function createTokenList (entries: readonly TokenEntry[]) {
  const buckets = new Map<number, { digest: Buffer, principal: Principal }[]>()
  for (const { sha256, ...grant } of entries) {
    const digest = Buffer.from(sha256, 'hex')
    const bucket = digest.readUIntBE(0, bucketBytes)
    buckets.set(bucket, [...buckets.get(bucket) ?? [], { digest, principal: toPrincipal(grant, 'token') }])
  }
  const find = (token: string): Principal | null => {
    const digest = hash('sha256', token, 'buffer')
    let found: Principal | null = null
    for (const one of buckets.get(digest.readUIntBE(0, bucketBytes)) ?? []) if (timingSafeEqual(one.digest, digest)) found = one.principal
    return found
  }
  return { find, size: entries.length }
}

export function hashToken (token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** 256 bits of chance; the prefix lets scanners of repositories know it. */
export function newToken (): string {
  return `prescale_${randomBytes(32).toString('base64url')}`
}
