import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it, onTestFinished, test } from 'vitest'
import { createAccess } from '../src/access/access.ts'
import { hashToken } from '../src/access/tokens.ts'
import { loadConfig } from '../src/config.ts'
import type { PrescaleError } from '../src/errors.ts'
import { withoutCredentials } from '../src/secrets.ts'
import { openRedis } from '../src/store/open-redis.ts'
import { createLog, createTelemetry } from '../src/telemetry.ts'
import { call, createTestApp } from './api/support.ts'
import { haveRedis, needsRedis, startRedis, until } from './support/redis.ts'

const secret = 'correct-horse-battery'
const folder = mkdtempSync(join(tmpdir(), 'prescale-secrets-'))
afterAll(() => { rmSync(folder, { recursive: true }) })

function recordLog () {
  let text = ''
  const log = createLog({ level: 'trace', destination: new Writable({ write (chunk, _encoding, done) { text += String(chunk); done() } }) })
  return { log, text: () => text }
}

describe('a text', () => {
  test.each([
    { text: `redis://user:${secret}@host:6379/0`, shown: 'redis://…@host:6379/0' },
    { text: `cannot reach https://${secret}@host/x, sorry`, shown: 'cannot reach https://…@host/x, sorry' },
    { text: `http://u:p@ss${secret}@host/`, shown: 'http://…@host/' },
    { text: `/v1/x?limit=1&api_key=${secret}&y=2`, shown: '/v1/x?limit=1&api_key=…&y=2' },
    { text: 'http://host/a@b', shown: 'http://host/a@b' },
    { text: 'nothing to hide', shown: 'nothing to hide' }
  ])('loses what is secret: $shown', ({ text, shown }) => {
    expect(withoutCredentials(text)).toBe(shown)
  })
})

describe('a configuration that is not valid', () => {
  test.each([
    { what: 'the address of Redis', yaml: `redis: { url: "http://:${secret}@host" }` },
    { what: 'the address of an exporter', yaml: `sources: { scrape: [{ url: "http://user:${secret}@host/metrics" }] }` },
    { what: 'a secret that is too short', yaml: `sources: { scrape: [{ url: "http://exporter/metrics?token=${secret}" }] }\npush: { webhooks: [{ url: "http://host/", secret: ${secret.slice(0, 12)} }] }` },
    { what: 'a list around an address', yaml: `sources: { scrape: { url: "http://user:${secret}@host/metrics" } }` }
  ])('does not show $what', ({ yaml }) => {
    const configPath = join(folder, 'prescale.yaml')
    writeFileSync(configPath, yaml)
    try {
      loadConfig({ configPath }, {})
      expect.unreachable()
    } catch (error) {
      const { message, details } = error as PrescaleError
      expect(details.length).toBeGreaterThan(0)
      expect(message + JSON.stringify(details)).not.toContain(secret.slice(0, 12))
    }
  })

  test('does not show what the environment says of Redis', () => {
    expect(() => loadConfig({}, { REDIS_URL: `http://:${secret}@host` })).toThrow(expect.objectContaining({ details: [expect.objectContaining({ path: 'REDIS_URL', value: undefined })] }))
  })
})

describe('the log', () => {
  it('has no token, however it was sent, and no query string, when an answer fails', async () => {
    const { log, text } = recordLog()
    const access = createAccess({ tokens: [{ name: 'a', sha256: hashToken(secret), scopes: ['admin'] }], certificates: [] })
    const telemetry = createTelemetry({ log, processMetrics: false })
    const missing = async () => { throw new Error('boom') }
    const { app, fakes, close } = await createTestApp('', { telemetry, access: () => access, missing, registry: { list: missing } })
    fakes.down = true
    const basic = Buffer.from(`user:${secret}`).toString('base64')
    const ways: Record<string, string>[] = [{ authorization: `Bearer ${secret}` }, { authorization: `Basic ${basic}` }, { 'x-api-key': secret }]
    for (const headers of ways) {
      for (const url of ['/v1/services', '/v1/models', '/readyz', '/nowhere']) await call(app, 'GET', url, undefined, headers)
    }
    expect((await call(app, 'GET', `/v1/models?api_key=${secret}`)).status).toBe(500)
    expect((await call(app, 'GET', `/v1/services?api_key=${secret}`)).status).toBe(503)
    expect(text()).toContain('boom')
    expect(text()).not.toContain(secret)
    expect(text()).not.toContain(basic)
    expect(text()).not.toContain('api_key')
    await close()
  })

  it.skipIf(!haveRedis)(needsRedis('has no password of Redis when it is wrong, nor what was sent to us'), async () => {
    const { log, text } = recordLog()
    const server = await startRedis()
    onTestFinished(() => server.stop())
    const opened = await server.open()
    await opened.connect('work').call('CONFIG', 'SET', 'requirepass', 'another')
    const source = await openRedis({ url: `redis://user:${secret}@127.0.0.1:1`, dataDirectory: folder, log })
    onTestFinished(() => source.close())
    expect(await source.ping()).toBe(false)
    expect(source.description).not.toContain(secret)
    // The error that ioredis makes of a refused password bears the whole command.
    const client = new Redis({ path: server.url.slice('unix://'.length), username: 'user', password: secret, maxRetriesPerRequest: 0, retryStrategy: () => null })
    onTestFinished(() => client.disconnect())
    client.on('error', (err) => { log.warn({ err }, 'refused') })
    await until(() => text().includes('WRONGPASS'))
    expect(text()).not.toContain(secret)
  })
})

describe('no route', () => {
  it('shows a hash of a token, a secret of a webhook or the address of Redis', async () => {
    const yaml = `redis: { url: "redis://user:${secret}@host:6379" }\npush: { webhooks: [{ url: "https://host/hook/${secret}", secret: "${secret}-hook" }] }\nservices: { shop: {} }`
    const access = createAccess({ tokens: [{ name: 'a', sha256: hashToken('admin'), scopes: ['admin'] }], certificates: [] })
    const { app, close } = await createTestApp(yaml, { access: () => access })
    const { body } = await call(app, 'GET', '/openapi.json', undefined, { authorization: 'Bearer admin' })
    for (const path of Object.keys(body['paths'] as object).filter((one) => !['/v1/stream', '/v1/ws'].includes(one))) {
      const { text } = await call(app, 'GET', path.replaceAll(/\{[^}]+\}/g, 'shop'), undefined, { authorization: 'Bearer admin' })
      expect({ path, text }).toEqual({ path, text: expect.not.stringContaining(secret) })
      expect(text).not.toContain(hashToken('admin'))
    }
    await close()
  })
})
