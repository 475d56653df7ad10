import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/ports.ts'
import { until } from '../support/redis.ts'

const root = resolve(import.meta.dirname, '../..')
const missing = ['redis-server', 'kubectl', 'promtool', 'curl'].filter((program) => spawnSync('which', [program]).status !== 0)

describe.skipIf(missing.length > 0)(`the program itself, asked by every autoscaler (missing here: ${missing.join(', ') || 'nothing'})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'prescale-autoscalers-'))
  const received: Record<string, any>[] = []
  const receiver = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('end', () => {
      received.push(JSON.parse(text) as Record<string, any>)
      response.writeHead(204).end()
    })
  })
  let child: ChildProcess
  let output = ''
  let api = ''
  let ports: { http: number, grpc: number, kubernetes: number }
  let load = 100
  let sender: NodeJS.Timeout

  const run = async (program: string, args: string[], env: Record<string, string> = {}) => (await promisify(execFile)(program, args, { env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env } })).stdout.trim()

  beforeAll(async () => {
    await new Promise<void>((resolve) => { receiver.listen(0, '127.0.0.1', resolve) })
    ports = { http: await freePort(), grpc: await freePort(), kubernetes: await freePort() }
    api = `http://127.0.0.1:${ports.http}`
    writeFileSync(join(folder, 'prescale.yaml'), `
listen: { port: ${ports.http}, grpc: { port: ${ports.grpc} }, kubernetes: { port: ${ports.kubernetes} } }
dataDirectory: ${join(folder, 'data')}
push: { webhooks: [{ url: 'http://127.0.0.1:${(receiver.address() as AddressInfo).port}/', secret: 0123456789abcdef }] }
services:
  shop: { mode: act, target: { requestsPerSecond: 10, utilization: 1 }, stepSeconds: 1, maxReplicas: 100, startUpSeconds: 1 }
`)
    child = spawn(process.execPath, [join(root, 'dist/src/main.js'), 'start', '--config', 'prescale.yaml', '--no-demo'], { cwd: folder, stdio: 'pipe' })
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => { output = (output + String(chunk)).slice(-20_000) })
    const answers = (path: string) => fetch(api + path).then(({ ok }) => ok, () => false)
    await until(() => answers('/readyz'))
    sender = setInterval(() => {
      fetch(`${api}/v1/samples`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ service: 'shop', signals: { requestsPerSecond: load, readyReplicas: 10 } }) }).catch(() => {})
    }, 1000)
    await until(() => answers('/v1/services/shop/decision'))
  }, 90_000)
  afterAll(async () => {
    clearInterval(sender)
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    receiver.close()
    rmSync(folder, { recursive: true, force: true })
    expect(code).toBe(0)
  })

  it('gives all of them the same replicas', async () => {
    const answers = async () => {
      const decision = await (await fetch(`${api}/v1/services/shop/decision`)).json() as { replicas: number }
      const keda = await (await fetch(`${api}/v1/services/shop/keda`)).json() as { value: number }
      const raw = await run('kubectl', ['--server', `http://127.0.0.1:${ports.kubernetes}`, 'get', '--raw', '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/desired_replicas?labelSelector=service%3Dshop'])
      const external = JSON.parse(raw) as { items: [{ value: string }] }
      const prometheus = await run('promtool', ['query', 'instant', api, 'prescale_replicas{service="shop"}'])
      const group = await run('sh', [join(root, 'deploy/examples/cloud-group.sh'), 'aws', 'web', '--once'], { PRESCALE_URL: api, SERVICE: 'shop', MIN: '1', MAX: '100' })
      const [query, script] = [/=> (\d+) @/.exec(prometheus), /\(decided: (\d+)\)/.exec(group)].map((found) => Number(found?.[1]))
      const answers = [keda.value, Number(external.items[0].value), query, script, await grpcReplicas()]
      return answers.map((value) => value === decision.replicas)
    }
    // Between two questions the decision may change: they agree on one of the next tries.
    await expect.poll(answers, { timeout: 30_000, interval: 500 }).toEqual([true, true, true, true, true])
  })

  it('tells the webhook when the decision changes', async () => {
    load = 400
    await expect.poll(() => received.some(({ type, data }) => type === 'decision.changed' && data.service === 'shop' && data.to > data.from), { timeout: 30_000, interval: 250, message: output }).toBe(true)
  })

  async function grpcReplicas (): Promise<number> {
    const { externalscaler } = loadPackageDefinition(loadSync(join(root, 'test/api/external-scaler/externalscaler.proto'), { defaults: true, longs: Number })) as Record<string, any>
    const client = new (externalscaler.ExternalScaler as ServiceClientConstructor)(`127.0.0.1:${ports.grpc}`, credentials.createInsecure())
    try {
      return await new Promise<number>((resolve, reject) => {
        client['GetMetrics']({ scaledObjectRef: { name: 'shop', namespace: 'default', scalerMetadata: {} }, metricName: 'desired_replicas' }, (error: Error | null, response: any) => {
          if (error) reject(error)
          else resolve(response.metricValues[0].metricValueFloat as number)
        })
      })
    } finally {
      client.close()
    }
  }
})
