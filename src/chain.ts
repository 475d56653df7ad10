import { createHash } from 'node:crypto'

/** A record with what makes it a link: the hash of the one before, and its own over everything else in it. */
export interface Link { readonly previousHash?: string | null, readonly hash?: string }

/**
 * JSON with the keys of every object in order and no spaces, so that the same value is always the same text. Numbers are written as
 * JavaScript writes them (RFC 8785).
 */
export function canonicalJson (value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((entry) => canonicalJson(entry)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined).sort(([a], [b]) => a < b ? -1 : 1)
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonicalJson(entry)}`).join(',')}}`
}

/** SHA-256 over the canonical JSON of a record without its own hash; 64 hexadecimal digits. */
export function hashOf ({ hash: _, ...record }: Link & object): string {
  return createHash('sha256').update(canonicalJson(record)).digest('hex')
}

/** The record as the link after the one with `previousHash`; null for the first of a chain. */
export function chained<T extends object> (record: T, previousHash: string | null): T & { previousHash: string | null, hash: string } {
  const link = { ...record, previousHash }
  return { ...link, hash: hashOf(link) }
}

export type ChainVerdict =
  | { readonly status: 'intact', readonly links: number, readonly head: string | null }
  | { readonly status: 'broken', readonly index: number, readonly reason: string }

/**
 * Walks a chain from its oldest record, which may lack its predecessors: those are no longer kept.
 *
 * @returns the first broken link; `index` counts from the oldest record.
 */
export function verifyChain (oldestFirst: readonly Link[]): ChainVerdict {
  let head: string | null = null
  let links = 0
  for (const [index, link] of oldestFirst.entries()) {
    const broken = (reason: string): ChainVerdict => ({ status: 'broken', index, reason })
    if (link.hash === undefined) {
      // Releases before the chain wrote none; from the first link on there must be one.
      if (links > 0) return broken('it has no hash, although the one before it has')
      continue
    }
    if (hashOf(link) !== link.hash) return broken('its hash is not that of what it says, so it was changed')
    const follows = links > 0 ? link.previousHash === head : index === 0 || link.previousHash === null
    if (!follows) return broken('it does not name the one before it, so something between them was removed, inserted or exchanged')
    head = link.hash
    links++
  }
  return { status: 'intact', links, head }
}
