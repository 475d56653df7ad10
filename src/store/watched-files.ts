import { readFileSync } from 'node:fs'

interface WatchOptions {
  /** Called with the new contents, in the order of the paths; an error is told to `onError`, and the old ones stay in use. */
  readonly onChange: (contents: Buffer[]) => void
  readonly onError: (error: unknown) => void
  readonly everyMs?: number
}

/**
 * Reads files now, and again whenever one of them holds something else. It looks rather than listens: the secrets of Kubernetes change
 * by a symbolic link two folders above, of which a listener hears nothing.
 *
 * @throws Error of the file system when one of them cannot be read at the start.
 */
export function watchFiles (paths: readonly string[], { onChange, onError, everyMs = 2_000 }: WatchOptions) {
  const read = () => paths.map((path) => readFileSync(path))
  let known = read()
  let failed = ''

  /** Looks at once. */
  const check = (): void => {
    try {
      const present = read()
      if (present.every((content, index) => content.equals(known[index]))) return
      // What is wrong is said once, not every two seconds.
      known = present
      onChange(present)
      failed = ''
    } catch (error) {
      if (failed !== String(error)) onError(error)
      failed = String(error)
    }
  }
  const timer = setInterval(check, everyMs).unref()
  return { contents: known, check, close: () => { clearInterval(timer) } }
}
export type WatchedFiles = ReturnType<typeof watchFiles>
