import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { startListeners } from '../src/listeners.ts'
import { createTelemetry } from '../src/telemetry.ts'
import { configOf, createFakes, now } from './api/support.ts'
import { createAuthority, haveOpenssl, type Issued } from './support/certificates.ts'
import { freePort } from './support/ports.ts'
import { silent, until } from './support/redis.ts'

describe.skipIf(!haveOpenssl)(haveOpenssl ? 'the listeners beside the API' : 'the listeners beside the API (skipped: openssl is not installed)', () => {
  const authority = haveOpenssl ? createAuthority('cluster') : null!
  const folder = mkdtempSync(join(tmpdir(), 'prescale-listeners-'))
  afterAll(() => {
    authority?.remove()
    rmSync(folder, { recursive: true })
  })
  const install = ({ certificate, key }: Issued) => {
    writeFileSync(join(folder, 'tls.crt'), certificate)
    writeFileSync(join(folder, 'tls.key'), key)
  }

  /** The common name in the certificate that a server shows. */
  const shownBy = (port: number) => new Promise<unknown>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: authority.certificate, checkServerIdentity: () => undefined }, () => {
      resolve(socket.getPeerCertificate().subject.CN)
      socket.destroy()
    })
    socket.on('error', reject)
  })

  it('show the certificates that their files hold now', { timeout: 30_000 }, async () => {
    install(authority.issue('before'))
    const [grpc, kubernetes] = [await freePort(), await freePort()]
    const tls = `{ certificateFile: "${join(folder, 'tls.crt')}", keyFile: "${join(folder, 'tls.key')}" }`
    const config = configOf(`listen:\n  grpc: { port: ${grpc}, tls: ${tls} }\n  kubernetes: { port: ${kubernetes}, tls: ${tls} }\n`)
    const closers: (() => unknown)[] = []
    const telemetry = createTelemetry({ log: silent, processMetrics: false })
    await startListeners({ ...createFakes().stores, config: () => config, now: () => now, missing: async () => [], telemetry }, (closer) => { closers.push(closer) })
    expect(await Promise.all([shownBy(grpc), shownBy(kubernetes)])).toEqual(['before', 'before'])
    install(authority.issue('after'))
    await until(async () => (await shownBy(grpc)) === 'after' && (await shownBy(kubernetes)) === 'after')
    for (const close of closers.reverse()) await close()
  })
})
