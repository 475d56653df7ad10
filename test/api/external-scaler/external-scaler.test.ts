import { connect } from 'node:http2'
import { join } from 'node:path'
import { ChannelCredentials, credentials, loadPackageDefinition, status, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { protoPath as healthProto } from 'grpc-health-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { GrpcCertificates } from '../../../src/api/external-scaler/credentials.ts'
import { startExternalScaler, type ExternalScaler } from '../../../src/api/external-scaler/server.ts'
import { createAuthority, haveOpenssl, type Issued } from '../../support/certificates.ts'
import { bytes, varint } from '../../support/remote-write-encoder.ts'
import { until } from '../../support/redis.ts'
import { configOf, createFakes, decisionOf, now } from '../support.ts'

type Client = Record<string, any> & { close (): void }
const load = (path: string, ...names: string[]) => {
  const definition = loadPackageDefinition(loadSync(path, { defaults: true, longs: Number, enums: String }))
  return names.reduce((found: any, name) => found[name], definition) as ServiceClientConstructor
}
const ScalerClient = load(join(import.meta.dirname, 'externalscaler.proto'), 'externalscaler', 'ExternalScaler')
const HealthClient = load(healthProto, 'grpc', 'health', 'v1', 'Health')

let fakes: ReturnType<typeof createFakes>['fakes']
let server: ExternalScaler
let client: Client
const clients: Client[] = []
let missing: string[] = []

async function start (tls: GrpcCertificates | null = null): Promise<void> {
  const created = createFakes()
  fakes = created.fakes
  fakes.decisions.set('shop', decisionOf('shop'))
  server = await startExternalScaler({ host: '127.0.0.1', port: 0, tls, pollMs: 20, ...created.stores, config: () => configOf(''), now: () => now, missing: async () => missing })
}
function open (Constructor = ScalerClient, secured: ChannelCredentials = credentials.createInsecure()): Client {
  const opened = new Constructor(`127.0.0.1:${server.port}`, secured) as unknown as Client
  clients.push(opened)
  return opened
}
beforeEach(async () => {
  missing = []
  await start()
  client = open()
})
afterEach(async () => {
  for (const one of clients.splice(0)) one.close()
  await server.close()
})

/** As KEDA sends it: the whole metadata of the trigger. */
const reference = (metadata: Record<string, string> = {}, name = 'shop') => ({ name, namespace: 'prod', scalerMetadata: { scalerAddress: 'prescale:8081', ...metadata } })
function call (method: string, request: object, from = client): Promise<any> {
  return new Promise((resolve, reject) => { from[method](request, (error: Error | null, response: unknown) => { error ? reject(error) : resolve(response) }) })
}
const failure = (code: status, details: string) => expect.objectContaining({ code, details: expect.stringContaining(details) })

describe('KEDA\'s polling', () => {
  it('gets a spec of 1 as integer and as float, whether or not there is an opinion', async () => {
    const expected = { metricSpecs: [{ metricName: 'desired_replicas', targetSize: 1, targetSizeFloat: 1 }] }
    expect(await call('GetMetricSpec', reference())).toEqual(expected)
    fakes.down = true
    expect(await call('GetMetricSpec', reference({ service: 'unknown' }))).toEqual(expected)
  })

  it('gets the replicas as integer and as float', async () => {
    expect(await call('GetMetrics', { scaledObjectRef: reference(), metricName: 'desired_replicas' })).toEqual({ metricValues: [{ metricName: 'desired_replicas', metricValue: 14, metricValueFloat: 14 }] })
  })

  it('names the service in the metadata, or by the ScaledObject', async () => {
    fakes.decisions.set('mail', decisionOf('mail', { replicas: 3 }))
    const asked = await call('GetMetrics', { scaledObjectRef: reference({ service: 'mail' }), metricName: 'desired_replicas' })
    expect(asked.metricValues[0].metricValue).toBe(3)
  })

  it('is active while there are to be replicas', async () => {
    expect(await call('IsActive', reference())).toEqual({ result: true })
    fakes.decisions.set('shop', decisionOf('shop', { replicas: 0 }))
    expect(await call('IsActive', reference())).toEqual({ result: false })
  })

  it('fails, and never gets 0, where there is no opinion, no such service or no Redis', async () => {
    fakes.decisions.set('shop', decisionOf('shop', { validUntil: now }))
    const ask = (metadata = {}) => call('GetMetrics', { scaledObjectRef: reference(metadata), metricName: 'desired_replicas' })
    await expect(ask()).rejects.toEqual(failure(status.UNAVAILABLE, 'out of date'))
    await expect(call('IsActive', reference())).rejects.toEqual(failure(status.UNAVAILABLE, 'out of date'))
    await expect(ask({ service: 'nobody' })).rejects.toEqual(failure(status.NOT_FOUND, 'nobody is unknown'))
    await expect(ask({ service: 'a/b' })).rejects.toEqual(failure(status.INVALID_ARGUMENT, 'no name of a service'))
    await expect(call('GetMetrics', { scaledObjectRef: reference(), metricName: 'cpu' })).rejects.toEqual(failure(status.INVALID_ARGUMENT, 'no metric cpu'))
    await expect(call('GetMetrics', {})).rejects.toEqual(failure(status.INVALID_ARGUMENT, 'no name of a service'))
    fakes.down = true
    await expect(ask()).rejects.toEqual(failure(status.UNAVAILABLE, 'Redis does not answer'))
  })
})

describe('KEDA\'s push streams', () => {
  function follow (method: string, request: object) {
    const stream = client[method](request)
    const received: unknown[] = []
    const errors: unknown[] = []
    let ended = false
    stream.on('data', (message: unknown) => { received.push(message) })
    stream.on('error', (error: unknown) => { errors.push(error) })
    stream.on('end', () => { ended = true })
    return { stream, received, errors, ended: () => ended }
  }

  it('StreamIsActive sends the state at once, and again only when it changes', async () => {
    const { stream, received } = follow('StreamIsActive', reference())
    await until(() => received.length === 1)
    fakes.decisions.set('shop', decisionOf('shop', { replicas: 20 }))
    const before = fakes.reads
    await until(() => fakes.reads > before + 2)
    fakes.decisions.set('shop', decisionOf('shop', { replicas: 0 }))
    await until(() => received.length === 2)
    expect(received).toEqual([{ result: true }, { result: false }])
    stream.cancel()
  })

  it('StreamIsActive keeps silent without an opinion, and speaks when there is one', async () => {
    fakes.decisions.set('shop', decisionOf('shop', { validUntil: now }))
    const { stream, received, errors } = follow('StreamIsActive', reference())
    await until(() => fakes.reads > 3)
    expect({ received, errors }).toEqual({ received: [], errors: [] })
    fakes.decisions.set('shop', decisionOf('shop'))
    await until(() => received.length > 0)
    expect(received).toEqual([{ result: true }])
    stream.cancel()
  })

  it('StreamIsActive of an unknown service fails, so that a slip of the pen shows', async () => {
    const { errors } = follow('StreamIsActive', reference({ service: 'nobody' }))
    await until(() => errors.length > 0)
    expect(errors).toEqual([failure(status.NOT_FOUND, 'nobody is unknown')])
  })

  it('StreamMetricSpec sends the spec of GetMetricSpec, and stays open', async () => {
    const { stream, received, ended } = follow('StreamMetricSpec', reference())
    await until(() => received.length > 0)
    expect(received).toEqual([await call('GetMetricSpec', reference())])
    expect(ended()).toBe(false)
    stream.cancel()
  })

  it('nobody is read for any more when the caller has gone; closing ends what is open', async () => {
    const left = follow('StreamIsActive', reference())
    await until(() => left.received.length === 1)
    left.stream.cancel()
    await until(() => left.errors.length > 0)
    const open = follow('StreamIsActive', reference())
    await until(() => open.received.length === 1)
    await server.close()
    await until(() => open.ended())
    const { reads } = fakes
    await new Promise((resolve) => { setTimeout(resolve, 100) })
    expect(fakes.reads).toBe(reads)
  })
})

it('reads and writes the bytes that the contract says', async () => {
  // name = 1 "shop", scalerMetadata = 3 { service: shop }; answer: metricValues = 1 { metricName = 1, metricValue = 2, metricValueFloat = 3 }.
  const ref = Buffer.concat([bytes(1, 'whatever'), bytes(3, Buffer.concat([bytes(1, 'service'), bytes(2, 'shop')]))])
  const request = Buffer.concat([bytes(1, ref), bytes(2, 'desired_replicas')])
  const double = Buffer.alloc(8)
  double.writeDoubleLE(14)
  const value = Buffer.concat([bytes(1, 'desired_replicas'), varint(2 * 8), varint(14), varint(3 * 8 + 1), double])
  expect(await rawCall('/externalscaler.ExternalScaler/GetMetrics', request)).toEqual(bytes(1, value))
})

/** One message over plain HTTP/2: a zero byte, four bytes of length, the message. */
function rawCall (path: string, message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${server.port}`)
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' })
    const header = Buffer.alloc(5)
    header.writeUInt32BE(message.length, 1)
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    stream.on('error', reject)
    stream.on('end', () => {
      session.close()
      resolve(Buffer.concat(chunks).subarray(5))
    })
    stream.end(Buffer.concat([header, message]))
  })
}

it('kubelet\'s health probe sees whether it can serve', async () => {
  const health = open(HealthClient)
  expect(await call('check', { service: '' }, health)).toEqual({ status: 'SERVING' })
  expect(await call('check', { service: 'externalscaler.ExternalScaler' }, health)).toEqual({ status: 'SERVING' })
  await server.close()
  missing = ['Redis']
  await start()
  expect(await call('check', { service: '' }, open(HealthClient))).toEqual({ status: 'NOT_SERVING' })
})

it('reflection lists the service', async () => {
  const reflection = join(import.meta.dirname, '../../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto')
  const stream = open(load(reflection, 'grpc', 'reflection', 'v1', 'ServerReflection'))['ServerReflectionInfo']()
  const answer = await new Promise<any>((resolve, reject) => {
    stream.on('data', resolve).on('error', reject)
    stream.write({ listServices: '' })
  })
  expect(answer.listServicesResponse.service.map(({ name }: { name: string }) => name)).toContain('externalscaler.ExternalScaler')
  stream.end()
})

describe.skipIf(!haveOpenssl)('with TLS (needs openssl)', () => {
  let authority: ReturnType<typeof createAuthority>
  let issued: Issued
  beforeAll(() => {
    authority = createAuthority('test-ca')
    issued = authority.issue('prescale')
  })
  afterAll(() => authority.remove())

  it('answers those who trust its certificate', async () => {
    await server.close()
    await start({ cert: issued.certificate, key: issued.key })
    expect(await call('IsActive', reference(), open(ScalerClient, credentials.createSsl(authority.certificate)))).toEqual({ result: true })
    await expect(call('IsActive', reference(), open())).rejects.toEqual(failure(status.UNAVAILABLE, ''))
  })

  it('serves other certificates once it was given them', async () => {
    await server.close()
    await start({ cert: issued.certificate, key: issued.key })
    const other = createAuthority('other-ca')
    const callAs = (trusted: Buffer) => call('IsActive', reference(), open(ScalerClient, credentials.createSsl(trusted)))
    await expect(callAs(other.certificate)).rejects.toEqual(failure(status.UNAVAILABLE, ''))
    const { certificate: cert, key } = other.issue('prescale')
    server.setSecureContext({ cert, key })
    expect(await callAs(other.certificate)).toEqual({ result: true })
    await expect(callAs(authority.certificate)).rejects.toEqual(failure(status.UNAVAILABLE, ''))
    other.remove()
  })

  it('answers only those who show a certificate, if it is told to ask for one', async () => {
    await server.close()
    await start({ cert: issued.certificate, key: issued.key, ca: authority.certificate })
    const { certificate, key } = authority.issue('keda')
    expect(await call('IsActive', reference(), open(ScalerClient, credentials.createSsl(authority.certificate, key, certificate)))).toEqual({ result: true })
    await expect(call('IsActive', reference(), open(ScalerClient, credentials.createSsl(authority.certificate)))).rejects.toEqual(failure(status.UNAVAILABLE, ''))
  })
})
