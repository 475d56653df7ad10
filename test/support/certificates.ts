import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const haveOpenssl = spawnSync('openssl', ['version']).status === 0

export interface Issued { readonly certificateFile: string, readonly keyFile: string, readonly certificate: Buffer, readonly key: Buffer }

/** An authority of our own, with files that `remove` deletes. */
export function createAuthority (name: string) {
  const directory = mkdtempSync(join(tmpdir(), 'prescale-ca-'))
  const file = (suffix: string) => join(directory, suffix)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...newKey, '-keyout', file('ca.key'), '-out', file('ca.pem'), '-subj', `/CN=${name}`, '-days', '2')

  /** A certificate for a server on 127.0.0.1 and for a client of that common name. */
  function issue (commonName: string): Issued {
    const id = Math.random().toString(36).slice(2)
    writeFileSync(file(`${id}.ext`), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
    openssl('req', ...newKey, '-keyout', file(`${id}.key`), '-out', file(`${id}.csr`), '-subj', `/CN=${commonName}`)
    openssl('x509', '-req', '-in', file(`${id}.csr`), '-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-out', file(`${id}.pem`), '-days', '2', '-extfile', file(`${id}.ext`))
    return { certificateFile: file(`${id}.pem`), keyFile: file(`${id}.key`), certificate: readFileSync(file(`${id}.pem`)), key: readFileSync(file(`${id}.key`)) }
  }

  return { file: file('ca.pem'), certificate: readFileSync(file('ca.pem')), issue, remove: () => rmSync(directory, { recursive: true, force: true }) }
}
