import { describe, expect, onTestFinished, test } from 'vitest'
import { createOutbound, type Lookup } from '../../src/ingest/outbound.ts'
import { openServer } from '../support/http-server.ts'

const limits = { timeoutSeconds: 5, maxBytes: 1000 }

function outbound (options: { lookup?: Lookup } = {}) {
  const client = createOutbound(options)
  onTestFinished(() => client.close())
  return client
}

describe('addresses', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data', 'http://169.254.0.1', 'https://[::ffff:169.254.169.254]/', 'http://2852039166/', 'http://0xa9fea9fe/', 'http://0xa9.254.43518/',
    'http://0251.0376.0251.0376/', 'http://[fd00:ec2::254]/', 'http://100.100.100.200/'
  ])('%s is one of cloud metadata and never fetched', async (address) => {
    await expect(outbound().fetchBytes(address, limits)).rejects.toThrow(/cloud metadata/)
  })

  test.each([
    { name: 'one that is', answers: ['169.254.169.254'] },
    { name: 'several of which one is', answers: ['127.0.0.1', '169.254.169.254'] },
    { name: 'a mapped one', answers: ['::ffff:169.254.169.254'] }
  ])('a name that resolves to $name is not fetched', async ({ answers }) => {
    const found = answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    const { fetchBytes } = outbound({ lookup: (_name, _options, callback) => { callback(null, found) } })
    await expect(fetchBytes('http://exporter.test:9100/', limits)).rejects.toThrow(/exporter\.test .* cloud metadata/)
  })

  test.each(['ftp://a/', 'file:///etc/passwd', 'javascript:1', 'a:9100/metrics', '', 'http://'])('%s is not of http or https', async (address) => {
    await expect(outbound().fetchBytes(address, limits)).rejects.toMatchObject({ code: 'invalid-request' })
  })

  test('that are private are where exporters live', async () => {
    const { url, port } = await openServer((_request, response) => { response.setHeader('content-type', 'text/plain').end('x') })
    expect(await outbound().fetchBytes(url, limits)).toEqual({ status: 200, contentType: 'text/plain', body: Buffer.from('x') })
    const named = outbound({ lookup: (_name, options, callback) => { options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4) } })
    expect((await named.fetchBytes(`http://exporter.test:${port}/`, limits)).status).toBe(200)
  })
})

describe('an answer', () => {
  test('is not followed when it points elsewhere', async () => {
    let requests = 0
    const { url } = await openServer((_request, response) => { requests++; response.writeHead(302, { location: '/other' }).end() })
    expect((await outbound().fetchBytes(url, limits)).status).toBe(302)
    expect(requests).toBe(1)
  })

  test('is cut off at its limit, even when it does not end', async () => {
    const { url } = await openServer((_request, response) => {
      const timer = setInterval(() => { response.write('x'.repeat(300)) }, 5)
      response.on('close', () => { clearInterval(timer) })
    })
    await expect(outbound().fetchBytes(url, limits)).rejects.toMatchObject({ code: 'source-unreachable', message: expect.stringContaining('maxBytes, which is 1000') })
  })

  test('may take its time altogether, and not only until it begins', async () => {
    const { url } = await openServer((_request, response) => {
      const timer = setInterval(() => { response.write('x') }, 20)
      response.on('close', () => { clearInterval(timer) })
    })
    await expect(outbound().fetchBytes(url, { ...limits, timeoutSeconds: 0.3 })).rejects.toThrow('no complete answer within 0.3 s')
  })

  test('that never begins ends with the time, too', async () => {
    const { url } = await openServer(() => {})
    await expect(outbound().fetchBytes(url, { ...limits, timeoutSeconds: 0.2 })).rejects.toThrow('no complete answer within 0.2 s')
  })

  test.each([
    { name: 'nobody listens', lookup: undefined, port: 1 },
    { name: 'the name is not known', lookup: ((_name, _options, callback) => { callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []) }) as Lookup, port: 1 },
    { name: 'the name has no address', lookup: ((_name, _options, callback) => { callback(null, []) }) as Lookup, port: 1 }
  ])('is unreachable when $name', async ({ lookup, port }) => {
    const host = lookup ? 'exporter.test' : '127.0.0.1'
    await expect(outbound({ lookup }).fetchBytes(`http://${host}:${port}/`, limits)).rejects.toMatchObject({ code: 'source-unreachable' })
  })
})
