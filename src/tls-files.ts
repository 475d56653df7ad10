import { createSecureContext } from 'node:tls'
import { readable } from './access-files.ts'
import { PrescaleError } from './errors.ts'
import { watchFiles } from './store/watched-files.ts'
import type { Telemetry } from './telemetry.ts'

interface TlsPaths { readonly certificateFile: string, readonly keyFile: string, readonly clientCaFile?: string }
interface Secured { readonly setSecureContext: (certificates: Certificates) => void }
export interface Certificates { readonly key: Buffer, readonly cert: Buffer, readonly ca?: Buffer }

/**
 * The certificates of a listener, and what keeps them fresh; `key` is its place in the configuration. A pair that does not fit together, as there is while the two files are
 * being replaced, is not used.
 *
 * @throws PrescaleError `invalid-config` when a file cannot be read, or holds no certificate.
 */
export function openTlsFiles ({ certificateFile, keyFile, clientCaFile }: TlsPaths, { key, log }: { readonly key: string, readonly log: Telemetry['log'] }) {
  const paths = [keyFile, certificateFile, ...(clientCaFile === undefined ? [] : [clientCaFile])]
  let server: Secured | null = null
  const files = readable(key, () => watchFiles(paths, {
    onChange: (contents) => {
      const certificates = toCertificates(contents)
      createSecureContext(certificates)
      server?.setSecureContext(certificates)
      log.info(`the certificates of ${key} were read again`)
    },
    onError: (err) => { log.error({ err }, `the certificates of ${key} were not changed`) }
  }))
  const certificates = toCertificates(files.contents)
  try {
    createSecureContext(certificates)
  } catch (error) {
    files.close()
    throw new PrescaleError('invalid-config', `The certificate and the key cannot be used: ${(error as Error).message}.`, {
      details: [{ path: key, value: { certificateFile, keyFile }, expected: 'PEM files of a certificate and of its key' }], cause: error
    })
  }
  return { certificates, follow: (started: Secured) => { server = started }, close: files.close }
}

function toCertificates ([key, cert, ca]: readonly Buffer[]): Certificates {
  return { key, cert, ...(ca !== undefined && { ca }) }
}
