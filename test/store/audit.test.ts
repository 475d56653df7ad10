import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { verifyChain } from '../../src/chain.ts'
import { createWorker } from '../../src/worker.ts'
import { createAuditLog } from '../../src/store/audit-log.ts'
import { createDecisionStore } from '../../src/store/decision-store.ts'
import { createKeys } from '../../src/store/keys.ts'
import type { RedisClient, RedisSource } from '../../src/store/redis.ts'
import { createSampleQueue } from '../../src/store/sample-queue.ts'
import { createStateStore } from '../../src/store/state-store.ts'
import { createTargetStore } from '../../src/store/target-store.ts'
import { openSigningKey } from '../../src/store/signing-key.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { haveRedis, needsRedis, randomPrefix, silent, startRedis, until, type TestRedis } from '../support/redis.ts'
import { noModels, resolved, sample } from '../support/worker.ts'

describe.skipIf(!haveRedis)(needsRedis('what can be checked later'), () => {
  let server: TestRedis
  let source: RedisSource
  let redis: RedisClient
  beforeAll(async () => {
    server = await startRedis()
    source = await server.open()
    redis = source.connect('request')
  })
  afterAll(() => server.stop())

  it('lists the audit from the newest line on, page by page', async () => {
    const log = createAuditLog({ redis, keys: createKeys({ prefix: randomPrefix() }) })
    for (const at of [1, 2, 3]) await log.append({ at, who: 'a', by: 'token', action: 'x' })
    const newest = await log.list({ limit: 2 })
    expect(newest.map(({ at }) => at)).toEqual([3, 2])
    expect((await log.list({ limit: 2, before: newest[1].id })).map(({ at }) => at)).toEqual([1])
  })

  it('keeps exporters that were added over HTTP', async () => {
    const targets = createTargetStore({ redis, keys: createKeys({ prefix: randomPrefix() }) })
    await targets.put('b', { url: 'http://b/' })
    await targets.put('a', { url: 'http://a/' })
    expect(await targets.list()).toEqual([{ name: 'a', target: { url: 'http://a/' } }, { name: 'b', target: { url: 'http://b/' } }])
    expect([await targets.remove('a'), await targets.remove('a')]).toEqual([true, false])
  })

  it('links all decisions of a service, over batches, restarts of the worker, and what is no longer kept; a service that was forgotten begins anew', async () => {
    const keys = createKeys({ prefix: randomPrefix(), partitions: 2 })
    const telemetry = createTelemetry({ log: silent, processMetrics: false })
    const queue = createSampleQueue({ redis, keys })
    const decisions = createDecisionStore({ redis, keys })
    const oldestFirst = async () => (await decisions.history('shop', { limit: 1000 })).reverse()
    const work = async (from: number, to: number) => {
      const worker = createWorker({ source, keys, telemetry, models: () => noModels, resolve: () => resolved, historyLimit: 200 })
      await queue.enqueue([{ kind: 'samples', service: 'shop', samples: Array.from({ length: to - from + 1 }, (_, i) => sample('shop', from + i)) }])
      await until(async () => (await decisions.latest('shop'))?.asOf === to)
      await worker.close()
    }
    await work(1, 150)
    expect(verifyChain(await oldestFirst())).toMatchObject({ status: 'intact', links: 150 })
    await work(151, 300)
    const kept = await oldestFirst()
    const head = (await decisions.latest('shop'))!.hash!
    expect(kept[0].asOf).toBe(101)
    expect(verifyChain(kept)).toEqual({ status: 'intact', links: 200, head })
    expect(await decisions.heads()).toEqual([{ service: 'shop', asOf: 300, hash: head }])
    expect((await decisions.history('shop', { limit: 2, offset: 3 })).map(({ asOf }) => asOf)).toEqual([297, 296])

    // Somebody changes the past in Redis itself: 40 from the end is the record of sample 261.
    const record = JSON.parse((await redis.lindex(keys.history('shop'), 39))!) as object
    await redis.lset(keys.history('shop'), 39, JSON.stringify({ ...record, replicas: 1000 }))
    expect(verifyChain(await oldestFirst())).toMatchObject({ status: 'broken', index: 160 })

    await createStateStore({ redis, keys }).remove('shop')
    await work(301, 310)
    expect((await oldestFirst())[0].previousHash).toBeNull()
    expect(verifyChain(await oldestFirst())).toMatchObject({ status: 'intact', links: 10 })
  })
})

describe('the key that signs checkpoints', () => {
  const folder = mkdtempSync(join(tmpdir(), 'prescale-key-'))
  afterAll(() => { rmSync(folder, { recursive: true }) })

  test('is made once, in a file that only its owner can read', () => {
    const directory = join(folder, 'new')
    const first = openSigningKey(directory)
    expect(statSync(join(directory, 'audit-key.pem')).mode & 0o777).toBe(0o600)
    expect(openSigningKey(directory).publicKey.equals(first.publicKey)).toBe(true)
  })

  test('that is none is an error with its path and nothing of what the file holds', () => {
    writeFileSync(join(folder, 'audit-key.pem'), 'top secret')
    expect(() => openSigningKey(folder)).toThrow(expect.objectContaining({ code: 'not-ready', message: expect.not.stringContaining('top secret') }))
  })
})
