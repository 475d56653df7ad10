import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PushTarget, WebhookTarget } from '../../src/config-adapters.ts'
import type { ServiceEvent } from '../../src/domain.ts'
import { createPush, type Push } from '../../src/push/push.ts'
import { webhookHeaders } from '../../src/push/webhook.ts'
import { createKeys, type Keys } from '../../src/store/keys.ts'
import { createPushQueue, type PushQueue } from '../../src/store/push-queue.ts'
import type { RedisClient, RedisSource } from '../../src/store/redis.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { call, createTestApp, decisionOf } from '../api/support.ts'
import { haveRedis, needsRedis, randomPrefix, silent, startRedis, until, type TestRedis } from '../support/redis.ts'

const secret = 'a secret of the tests'

/** Receives messages, and answers what the test wants. */
function createReceiver () {
  const received: { headers: IncomingHttpHeaders, text: string, body: Record<string, any>, url: string | undefined }[] = []
  const answers: number[] = []
  const server: Server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('end', () => {
      received.push({ headers: request.headers, text, body: JSON.parse(text) as Record<string, any>, url: request.url })
      response.writeHead(answers.shift() ?? 204, { location: '/elsewhere' }).end()
    })
  })
  const listen = () => new Promise<string>((resolve) => { server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)) })
  return { received, answers, listen, close: () => { server.close() } }
}

describe.skipIf(!haveRedis)(needsRedis('pushing'), () => {
  let server: TestRedis
  let source: RedisSource
  let redis: RedisClient
  let keys: Keys
  let queue: PushQueue
  let receiver: ReturnType<typeof createReceiver>
  let url = ''
  let targets: PushTarget[] = []
  const pushes: Push[] = []

  beforeAll(async () => {
    server = await startRedis()
    source = await server.open()
    redis = source.connect('request')
    await until(() => redis.status === 'ready')
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    keys = createKeys({ prefix: randomPrefix(), partitions: 2 })
    queue = createPushQueue({ redis, keys, backoffMs: 20 })
    receiver = createReceiver()
    url = await receiver.listen()
    targets = [webhook()]
  })
  afterEach(async () => {
    await Promise.all(pushes.splice(0).map((push) => push.close()))
    await queue.close()
    receiver.close()
  })

  const webhook = (more: Partial<WebhookTarget> = {}): WebhookTarget => ({
    kind: 'webhook', url: `${url}/hook?token=t`, secret, events: ['decision.changed', 'incident.opened', 'incident.closed'], services: null, timeoutSeconds: 2, attempts: 4, ...more
  })
  function start (): Push {
    const telemetry = createTelemetry({ log: silent, processMetrics: false })
    const push = createPush({ source, keys, config: () => ({ push: targets }), pushQueue: queue, telemetry, now: Date.now, followMs: 50 })
    pushes.push(push)
    return push
  }
  /** Waits until the followers have found their place, since what is past is not told. */
  async function started (): Promise<void> {
    await until(async () => (await Promise.all([0, 1].map((partition) => redis.exists(keys.pushCursor(partition))))).every((found) => found === 1))
  }
  async function happens (event: ServiceEvent): Promise<void> {
    const service = event.kind === 'decision' ? event.decision.service : 'none'
    await redis.xadd(keys.events(keys.partitionOf(service)), '*', 'service', service, 'event', JSON.stringify(event))
  }
  const decided = (asOf: number, replicas: number, service = 'shop'): ServiceEvent => ({ kind: 'decision', decision: decisionOf(service, { asOf, replicas }) })

  it('sends a signed message for what changes after it began, once, although two processes follow', async () => {
    await happens(decided(1, 1))
    await happens(decided(2, 2))
    start()
    start()
    await started()
    for (const [asOf, replicas] of [[3, 3], [4, 3], [5, 5], [6, 6]] as const) await happens(decided(asOf, replicas))
    await until(() => receiver.received.length >= 2)
    await new Promise((resolve) => { setTimeout(resolve, 300) })
    expect(receiver.received.map(({ body }) => [body['type'], body['data'].from, body['data'].to]).sort()).toEqual([['decision.changed', 3, 5], ['decision.changed', 5, 6]])
    const [{ headers, text }] = receiver.received
    const { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': signature } = headers as Record<string, string>
    expect(webhookHeaders({ secret, id, at: Number(seconds) * 1000, body: text })['webhook-signature']).toBe(signature)
  })

  it('tries again with the same id when the receiver is down, and gives up on what is refused', async () => {
    receiver.answers.push(503, 429, 200)
    start()
    await started()
    await happens(decided(1, 1))
    await happens(decided(2, 2))
    await until(() => receiver.received.length === 3)
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    receiver.answers.push(404)
    await happens(decided(3, 3))
    await until(async () => await queue.deadCount() === 1)
    expect(receiver.received).toHaveLength(4)
  })

  it('follows no redirect, which could lead anywhere', async () => {
    receiver.answers.push(302)
    start()
    await started()
    await happens(decided(1, 1))
    await happens(decided(2, 2))
    await until(async () => await queue.deadCount() === 1)
    expect(receiver.received.map(({ url: path }) => path)).toEqual(['/hook?token=t'])
  })

  it('puts what could not be delivered aside, where it can be seen without the address, and sent again', async () => {
    receiver.answers.push(500, 500, 500, 500)
    start()
    await started()
    await happens(decided(1, 1))
    await happens(decided(2, 2))
    await until(async () => await queue.deadCount() === 1)
    const test = await createTestApp('', { pushQueue: queue })
    const { body } = await call(test.app, 'GET', '/v1/push/dead-letters')
    expect(body).toMatchObject({ count: 1, deadLetters: [{ attempts: 4, reason: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/… answered 500\.$/), payload: { kind: 'decision.changed', to: 2 } }] })
    expect(JSON.stringify(body)).not.toContain('token')
    const { id } = body['deadLetters'][0] as { id: string }
    expect((await call(test.app, 'POST', `/v1/push/dead-letters/${id}/replay`)).status).toBe(202)
    await until(() => receiver.received.length === 5)
    await until(async () => await queue.deadCount() === 0)
    expect((await call(test.app, 'POST', `/v1/push/dead-letters/${id}/replay`)).status).toBe(404)
    await test.close()
  })

  it('goes on where it was after the process was killed, and tells what happened meanwhile', async () => {
    const first = start()
    await started()
    await happens(decided(1, 1))
    await until(async () => await redis.hexists(keys.pushStates(keys.partitionOf('shop')), 'shop') === 1)
    await first.close()
    await happens(decided(2, 7))
    start()
    await until(() => receiver.received.length === 1)
    expect(receiver.received[0].body['data']).toMatchObject({ from: 1, to: 7 })
  })

  it('begins when a reload brings the first target', async () => {
    targets = []
    const push = start()
    targets = [webhook()]
    push.apply()
    await started()
    await happens(decided(1, 1))
    await happens(decided(2, 2))
    await until(() => receiver.received.length === 1)
  })
})
