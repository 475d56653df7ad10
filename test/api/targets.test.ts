import { describe, expect, it } from 'vitest'
import { scheduledTargets } from '../../src/sources.ts'
import { call, configOf, createTestApp, expectProblem } from './support.ts'

const enabled = 'sources: { overHttp: { enabled: true, allow: [10.1.0.0/16] } }'

describe('exporters over HTTP', () => {
  it('are not there unless the file allows them', async () => {
    const { app, close } = await createTestApp()
    for (const [method, url, body] of [['GET', '/v1/targets'], ['PUT', '/v1/targets/node', { url: 'http://exporter.example/' }], ['DELETE', '/v1/targets/node']] as const) {
      expectProblem(await call(app, method, url, body), { status: 404, code: 'not-found' })
    }
    await close()
  })

  it('are added, listed, replaced and removed, and fetched from then on', async () => {
    let changes = 0
    const { app, close } = await createTestApp(enabled, { sourcesChanged: async () => { changes++ } })
    const target = { url: 'http://exporter.example/metrics', labels: { job: 'shop' } }
    expect((await call(app, 'PUT', '/v1/targets/node', target)).status).toBe(201)
    expect((await call(app, 'PUT', '/v1/targets/node', { ...target, intervalSeconds: 30 })).status).toBe(200)
    const { body: { targets } } = await call(app, 'GET', '/v1/targets')
    expect(targets).toEqual([{ name: 'node', target: { ...target, intervalSeconds: 30 } }])
    expect(scheduledTargets(targets)).toEqual([{ id: 'target node', everySeconds: 30, data: expect.objectContaining({ kind: 'scrape', overHttp: true, timeoutSeconds: 10 }) }])
    expect((await call(app, 'DELETE', '/v1/targets/node')).status).toBe(204)
    expectProblem(await call(app, 'DELETE', '/v1/targets/node'), { status: 404, code: 'not-found' })
    expect(changes).toBe(3)
    await close()
  })

  it.each(['http://127.0.0.1/', 'http://0x7f.1/', 'http://[::ffff:127.0.0.1]/', 'http://169.254.169.254/', 'file:///etc/passwd', 'http://user:password@exporter.example/'])('are refused at %s', async (url) => {
    const { app, fakes, close } = await createTestApp(enabled)
    expectProblem(await call(app, 'PUT', '/v1/targets/node', { url }), { status: 400, code: 'invalid-request' })
    expect(fakes.targets.size).toBe(0)
    await close()
  })

  it('may be private where the file says so', async () => {
    const { app, close } = await createTestApp(enabled)
    expect((await call(app, 'PUT', '/v1/targets/node', { url: 'http://10.1.2.3:9100/metrics' })).status).toBe(201)
    expectProblem(await call(app, 'PUT', '/v1/targets/node', { url: 'http://10.2.0.1:9100/metrics' }), { status: 400, code: 'invalid-request' })
    await close()
  })

  it('cannot be allowed by what is no network', () => {
    expect(() => configOf('sources: { overHttp: { allow: [10.0.0.0/99] } }')).toThrow(expect.objectContaining({ details: [expect.objectContaining({ path: 'sources.overHttp.allow[0]' })] }))
  })
})
