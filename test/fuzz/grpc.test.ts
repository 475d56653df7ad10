import { Client, credentials, status } from '@grpc/grpc-js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startExternalScaler, type ExternalScaler } from '../../src/api/external-scaler/server.ts'
import { configOf, createFakes, decisionOf, now } from '../api/support.ts'
import { bytes } from '../support/remote-write-encoder.ts'
import { damaged, longEnough, runs } from './fuzz.ts'

let server: ExternalScaler
let client: Client
beforeAll(async () => {
  const { fakes, stores } = createFakes()
  fakes.decisions.set('shop', decisionOf('shop'))
  server = await startExternalScaler({ host: '127.0.0.1', port: 0, tls: null, ...stores, config: () => configOf(''), now: () => now, missing: async () => [] })
  client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure())
})
afterAll(async () => {
  client.close()
  await server.close()
})

/** Sends bytes as they are; the code of the answer. */
function send (method: string, message: Buffer): Promise<status> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(`/externalscaler.ExternalScaler/${method}`, (content: Buffer) => content, (answer: Buffer) => answer, message, (error) => { resolve(error?.code ?? status.OK) })
  })
}
const reference = Buffer.concat([bytes(1, 'shop'), bytes(2, 'prod'), bytes(3, Buffer.concat([bytes(1, 'service'), bytes(2, 'shop')]))])
const requests: Record<string, Buffer> = { IsActive: reference, GetMetricSpec: reference, GetMetrics: Buffer.concat([bytes(1, reference), bytes(2, 'desired_replicas')]) }

describe.each(Object.keys(requests))('any bytes for %s', (method) => {
  test('are answered, and the next request is served', async () => {
    const content = fc.oneof(damaged(fc.constant(requests[method])), fc.uint8Array({ maxLength: 60 }).map((one) => Buffer.from(one)))
    await fc.assert(fc.asyncProperty(content, async (one) => {
      // grpc-js says INTERNAL of a message that is no protobuf; UNKNOWN would be an exception of ours.
      expect([status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND, status.INTERNAL]).toContain(await send(method, one))
    }), runs(1_000))
    expect(await send(method, requests[method])).toBe(status.OK)
  }, longEnough)
})

/** Sends bytes as they are to a call that answers for as long as it is open; OK once a first answer has come. */
function follow (method: string, message: Buffer): Promise<status> {
  return new Promise((resolve) => {
    const call = client.makeServerStreamRequest(`/externalscaler.ExternalScaler/${method}`, (content: Buffer) => content, (answer: Buffer) => answer, message)
    call.on('data', () => {
      resolve(status.OK)
      call.cancel()
    })
    call.on('error', ({ code }: { code?: status }) => { resolve(code ?? status.UNKNOWN) })
    call.on('end', () => { resolve(status.OK) })
  })
}

describe.each(['StreamIsActive', 'StreamMetricSpec'])('any bytes for %s', (method) => {
  test('are answered, and the next one is followed', async () => {
    const content = fc.oneof(damaged(fc.constant(reference)), fc.uint8Array({ maxLength: 60 }).map((one) => Buffer.from(one)))
    await fc.assert(fc.asyncProperty(content, async (one) => {
      expect([status.OK, status.INVALID_ARGUMENT, status.NOT_FOUND, status.INTERNAL]).toContain(await follow(method, one))
    }), runs(500))
    expect(await follow(method, reference)).toBe(status.OK)
  }, longEnough)
})
