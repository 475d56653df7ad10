import { createAccess, openAccess, type Access } from './access/access.ts'
import { parseTokens } from './access/tokens.ts'
import type { Config } from './config.ts'
import { PrescaleError } from './errors.ts'
import { watchFiles, type WatchedFiles } from './store/watched-files.ts'
import type { Telemetry } from './telemetry.ts'

interface AccessFilesOptions {
  readonly config: () => Config
  readonly log: Telemetry['log']
  /** Called after the tokens have changed, with how many there are. */
  readonly onChange?: (tokens: number) => void
}

/**
 * Who may do what, always according to the present configuration and tokens file.
 *
 * @throws PrescaleError `invalid-config` when the tokens file cannot be read, or is not valid.
 */
export function openAccessFiles ({ config, log, onChange = () => {} }: AccessFilesOptions) {
  let path: string | undefined
  let files: WatchedFiles | null = null
  let access: Access = openAccess
  let tokens: ReturnType<typeof parseTokens> = []

  const build = (): void => {
    const { tokensFile, clientCertificates = [] } = config().access
    access = tokensFile === undefined && clientCertificates.length === 0 ? openAccess : createAccess({ tokens, certificates: clientCertificates })
  }

  const take = ([content]: Buffer[]): void => {
    tokens = parseTokens(content.toString('utf8'), path!)
    build()
    log.info({ tokens: tokens.length }, 'the tokens were read again')
    onChange(tokens.length)
  }

  /** After the configuration was read again; a file that is not there leaves everything as it was, and says so. */
  const rebuild = (): void => {
    const next = config().access.tokensFile
    if (next !== path) {
      const opened = next === undefined ? null : openTokens(next, { onChange: take, onError: (err) => { log.error({ err }, 'the tokens were not changed: the file is not valid') } })
      files?.close()
      files = opened?.files ?? null
      tokens = opened?.tokens ?? []
      path = next
    }
    build()
  }
  rebuild()

  return { access: () => access, rebuild, close: () => { files?.close() } }
}

function openTokens (path: string, callbacks: { onChange: (contents: Buffer[]) => void, onError: (error: unknown) => void }) {
  const files = readable('access.tokensFile', () => watchFiles([path], callbacks))
  try {
    return { files, tokens: parseTokens(files.contents[0].toString('utf8'), path) }
  } catch (error) {
    files.close()
    throw error
  }
}

/** @throws PrescaleError `invalid-config` that names the key instead of an error of the file system. */
export function readable<T> (key: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const { path = '', code = 'unreadable' } = error as NodeJS.ErrnoException
    throw new PrescaleError('invalid-config', `${path} cannot be read (${code}).`, { details: [{ path: key, value: path, expected: 'a readable file' }], cause: error })
  }
}
