import { request as httpsRequest } from 'node:https'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createAccess } from '../../src/access/access.ts'
import { hashToken } from '../../src/access/tokens.ts'
import type { ApiOptions } from '../../src/api/context.ts'
import { createMonitoringApp } from '../../src/api/monitoring.ts'
import { watchEventLoop } from '../../src/api/shedding.ts'
import { createKeys } from '../../src/store/keys.ts'
import { createRateLimit } from '../../src/store/rate-limit.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { openTlsFiles } from '../../src/tls-files.ts'
import { createAuthority, haveOpenssl } from '../support/certificates.ts'
import { haveRedis, needsRedis, randomPrefix, silent, sleep, startRedis, until, type TestRedis } from '../support/redis.ts'
import { call, createTestApp, decisionOf, expectProblem, now } from './support.ts'

const apps: { close: () => Promise<void> }[] = []
afterEach(async () => { for (const { close } of apps.splice(0)) await close() })
const open = async (yaml = '', overrides: Partial<ApiOptions> = {}) => {
  const test = await createTestApp(yaml, overrides)
  apps.push(test)
  return test
}
const access = createAccess({ tokens: [{ name: 'a', sha256: hashToken('a'), scopes: ['admin'] }, { name: 'slow', sha256: hashToken('slow'), scopes: ['admin'], writesPerMinute: 10 }], certificates: [] })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const sample = { service: 'shop', at: now, signals: { requestsPerSecond: 1 } }

describe('an answer', () => {
  it('is never taken for another type than it is', async () => {
    const { app } = await open()
    for (const url of ['/healthz', '/v1/services', '/nowhere', '/docs/']) {
      expect({ url, header: (await call(app, 'GET', url)).headers['x-content-type-options'] }).toEqual({ url, header: 'nosniff' })
    }
  })

  it('that is a page runs no script of its own text, and shows in no other page', async () => {
    const { app } = await open()
    const { headers, type } = await call(app, 'GET', '/docs/')
    expect(type).toContain('text/html')
    expect(headers['content-security-policy']).toContain("default-src 'self'")
    expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe/)
    expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' })
    expect(headers).not.toHaveProperty('set-cookie')
  })
})

describe('a page of somebody else', () => {
  it('changes nothing here, although the browser sends the password with it', async () => {
    const { app } = await open('', { access: () => access })
    const post = (origin: string) => call(app, 'POST', '/v1/config/reload', undefined, { ...bearer('a'), host: 'prescale.example', origin })
    expectProblem(await post('https://evil.example'), { status: 403, code: 'forbidden' })
    expectProblem(await post('null'), { status: 403, code: 'forbidden' })
    expect((await post('https://prescale.example')).status).toBe(200)
  })

  it.each([
    { host: 'evil.example', status: 403 }, { host: 'evil.example:8080', status: 403 }, { host: '127.0.0.1.evil.example', status: 403 },
    { host: 'localhost:8080', status: 200 }, { host: '127.0.0.1:8080', status: 200 }, { host: '[::1]:8080', status: 200 }
  ])('that calls itself $host is answered with $status where nobody has to show a token', async ({ host, status }) => {
    const { app } = await open()
    expect((await call(app, 'GET', '/v1/services', undefined, { host })).status).toBe(status)
    const trusting = await open('insecure: true')
    expect((await call(trusting.app, 'GET', '/v1/services', undefined, { host })).status).toBe(200)
  })
})

describe('a process that is behind', () => {
  it('refuses what is sent, at twice that delay what is asked, and never health and metrics', async () => {
    let delayMs = 0
    const { app, fakes } = await open('limits: { eventLoopDelayMs: 100 }', { delayMs: () => delayMs })
    fakes.decisions.set('shop', decisionOf('shop'))
    const statuses = async () => [
      (await call(app, 'POST', '/v1/samples', sample)).status, (await call(app, 'GET', '/v1/services/shop/keda')).status,
      (await call(app, 'GET', '/healthz')).status, (await call(app, 'GET', '/metrics')).status
    ]
    expect(await statuses()).toEqual([202, 200, 200, 200])
    delayMs = 150
    expect(await statuses()).toEqual([503, 200, 200, 200])
    delayMs = 250
    expect(await statuses()).toEqual([503, 503, 200, 200])
    const answer = await call(app, 'POST', '/v1/samples', sample)
    expectProblem(answer, { status: 503, code: 'overloaded' })
    expect(answer.headers['retry-after']).toBe('1')
  })

  it('knows that it is', async () => {
    const { delayMs, close } = watchEventLoop()
    await sleep(10)
    const until = performance.now() + 400
    while (performance.now() < until) { /* the event loop stands still */ }
    expect(delayMs()).toBeGreaterThan(200)
    close()
  })
})

describe.skipIf(!haveRedis)(needsRedis('a token that sends too much'), () => {
  let redis: TestRedis
  beforeAll(async () => { redis = await startRedis() })
  afterAll(() => redis?.stop())
  const openLimit = async () => {
    const source = await redis.open()
    return createRateLimit({ redis: source.connect('request'), keys: createKeys({ prefix: randomPrefix() }) })
  }

  it('may send a tenth of a minute\'s worth at once, and then one after another', async () => {
    const { take } = await openLimit()
    // 600 a minute: 60 at once, and then one every 100 ms.
    const waits: number[] = []
    for (let i = 0; i < 61; i++) waits.push(await take('a', 600))
    expect(waits.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 0))
    // What came meanwhile is free again, so the next one may or may not.
    const perMinute = 6
    expect(await take('b', perMinute)).toBe(0)
    const wait = await take('b', perMinute)
    expect(wait).toBeGreaterThan(9_000)
    expect(wait).toBeLessThanOrEqual(10_000)
    expect(await take('c', perMinute)).toBe(0)
  })

  it('is told when to try again: with 503 for metrics, so that their sender keeps them, with 429 for all else', async () => {
    const { app } = await open('services: { shop: {} }', { access: () => access, rateLimit: await openLimit() })
    const send = (token: string) => call(app, 'POST', '/v1/samples', sample, bearer(token))
    expect((await send('slow')).status).toBe(202)
    const refused = await send('slow')
    expectProblem(refused, { status: 503, code: 'overloaded' })
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    expectProblem(await call(app, 'PUT', '/v1/services/shop', {}, bearer('slow')), { status: 429, code: 'too-many-requests' })
    expect((await call(app, 'GET', '/v1/services', undefined, bearer('slow'))).status).toBe(200)
    expect((await send('a')).status).toBe(202)
  })
})

describe('the monitoring listener', () => {
  it('serves metrics and health and nothing else; then the API does not', async () => {
    const telemetry = createTelemetry({ log: silent, processMetrics: false })
    const monitoring = createMonitoringApp({ missing: async () => [], modelProblems: () => [], telemetry })
    const { app } = await open('listen: { monitoring: { port: 0 } }', { access: () => access })
    for (const url of ['/metrics', '/healthz', '/readyz']) {
      expect((await call(monitoring, 'GET', url)).status).toBe(200)
      expect((await call(app, 'GET', url, undefined, bearer('a'))).status).toBe(404)
    }
    expectProblem(await call(monitoring, 'GET', '/v1/services'), { status: 404, code: 'not-found' })
    await monitoring.close()
  })
})

describe.skipIf(!haveOpenssl)(haveOpenssl ? 'TLS' : 'TLS (skipped: openssl is not installed)', () => {
  const authority = haveOpenssl ? createAuthority('clients') : null!
  const folder = mkdtempSync(join(tmpdir(), 'prescale-tls-'))
  afterAll(() => {
    authority?.remove()
    rmSync(folder, { recursive: true })
  })
  const files = { certificateFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key'), clientCaFile: join(folder, 'ca.crt') }
  const install = ({ certificate, key }: { certificate: Buffer, key: Buffer }) => {
    writeFileSync(files.certificateFile, certificate)
    writeFileSync(files.keyFile, key)
    writeFileSync(files.clientCaFile, authority.certificate)
  }
  const ask = (port: number, client: { cert?: Buffer, key?: Buffer, token?: string } = {}) => new Promise<{ status: number, server: string }>((resolve, reject) => {
    const { cert, key, token } = client
    const request = httpsRequest({ host: '127.0.0.1', port, path: '/v1/services', ca: authority.certificate, cert, key, agent: false, headers: token ? bearer(token) : {} }, (response) => {
      const { CN } = (response.socket as import('node:tls').TLSSocket).getPeerCertificate().subject
      response.resume().on('end', () => { resolve({ status: response.statusCode!, server: String(CN) }) })
    })
    request.on('error', reject).end()
  })

  const serve = async () => {
    const certificates = createAccess({ tokens: [{ name: 'a', sha256: hashToken('a'), scopes: ['read'] }], certificates: [{ name: 'keda-operator', scopes: ['read'] }, { name: 'feeder', scopes: ['ingest'] }] })
    const tls = openTlsFiles(files, { key: 'listen.tls', log: silent })
    const { app } = await open('', { access: () => certificates, tls: tls.certificates })
    tls.follow(app.server as never)
    await app.listen({ host: '127.0.0.1', port: 0 })
    return { port: (app.server.address() as AddressInfo).port, close: tls.close }
  }

  it('takes a client certificate for a token, by its common name', async () => {
    install(authority.issue('server'))
    const { port, close } = await serve()
    const show = (name: string) => {
      const { certificate: cert, key } = authority.issue(name)
      return ask(port, { cert, key })
    }
    expect((await show('keda-operator')).status).toBe(200)
    expect((await show('feeder')).status).toBe(403)
    expect((await show('stranger')).status).toBe(401)
    expect((await ask(port)).status).toBe(401)
    expect((await ask(port, { token: 'a' })).status).toBe(200)
    close()
  })

  it('takes no certificate that another authority has signed, whatever its name', async () => {
    install(authority.issue('server'))
    const { port, close } = await serve()
    const forger = createAuthority('clients')
    const { certificate: cert, key } = forger.issue('keda-operator')
    expect((await ask(port, { cert, key })).status).toBe(401)
    forger.remove()
    close()
  })

  it('serves new certificates once the files hold them, and not a key without its certificate', async () => {
    install(authority.issue('before'))
    const { port, close } = await serve()
    expect(await ask(port, { token: 'a' })).toEqual({ status: 200, server: 'before' })
    const next = authority.issue('after')
    writeFileSync(files.keyFile, next.key)
    await sleep(2_500)
    expect((await ask(port, { token: 'a' })).server).toBe('before')
    writeFileSync(files.certificateFile, next.certificate)
    await until(async () => (await ask(port, { token: 'a' })).server === 'after')
    close()
  })

  it('does not start with files that are none, or do not fit', () => {
    install(authority.issue('server'))
    expect(() => openTlsFiles({ ...files, keyFile: join(folder, 'none') }, { key: 'listen.tls', log: silent })).toThrow(expect.objectContaining({ code: 'invalid-config', details: [expect.objectContaining({ path: 'listen.tls' })] }))
    writeFileSync(files.keyFile, authority.issue('other').key)
    expect(() => openTlsFiles(files, { key: 'listen.tls', log: silent })).toThrow(expect.objectContaining({ code: 'invalid-config' }))
    expect(readFileSync(files.keyFile, 'utf8')).toContain('PRIVATE KEY')
  })
})

describe('a body that is nested without end', () => {
  it('is refused like any other that is wrong, and what is shown of it ends', async () => {
    const { app } = await open()
    const payload = `{ "config": ${'['.repeat(20_000)}${']'.repeat(20_000)}, "performance": 1 }`
    const answer = await app.inject({ method: 'POST', url: '/v1/services/shop/feedback', payload, headers: { 'content-type': 'application/json' } })
    expect({ status: answer.statusCode, body: answer.json<unknown>() }).toMatchObject({ status: 400, body: { type: 'urn:prescale:problem:invalid-request', errors: [{ path: 'config' }] } })
    expect(answer.body.length).toBeLessThan(1000)
  })
})
