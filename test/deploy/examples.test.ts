import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { resolveService } from '../../src/config.ts'
import { configOf, createTestApp, decisionOf, now } from '../api/support.ts'

const examples = resolve(import.meta.dirname, '../../deploy/examples')
const read = (name: string) => readFileSync(join(examples, name), 'utf8')

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => {
  test = await createTestApp()
  test.fakes.decisions.set('shop', decisionOf('shop'))
})
afterEach(() => test.close())

const haveCurl = spawnSync('curl', ['--version']).status === 0
describe.skipIf(!haveCurl)('cloud-group.sh (needs curl)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'prescale-cloud-'))
  afterAll(() => { rmSync(folder, { recursive: true, force: true }) })
  let url = ''
  beforeEach(async () => {
    await test.app.listen({ host: '127.0.0.1', port: 0 })
    url = `http://127.0.0.1:${(test.app.server.address() as AddressInfo).port}`
    writeFileSync(join(folder, 'calls'), '')
    for (const program of ['aws', 'gcloud', 'az']) {
      writeFileSync(join(folder, program), `#!/bin/sh\necho "${program} $*" >> ${folder}/calls\n`)
      chmodSync(join(folder, program), 0o755)
    }
  })
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trim()
  async function run (args: string[], more: Record<string, string> = {}): Promise<string> {
    const env = { PATH: `${folder}:${process.env['PATH']}`, PRESCALE_URL: url, SERVICE: 'shop', MIN: '2', MAX: '40', ...more }
    const { stdout } = await promisify(execFile)('sh', [join(examples, 'cloud-group.sh'), ...args, '--once'], { env })
    return stdout.trim().replace(/^\S+ /, '')
  }

  it('says what it would do, and does nothing, unless it is told to', async () => {
    expect(await run(['aws', 'web'])).toBe('would set aws group web to 14 (decided: 14); --apply does it')
    expect(calls()).toBe('')
  })

  it('sets the size in the words of each cloud', async () => {
    await run(['aws', 'web', '--apply'])
    await run(['gcp', 'web', '--apply'], { ZONE: 'europe-west3-a' })
    await run(['azure', 'web', '--apply'], { RESOURCE_GROUP: 'shop' })
    await run(['command', 'web', '--apply'], { SET_SIZE: 'aws anything' })
    expect(calls().split('\n')).toEqual([
      'aws autoscaling set-desired-capacity --auto-scaling-group-name web --desired-capacity 14',
      'gcloud compute instance-groups managed resize web --size 14 --quiet --zone europe-west3-a',
      'az vmss scale --resource-group shop --name web --new-capacity 14',
      'aws anything web 14'
    ])
  })

  it('stays within its own limits', async () => {
    expect(await run(['aws', 'web', '--apply'], { MAX: '10' })).toBe('set aws group web to 10 (decided: 14)')
    expect(await run(['aws', 'web', '--apply'], { MIN: '20' })).toBe('set aws group web to 20 (decided: 14)')
  })

  it('changes nothing without a valid decision, while nobody answers, and on any other answer', async () => {
    test.fakes.decisions.set('shop', decisionOf('shop', { validUntil: now }))
    expect(await run(['aws', 'web', '--apply'])).toMatch(/^nothing is changed: curl: .*503/)
    expect(await run(['aws', 'web', '--apply'], { PRESCALE_URL: 'http://127.0.0.1:1' })).toMatch(/^nothing is changed: curl: /)
    expect(await run(['aws', 'web', '--apply'], { SERVICE: 'shop/forecast?x=' })).toMatch(/^nothing is changed: /)
    expect(calls()).toBe('')
  })

  it('shows its token to us, and to no list of processes', async () => {
    const tokens: unknown[] = []
    await test.close()
    test = await createTestApp()
    test.fakes.decisions.set('shop', decisionOf('shop'))
    test.app.addHook('onRequest', async ({ headers }) => { tokens.push(headers.authorization) })
    await test.app.listen({ host: '127.0.0.1', port: 0 })
    url = `http://127.0.0.1:${(test.app.server.address() as AddressInfo).port}`
    writeFileSync(join(folder, 'token'), 'secret\n')
    expect(await run(['aws', 'web'], { TOKEN_FILE: join(folder, 'token') })).toContain('to 14')
    expect(tokens).toEqual(['Bearer secret'])
  })
})

it('nomad.hcl asks a query that we answer, in a window at steps of one second', async () => {
  const text = read('nomad.hcl')
  const query = /query\s+= "(.*)"/.exec(text)![1].replaceAll('\\"', '"')
  const parameters = new URLSearchParams({ query, start: String(now / 1000 - 60), end: String(now / 1000), step: '1' })
  const response = await test.app.inject({ method: 'POST', url: '/api/v1/query_range', payload: parameters.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  expect(response.json().data.result[0].values.at(-1)[1]).toBe('14')
})

it('datadog-wpa.yaml and custom-pod-autoscaler.yaml name addresses that answer', async () => {
  const { spec } = parse(read('datadog-wpa.yaml')) as Record<string, any>
  const wpa = await test.app.inject({ method: 'POST', url: new URL(spec.recommender.url).pathname, payload: { targetRef: { name: spec.scaleTargetRef.name }, settings: spec.recommender.settings } })
  expect(wpa.json().targetReplicas).toBe(14)
  const { evaluate: { http: { url, method } } } = parse(read('custom-pod-autoscaler.yaml')) as Record<string, any>
  const { pathname, search } = new URL(url)
  const cpa = await test.app.inject({ method, url: pathname + search, payload: Buffer.from('{"resource":{"metadata":{"name":"web"}},"metrics":[],"runType":"scaler"}') })
  expect(cpa.json()).toEqual({ targetReplicas: 14 })
})

it('push.yaml is valid', () => {
  expect(configOf(read('push.yaml')).push.map(({ kind }) => kind)).toEqual(['webhook', 'alertmanager'])
})

it('tuning.yaml is valid, and tunes each service in its own way', () => {
  const config = configOf(read('tuning.yaml'))
  expect([...config.services.keys()].map((service) => resolveService(service, null, config).policy.tuning)).toMatchObject([
    { mode: 'suggest', objective: { kind: 'reported' }, parameters: { length: 5 } },
    { mode: 'suggest', objective: { kind: 'preset' }, parameters: { length: 6 } },
    { mode: 'apply', objective: { kind: 'expression' }, furtherSignals: ['rowsPerSecond'] }
  ])
})
