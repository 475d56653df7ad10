import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/ports.ts'

const root = resolve(import.meta.dirname, '../..')
const missing = ['prometheus', 'prometheus-node-exporter', 'redis-server'].filter(program => spawnSync('which', [program]).status !== 0)

describe.skipIf(missing.length > 0)(`a real Prometheus that remote-writes a real node exporter (missing here: ${missing.join(', ') || 'nothing'})`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'prescale-e2e-'))
  const children: { name: string, child: ChildProcess, output: string }[] = []
  let api = ''

  function run (name: string, program: string, args: string[]) {
    const entry = { name, child: spawn(program, args, { cwd: folder, stdio: 'pipe' }), output: '' }
    for (const stream of [entry.child.stdout, entry.child.stderr]) stream?.on('data', chunk => { entry.output = (entry.output + chunk).slice(-20_000) })
    children.push(entry)
    return entry
  }
  const outputs = () => children.map(({ name, output }) => `--- ${name}\n${output.slice(-3000)}`).join('\n')
  const get = async (path: string) => {
    const response = await fetch(api + path)
    return { status: response.status, body: await response.json() as Record<string, unknown> }
  }

  async function ready () {
    for (let attempt = 0; attempt < 160; attempt++) {
      if (await fetch(`${api}/readyz`).then(({ ok }) => ok, () => false)) return
      await setTimeout(250)
    }
    throw new Error(`prescale did not get ready.\n${outputs()}`)
  }

  beforeAll(async () => {
    const [apiPort, exporterPort, prometheusPort] = [await freePort(), await freePort(), await freePort()]
    api = `http://127.0.0.1:${apiPort}`
    writeFileSync(join(folder, 'prescale.yaml'), `
listen: { port: ${apiPort} }
dataDirectory: ${join(folder, 'data')}
sources: { remoteWrite: { enabled: true } }
services:
  node: { match: { job: node }, signals: node-exporter, target: { cpuUsageRatio: 0.7 }, stepSeconds: 2, lateSeconds: 1 }
`)
    writeFileSync(join(folder, 'prometheus.yml'), `
global: { scrape_interval: 1s }
scrape_configs: [{ job_name: node, static_configs: [{ targets: ['127.0.0.1:${exporterPort}'] }] }]
remote_write:
  - url: ${api}/api/v1/write
    queue_config: { max_samples_per_send: 500, batch_send_deadline: 1s, min_backoff: 100ms, max_backoff: 2s, max_shards: 2 }
`)
    run('prescale', process.execPath, [join(root, 'dist/src/main.js'), 'start', '--config', 'prescale.yaml', '--no-demo'])
    run('node exporter', 'prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${exporterPort}`])
    run('prometheus', 'prometheus', ['--config.file=prometheus.yml', '--enable-feature=agent', '--storage.agent.path=wal', `--web.listen-address=127.0.0.1:${prometheusPort}`])
    await ready()
  }, 60_000)

  afterAll(async () => {
    for (const { child } of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  })

  it('leads to a decision that rests on the measured CPU, and to a verdict', async () => {
    await expect.poll(async () => (await get('/v1/services/node/decision')).status, { timeout: 60_000, interval: 500, message: outputs() }).toBe(200)
    const { body: decision } = await get('/v1/services/node/decision')
    expect(decision).toMatchObject({ service: 'node', source: expect.stringMatching(/^(forecast|reactive)$/) })
    expect(decision.replicas).toBeGreaterThanOrEqual(1)
    // Load is CPU ratio times ready replicas: one machine, never more than all of it.
    expect(decision.load).toBeGreaterThan(0)
    expect(decision.load).toBeLessThanOrEqual(1)
    expect(Date.now() - (decision.asOf as number)).toBeLessThan(30_000)
    expect((await get('/v1/services/node/verdict')).body).toMatchObject({ service: 'node', score: expect.any(Number) })
  })

  it('names the signals that are missing once the exporter is gone, and never takes them for zero', async () => {
    children.find(({ name }) => name === 'node exporter')!.child.kill('SIGKILL')
    await expect.poll(async () => (await get('/v1/services/node/decision')).body.missingSignals, { timeout: 30_000, interval: 500 })
      .toEqual(expect.arrayContaining(['cpuUsageRatio']))
    const { body: decision } = await get('/v1/services/node/decision')
    expect(decision).toMatchObject({ source: 'hold', load: null })
  })
})
