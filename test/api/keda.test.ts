import { get as httpGet } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTestApp, decisionOf, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
let port = 0
beforeEach(async () => {
  test = await createTestApp()
  test.fakes.decisions.set('shop', decisionOf('shop'))
  await test.app.listen({ host: '127.0.0.1', port: 0 })
  port = (test.app.server.address() as AddressInfo).port
})
afterEach(() => test.close())

/** As KEDA's metrics_api_scaler.go asks: a GET without a body, what Go's client adds, and what the authentication adds. */
async function ask (path: string, headers: Record<string, string> = {}) {
  return await new Promise<{ status: number | undefined, body: Record<string, unknown>, encoding: string | undefined }>((resolve, reject) => {
    httpGet({ host: '127.0.0.1', port, path, headers: { 'user-agent': 'Go-http-client/1.1', 'accept-encoding': 'gzip', ...headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) as Record<string, unknown>, encoding: response.headers['content-encoding'] }))
    }).on('error', reject)
  })
}

describe('KEDA\'s metrics-api trigger', () => {
  const ways: [string, string, Record<string, string>][] = [
    ['no authentication', '', {}],
    ['apiKey in a header', '', { 'x-api-key': 'k' }],
    ['apiKey in the query', '?api_key=k', {}],
    ['basic', '', { authorization: `Basic ${Buffer.from('keda:k').toString('base64')}` }],
    ['bearer', '', { authorization: 'Bearer k' }]
  ]
  it.each(ways)('with %s reads the number at valueLocation "value" from a 200', async (_name, query, headers) => {
    const { status, body, encoding } = await ask(`/v1/services/shop/keda${query}`, headers)
    expect({ status, encoding, value: body['value'], target: body['target'] }).toEqual({ status: 200, encoding: undefined, value: 14, target: 1 })
  })

  it('costs one read of Redis, because it comes every 15 s for every service', async () => {
    await ask('/v1/services/shop/keda')
    expect(test.fakes.reads).toBe(1)
  })

  it('gets an error, and so serves its fallback, whenever we do not know', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop', { validUntil: now }))
    expect((await ask('/v1/services/shop/keda')).status).toBe(503)
    test.fakes.down = true
    expect((await ask('/v1/services/shop/keda')).status).toBe(503)
  })
})
