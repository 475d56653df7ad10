import { describe, expect, onTestFinished, test } from 'vitest'
import { createOutbound, type Lookup } from '../../src/ingest/outbound.ts'
import { publicReach } from '../../src/ingest/reach.ts'
import { openServer } from '../support/http-server.ts'

const limits = { timeoutSeconds: 5, maxBytes: 1000 }
const answering = (...addresses: string[]): Lookup => (_name, options, callback) => {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  if (options.all) callback(null, found)
  else callback(null, found[0].address, found[0].family)
}
function guarded ({ lookup, allow = [] }: { lookup?: Lookup, allow?: string[] } = {}) {
  const client = createOutbound({ lookup, reach: () => publicReach(allow) })
  onTestFinished(() => client.close())
  return client
}
/** A server that must not be asked, on the port of every address below. */
async function openSecret () {
  let asked = 0
  const { port } = await openServer((_request, response) => { asked++; response.end('secret') })
  return { port, asked: () => asked }
}

describe('an address that was given over HTTP', () => {
  test.each([
    'localhost', 'LOCALHOST', 'localhost.', '127.0.0.1', '127.0.0.1.', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.1', '0x7f.0.0.1', '0177.0.0.1', '017700000001', '127.000.000.001',
    '0', '0.0.0.0', '000.0.0.0', '%31%32%37.0.0.1', '１２７.0.0.1', '127。0。0。1', '[::1]', '[0:0:0:0:0:0:0:1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:0001]', '[::127.0.0.1]',
    'user:password@127.0.0.1', 'example.com@127.0.0.1'
  ])('does not lead to this machine when it is spelled %s', async (host) => {
    const { port, asked } = await openSecret()
    await expect(guarded().fetchBytes(`http://${host}:${port}/`, limits)).rejects.toMatchObject({ message: expect.stringMatching(/not a public address|ENOTFOUND localhost\./) })
    expect(asked()).toBe(0)
  })

  test.each([
    '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '169.254.1.1', '198.18.0.1', '224.0.0.1', '255.255.255.255', '[fc00::1]', '[fd12:3456::1]', '[fe80::1]', '[ff02::1]',
    '[64:ff9b::10.0.0.1]', '[2002:a00:1::]', '[2001:0:a00:1::]', '[::ffff:10.0.0.1]', '3232235777', '0xC0A80101', '0300.0250.1.1'
  ])('does not lead into a private network when it is spelled %s', async (host) => {
    await expect(guarded().fetchBytes(`http://${host}/`, limits)).rejects.toMatchObject({ code: 'invalid-request' })
  })

  test.each([
    '169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376', '[::ffff:169.254.169.254]', '[::ffff:a9fe:a9fe]', '[64:ff9b::169.254.169.254]', '[2002:a9fe:a9fe::]', '[fd00:ec2::254]',
    '100.100.100.200', '168.63.129.16', 'metadata.google.internal', 'METADATA.google.internal.'
  ])('does not lead to cloud metadata when it is spelled %s, whatever is allowed', async (host) => {
    const client = guarded({ allow: ['0.0.0.0/0', '::/0', 'internal'], lookup: answering('8.8.8.8') })
    await expect(client.fetchBytes(`http://${host}/`, limits)).rejects.toThrow(/cloud metadata/)
  })

  test.each([
    { name: 'a private address', answers: ['10.0.0.1'] },
    { name: 'this machine', answers: ['::1'] },
    { name: 'a public and a private address', answers: ['93.184.216.34', '192.168.0.1'] },
    { name: 'a mapped address', answers: ['::ffff:127.0.0.1'] }
  ])('is not fetched when its name resolves to $name', async ({ answers }) => {
    await expect(guarded({ lookup: answering(...answers) }).fetchBytes('http://exporter.test/', limits)).rejects.toThrow(/exporter\.test .* not a public address/)
  })

  test('is connected to as it was looked up: a name that changes its mind gains nothing', async () => {
    const { port, asked } = await openSecret()
    let looks = 0
    // Allowed at the first look, this machine from then on: whoever looked twice would be led astray.
    const lookup: Lookup = (name, options, callback) => { answering(looks++ === 0 ? '203.0.113.9' : '127.0.0.1')(name, options, callback) }
    const client = guarded({ lookup, allow: ['203.0.113.0/24'] })
    await expect(client.fetchBytes(`http://rebinding.test:${port}/`, { ...limits, timeoutSeconds: 0.3 })).rejects.toMatchObject({ code: 'source-unreachable' })
    await expect(client.fetchBytes(`http://rebinding.test:${port}/`, limits)).rejects.toThrow(/not a public address/)
    expect(asked()).toBe(0)
  })

  test('is not left for another one that the answer points to', async () => {
    const { port, asked } = await openSecret()
    const { port: first } = await openServer((_request, response) => { response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end() })
    expect((await guarded({ allow: ['127.0.0.1'] }).fetchBytes(`http://127.0.0.1:${first}/`, limits)).status).toBe(302)
    expect(asked()).toBe(0)
  })

  test('may be private where the configuration allows its network, itself, or the end of its name', async () => {
    const { port } = await openServer((_request, response) => { response.end('x') })
    const status = async (host: string, allow: string[]) => (await guarded({ allow, lookup: answering('127.0.0.1') }).fetchBytes(`http://${host}:${port}/`, limits)).status
    expect(await status('127.0.0.1', ['127.0.0.0/8'])).toBe(200)
    expect(await status('127.0.0.1', ['127.0.0.1'])).toBe(200)
    expect(await status('node.monitoring.svc', ['.monitoring.svc'])).toBe(200)
    expect(await status('node.monitoring.svc', ['monitoring.svc'])).toBe(200)
    await expect(status('evilmonitoring.svc', ['monitoring.svc'])).rejects.toThrow(/not a public address/)
    await expect(status('127.0.0.1', ['10.0.0.0/8'])).rejects.toThrow(/not a public address/)
  })

  test.each(['8.8.8.8', '93.184.216.34', '2606:4700:4700::1111'])('may be public: %s', (address) => {
    expect(publicReach([]).refuses(address, '')).toBeNull()
  })

  test.each(['10.0.0.0/99', '10.0.0.0/x'])('cannot be allowed by %s, which is no network', (entry) => {
    expect(() => publicReach([entry])).toThrow()
  })
})
