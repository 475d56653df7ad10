import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface StaticFile { readonly bytes: Buffer, readonly gzipped: Buffer, readonly etag: string }

/** All files of one folder, by name, kept in memory; empty where there is no such folder. */
export function readStaticFiles (folder: string): ReadonlyMap<string, StaticFile> {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return new Map(names.map((name) => {
    const bytes = readFileSync(join(folder, name))
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 16)}"`
    return [name, { bytes, gzipped: gzipSync(bytes, { level: 9 }), etag }]
  }))
}
