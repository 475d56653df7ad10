import { createSecureContext, type Server } from 'node:tls'
import { readable } from './access-files.ts'
import type { Config } from './config.ts'
import { PrescaleError } from './errors.ts'
import { watchFiles } from './store/watched-files.ts'
import type { Telemetry } from './telemetry.ts'

export interface Certificates { readonly key: Buffer, readonly cert: Buffer, readonly ca?: Buffer }

/**
 * The certificates of the listener, and what keeps them fresh. A pair that does not fit together, as there is while the two files are
 * being replaced, is not used.
 *
 * @throws PrescaleError `invalid-config` when a file cannot be read, or holds no certificate.
 */
export function openTlsFiles ({ certificateFile, keyFile, clientCaFile }: NonNullable<Config['tls']>, log: Telemetry['log']) {
  const paths = [keyFile, certificateFile, ...(clientCaFile === undefined ? [] : [clientCaFile])]
  let server: Pick<Server, 'setSecureContext'> | null = null
  const files = readable('listen.tls', () => watchFiles(paths, {
    onChange: (contents) => {
      const certificates = toCertificates(contents)
      createSecureContext(certificates)
      server?.setSecureContext(certificates)
      log.info('the certificates of the listener were read again')
    },
    onError: (err) => { log.error({ err }, 'the certificates of the listener were not changed') }
  }))
  const certificates = toCertificates(files.contents)
  try {
    createSecureContext(certificates)
  } catch (error) {
    files.close()
    throw new PrescaleError('invalid-config', `The certificate and the key cannot be used: ${(error as Error).message}.`, {
      details: [{ path: 'listen.tls', value: { certificateFile, keyFile }, expected: 'PEM files of a certificate and of its key' }], cause: error
    })
  }
  return { certificates, follow: (started: Pick<Server, 'setSecureContext'>) => { server = started }, close: files.close }
}

function toCertificates ([key, cert, ca]: readonly Buffer[]): Certificates {
  return { key, cert, ...(ca !== undefined && { ca }) }
}
