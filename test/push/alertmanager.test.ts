import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Severity } from '../../src/domain.ts'
import { createPush, type Push } from '../../src/push/push.ts'
import { createKeys } from '../../src/store/keys.ts'
import { createPushQueue, type PushQueue } from '../../src/store/push-queue.ts'
import type { RedisClient } from '../../src/store/redis.ts'
import { createTelemetry } from '../../src/telemetry.ts'
import { follow as incidentsOf, verdictOf } from '../support/incidents.ts'
import { freePort } from '../support/ports.ts'
import { randomPrefix, silent, startRedis, until, type TestRedis } from '../support/redis.ts'

const missing = ['redis-server', 'prometheus-alertmanager'].filter((program) => spawnSync('which', [program]).status !== 0)

describe.skipIf(missing.length > 0)(`a real Alertmanager (missing here: ${missing.join(', ') || 'nothing'})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'prescale-alertmanager-'))
  let alertmanager: ChildProcess
  let url = ''
  let server: TestRedis
  let redis: RedisClient
  let push: Push
  let queue: PushQueue
  const keys = createKeys({ prefix: randomPrefix(), partitions: 1 })

  beforeAll(async () => {
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    writeFileSync(join(folder, 'alertmanager.yml'), 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n')
    alertmanager = spawn('prometheus-alertmanager', ['--config.file=alertmanager.yml', '--storage.path=data', '--cluster.listen-address=', `--web.listen-address=127.0.0.1:${port}`], { cwd: folder, stdio: 'ignore' })
    server = await startRedis()
    const source = await server.open()
    redis = source.connect('request')
    queue = createPushQueue({ redis, keys })
    const target = { kind: 'alertmanager' as const, url, labels: { team: 'web' }, services: null, timeoutSeconds: 5, attempts: 6 }
    const telemetry = createTelemetry({ log: silent, processMetrics: false })
    push = createPush({ source, keys, config: () => ({ push: [target] }), pushQueue: queue, telemetry, now: Date.now, followMs: 50 })
    await until(async () => redis.status === 'ready' && await redis.exists(keys.pushCursor(0)) === 1)
    await until(() => fetch(`${url}/-/ready`).then(({ ok }) => ok, () => false))
  })
  afterAll(async () => {
    await push.close()
    await queue.close()
    await server.stop()
    alertmanager.kill()
    await once(alertmanager, 'exit')
    rmSync(folder, { recursive: true, force: true })
  })

  let incidents = incidentsOf([]).state
  /** As the worker commits it; the last one comes after a while without anomalies. */
  async function judged (severity: Severity, { afterMs = 0 } = {}): Promise<void> {
    const verdict = verdictOf(Date.now() + afterMs, severity)
    const { state, changes } = incidentsOf([verdict], incidents)
    incidents = state
    for (const event of [{ kind: 'verdict', verdict }, ...changes.map((change) => ({ kind: 'incident', ...change }))]) {
      await redis.xadd(keys.events(0), '*', 'service', 'shop', 'event', JSON.stringify(event))
    }
  }
  const alerts = async () => await (await fetch(`${url}/api/v2/alerts`)).json() as { labels: Record<string, string>, annotations: Record<string, string>, status: { state: string } }[]
  const severities = async () => (await alerts()).map(({ labels }) => labels['severity'])

  it('shows an incident, shows it as worse when it gets worse, and no more when it is over', async () => {
    await judged('medium')
    await until(async () => (await alerts()).length === 1)
    expect(await alerts()).toMatchObject([{
      labels: { alertname: 'PrescaleIncident', service: 'shop', severity: 'medium', team: 'web' }, annotations: { description: 'errorRatio is 0.2, usually at most 0.01' }, status: { state: 'active' }
    }])
    await judged('critical')
    await until(async () => (await severities()).join() === 'critical')
    await judged('none', { afterMs: 300_000 })
    await until(async () => (await alerts()).length === 0)
    expect(await queue.deadCount()).toBe(0)
  })
})
