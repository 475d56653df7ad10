import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Where to start a worker thread from. Node 20 loads no TypeScript in a thread, so source that runs as it is (under vitest)
 * uses the built file.
 *
 * @param path of the worker beside its caller, such as './forest-worker.ts'. @param from import.meta.url of the caller.
 * @throws Error if the file was not built.
 */
export function workerFile (path: string, from: string): URL {
  const source = new URL(path, from)
  const root = new URL('../../', import.meta.url)
  const built = source.href.slice(root.href.length).replace(/\.ts$/, '.js')
  const file = new URL(import.meta.url.endsWith('.ts') ? `dist/${built}` : built, root)
  if (!existsSync(file)) throw new Error(`${fileURLToPath(file)} is missing: run "npm run build" first.`)
  return file
}
