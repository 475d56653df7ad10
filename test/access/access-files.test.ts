import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openAccessFiles } from '../../src/access-files.ts'
import { hashToken } from '../../src/access/tokens.ts'
import type { Config } from '../../src/config.ts'
import { configOf } from '../api/support.ts'
import { silent, until } from '../support/redis.ts'

let folder: string
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'prescale-tokens-')) })
afterEach(() => { rmSync(folder, { recursive: true }) })

const write = (name: string, ...tokens: string[]) => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(tokens.map((token) => ({ name: token, sha256: hashToken(token), scopes: ['read'] }))))
  return path
}
const configWith = (tokensFile: string | null): Config => configOf(tokensFile === null ? '' : `access: { tokensFile: ${JSON.stringify(tokensFile)} }`)

describe('the tokens file', () => {
  test('is read again when it changes: a token is in force, and out of force, without a restart', async () => {
    const path = write('tokens', 'old')
    const config = configWith(path)
    const files = openAccessFiles({ config: () => config, log: silent })
    expect(files.access().byToken('old')?.name).toBe('old')
    write('tokens', 'old', 'new')
    await until(() => files.access().byToken('new') !== null)
    expect(files.access().byToken('old')).not.toBeNull()
    write('tokens', 'new')
    await until(() => files.access().byToken('old') === null)
    files.close()
  })

  test('may be another one after a reload; one that cannot be read is refused, and the old tokens stay', () => {
    let config = configWith(write('one', 'first'))
    const files = openAccessFiles({ config: () => config, log: silent })
    config = configWith(write('two', 'second'))
    files.rebuild()
    expect(files.access().byToken('first')).toBeNull()
    expect(files.access().byToken('second')).not.toBeNull()
    config = configWith(join(folder, 'none'))
    expect(() => files.rebuild()).toThrow(expect.objectContaining({ code: 'invalid-config', details: [expect.objectContaining({ path: 'access.tokensFile' })] }))
    expect(files.access().byToken('second')).not.toBeNull()
    files.close()
  })

  test('is asked for from the moment that it is named, and until then nothing is', () => {
    let config = configWith(null)
    const files = openAccessFiles({ config: () => config, log: silent })
    expect(files.access().withoutAnything).not.toBeNull()
    config = configWith(write('empty'))
    files.rebuild()
    expect(files.access().withoutAnything).toBeNull()
    files.close()
  })
})

describe('an address that others can reach', () => {
  test('is refused without tokens, and allowed with them', () => {
    expect(() => configOf('listen: { host: 0.0.0.0 }')).toThrow(expect.objectContaining({ details: [expect.objectContaining({ path: 'listen.host' })] }))
    expect(configOf('listen: { host: 0.0.0.0 }\ninsecure: true').listen.host).toBe('0.0.0.0')
    expect(configOf('listen: { host: 0.0.0.0 }\naccess: { tokensFile: tokens.yaml }').listen.host).toBe('0.0.0.0')
  })

  test('may be guarded by certificates alone, if there is an authority that signs them', () => {
    const certificates = 'access: { clientCertificates: [{ name: keda, scopes: [read] }] }'
    expect(() => configOf(certificates)).toThrow(expect.objectContaining({ details: [expect.objectContaining({ path: 'listen.tls.clientCaFile' })] }))
    expect(configOf(`listen: { host: 0.0.0.0, tls: { certificateFile: a, keyFile: b, clientCaFile: c } }\n${certificates}`).access.clientCertificates).toHaveLength(1)
  })
})
