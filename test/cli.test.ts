import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { runProgram, temporaryFolder } from './support/program.ts'

const folder = temporaryFolder('cli')
afterAll(folder.remove)
const run = (...args: string[]) => runProgram(args, { cwd: folder.path })
const write = (name: string, text: string) => { writeFileSync(join(folder.path, name), text) }

describe('prescale --help', () => {
  it('names every command, and each of them explains itself with examples', async () => {
    const { code, stdout } = await run('--help')
    expect(code).toBe(0)
    for (const command of ['start', 'check', 'train', 'replay', 'detect', 'services', 'models']) {
      expect(stdout).toContain(`  ${command} `)
      const help = await run(command, '--help')
      expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/Examples?:/) })
    }
  })

  it('shows what is possible after a slip', async () => {
    expect(await run('strat')).toMatchObject({ code: 1, stderr: expect.stringContaining('Did you mean start?') })
    expect(await run('start', '--port', '99999')).toMatchObject({ code: 1, stderr: expect.stringContaining('Expected a whole number from 0 to 65535.') })
    expect(await run('start', '--role', 'boss')).toMatchObject({ code: 1, stderr: expect.stringContaining('api, worker, all') })
  })
})

describe('prescale check', () => {
  it('is content with a valid file', async () => {
    write('good.yaml', 'services: { shop: { signals: http } }\nsources: { scrape: [{ url: "http://127.0.0.1:9100/metrics" }] }')
    expect(await run('check', '--config', 'good.yaml')).toMatchObject({
      code: 0, stdout: 'good.yaml is valid: 1 services, 1 exporters to scrape, 0 Prometheus servers to ask, remote write on.\n'
    })
  })

  it('lists every error at once with line, path, value and expectation', async () => {
    write('bad.yaml', 'partitions: 0\nservices:\n  shop:\n    signals: apache\n    maxReplica: 3\n')
    const { code, stderr } = await run('check', '--config', 'bad.yaml')
    expect(code).toBe(1)
    expect(stderr.split('\n').slice(0, -1)).toEqual([
      'bad.yaml has 3 errors.',
      '  bad.yaml:1:1 partitions is 0, expected a whole number from 1 to 256',
      expect.stringMatching(/^ {2}bad\.yaml:5:5 services\.shop\.maxReplica is 3, expected did you mean "maxReplicas"\?/),
      expect.stringMatching(/^ {2}bad\.yaml:4:5 services\.shop\.signals is "apache", expected a preset/)
    ])
  })

  it('gives line and column of what is not YAML, and says when there is no file', async () => {
    write('broken.yaml', 'services: { shop: {}\n')
    expect((await run('check', '--config', 'broken.yaml')).stderr).toMatch(/broken\.yaml:2:1: this is not YAML/)
    expect((await run('check', '--config', 'none.yaml')).stderr).toContain('none.yaml cannot be read: there is no such file.')
  })
})

let server: Server
afterEach(() => { server?.close() })
async function serve (status: number, body: unknown): Promise<string> {
  server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('prescale models', () => {
  const better = { forecasts: 200, rival: 'forecast 1', loss: 0.88, rivalLoss: 1 }
  const answer = {
    active: { forecast: 'forecast 1', anomaly: null },
    models: [{ name: 'forecast', version: '1', rows: 20_000 }, { name: 'anomaly', version: '1', rows: 300 }],
    learned: [{
      service: 'shop',
      models: [
        { version: 'local/1', life: 'active', rows: 4000, heldBack: better, live: { ...better, loss: 1.1 } },
        { version: 'local/2', life: 'shadow', rows: 4000, heldBack: { ...better, rival: 'local/1' }, live: { forecasts: 0, rival: 'local/1', loss: 0, rivalLoss: 0 } }
      ]
    }]
  }

  it('says what an address looks like', async () => {
    expect(await run('models', '--url', 'nowhere')).toMatchObject({ code: 1, stderr: 'prescale: --url is "nowhere", expected an address such as http://127.0.0.1:8080\n' })
  })

  it('shows those of all services and those of single ones with how they do, or JSON for programs', async () => {
    const url = await serve(200, answer)
    expect((await run('models', '--url', url)).stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['SERVICE', 'MODEL', 'LIFE', 'ROWS', 'BEFORE', 'LIVE'],
      ['all', 'forecast 1', 'active', '20000', '-', '-'],
      ['all', 'anomaly 1', 'not in use', '300', '-', '-'],
      ['shop', 'local/1', 'active', '4000', '-12 % loss against forecast 1 (200)', '+10 % loss against forecast 1 (200)'],
      ['shop', 'local/2', 'shadow', '4000', '-12 % loss against local/1 (200)', 'not compared yet'],
      ['']
    ])
    expect(JSON.parse((await run('models', '--url', url, '--json')).stdout)).toEqual(answer)
  })
})

describe('prescale services', () => {
  const services = [
    { service: 'demo-shop', asOf: Date.now(), demo: true, saved: { since: 0, instanceHours: 1.25, violationMinutes: -0.5 }, decision: { mode: 'advise', asOf: 1, validUntil: Date.now() + 1e6, replicas: 14, currentReplicas: 12, source: 'forecast' }, verdict: { asOf: 1, score: 0.123, isAnomaly: false, severity: 'none' } },
    { service: 'new', asOf: 0, decision: null, verdict: null },
    { service: 'shop', asOf: null, decision: null, verdict: null }
  ]

  it('shows a table, or JSON for programs', async () => {
    const url = await serve(200, { services })
    const { stdout } = await run('services', '--url', url)
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['SERVICE', 'REPLICAS', 'NOW', 'SOURCE', 'SCORE', 'SEVERITY', 'SAVED', 'AGE'],
      ['demo-shop (demo)', '14', '12', 'forecast (advise)', '0.12', 'none', '+1.3 h, -0.5 min', expect.stringMatching(/^\d+ s$/)],
      ['new', '-', '-', '-', '-', '-', '-', '-'],
      ['shop', '-', '-', '-', '-', '-', '-', '-'],
      ['']
    ])
    expect(JSON.parse((await run('services', '--url', url, '--json')).stdout)).toEqual(services)
  })

  it('says in one line when nobody answers, or not well', async () => {
    expect(await run('services', '--url', 'http://127.0.0.1:1')).toMatchObject({ code: 1, stderr: 'prescale: http://127.0.0.1:1/v1/services does not answer; is prescale running there? --url names another address.\n' })
    const url = await serve(503, { detail: 'Redis does not answer.' })
    expect(await run('services', '--url', url)).toMatchObject({ code: 1, stderr: `prescale: ${url}/v1/services answers 503: Redis does not answer.\n` })
  })
})

describe('the tools for your own history', () => {
  const day = 1440
  const load = (minute: number) => Math.round(500 + 300 * Math.sin(2 * Math.PI * minute / day))
  const trace = ['at,requestsPerSecond', ...Array.from({ length: 2 * day }, (_, i) => `${1_767_571_200 + 60 * i},${load(i)}`)].join('\n') + '\n'
  const lines = (name: string) => readFileSync(join(folder.path, name), 'utf8').trim().split('\n')

  it('train, then replay with what was trained', { timeout: 60_000 }, async () => {
    write('trace.csv', trace)
    const trained = await run('train', '--data', 'trace.csv', '--only', 'forecast', '--rows', '300', '--trees', '4', '--threads', '1', '--out', 'models', '--json')
    expect(trained).toMatchObject({ code: 0 })
    expect(JSON.parse(trained.stdout)).toMatchObject([{ name: 'forecast', version: '1' }])

    const replayed = await run('replay', '--trace', 'trace.csv', '--model', 'models', '--out', 'decisions.csv')
    expect(replayed).toMatchObject({ code: 0, stdout: `decisions.csv: ${2 * day} decisions\n` })
    const [header, ...rows] = lines('decisions.csv')
    expect(header).toBe('at,replicas,source,forecast,reason')
    expect(rows).toHaveLength(2 * day)
    expect(rows.at(-1)).toMatch(/^\d+,\d+,forecast,[\d.]+,\S/)

    // A single version can be named by its own folder.
    expect(await run('replay', '--trace', 'trace.csv', '--model', 'models/forecast/1', '--out', 'again.csv')).toMatchObject({ code: 0 })
    expect(lines('again.csv')).toEqual(lines('decisions.csv'))
  })

  it('detect', { timeout: 60_000 }, async () => {
    // Minute 900 is far from anything before.
    const rows = Array.from({ length: 1000 }, (_, i) => `${1_767_571_200 + 60 * i},${i === 900 ? 5000 : load(i) + i % 7},0`)
    write('signals.csv', ['timestamp,requests,label', ...rows].join('\n') + '\n')
    expect(await run('detect', '--data', 'signals.csv', '--train-rows', '600', '--out', 'verdicts.csv')).toMatchObject({ code: 0 })
    const [header, ...verdicts] = lines('verdicts.csv')
    expect(header).toMatch(/^row,score,threshold,isAnomaly,severity,causes,/)
    expect(verdicts).toHaveLength(1000)
    expect(verdicts[900]).toMatch(/^900,0\.[5-9]\d*,[\d.]+,1,(high|critical),.*requests/)
  })

  it('say in one line what they miss', async () => {
    expect(await run('train')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^prescale: Either data or a Prometheus server is needed.*\n$/) })
    expect(await run('train', '--prometheus', 'http://127.0.0.1:1', '--query', 'nonsense')).toMatchObject({ code: 1, stderr: expect.stringContaining('Expected a signal, "=", and a PromQL query.') })
    expect(await run('replay', '--trace', 'none.csv', '--train-rows', '1', '--out', 'x.csv')).toMatchObject({ code: 1, stderr: 'prescale: none.csv: there is no such file.\n' })
    expect(await run('replay', '--trace', 'trace.csv', '--min', '5', '--max', '2', '--out', 'x.csv')).toMatchObject({ code: 1, stderr: 'prescale: --min is 5 and --max is 2; --min must not be above --max.\n' })
    expect(await run('replay', '--trace', 'trace.csv', '--capacity', '0', '--out', 'x.csv')).toMatchObject({ code: 1, stderr: expect.stringContaining('a number above 0') })
    write('milliseconds.csv', 'at,requestsPerSecond\n1767571200000,100\n')
    expect(await run('replay', '--trace', 'milliseconds.csv', '--train-rows', '1', '--out', 'x.csv')).toMatchObject({ code: 1, stderr: expect.stringContaining('these look like milliseconds') })
    expect(existsSync(join(folder.path, 'x.csv'))).toBe(false)
    expect(await run('replay', '--trace', 'trace.csv', '--model', '.', '--out', 'x.csv')).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no model forecast') })
    expect(await run('detect', '--out', 'x.csv')).toMatchObject({ code: 1, stderr: expect.stringContaining('--data') })
  })
})
