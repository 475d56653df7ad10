import { execFile, spawnSync } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Decision } from '../../../src/domain.ts'
import { createTestApp, decisionOf, now } from '../support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => {
  test = await createTestApp()
  add('shop')
})
afterEach(() => test.close())

function add (service: string, more: Partial<Decision> = {}): void {
  const decision = decisionOf(service, more)
  test.fakes.decisions.set(service, decision)
  test.fakes.history.set(service, [decision])
  const { asOf, validUntil, replicas, currentReplicas, source } = decision
  test.fakes.summaries.push({ service, asOf, decision: { mode: 'act', asOf, validUntil, replicas, currentReplicas, source }, verdict: null })
}

async function get (path: string, parameters: Record<string, string> = {}) {
  const response = await test.app.inject({ method: 'GET', url: `${path}?${new URLSearchParams(parameters)}` })
  return { status: response.statusCode, body: response.json() as Record<string, any> }
}
async function post (path: string, form: string) {
  const response = await test.app.inject({ method: 'POST', url: path, payload: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  return { status: response.statusCode, body: response.json() as Record<string, any> }
}
const seconds = now / 1000
const query = (text: string, more: Record<string, string> = {}) => get('/api/v1/query', { query: text, ...more })
const error = (type: string, text: string) => ({ status: 'error', errorType: type, error: expect.stringContaining(text) })

describe('KEDA\'s prometheus trigger', () => {
  const asKeda = (name: string) => test.app.inject({
    method: 'GET',
    url: `/api/v1/query?query=prescale_replicas%7Bservice%3D%22${name}%22%7D&time=2026-11-20T12:00:00Z`,
    headers: { 'user-agent': 'Go-http-client/1.1', 'accept-encoding': 'gzip' }
  })

  it('gets a vector of one series whose value is text', async () => {
    const response = await asKeda('shop')
    expect(response.statusCode).toBe(200)
    expect(response.json()).toEqual({
      status: 'success', data: { resultType: 'vector', result: [{ metric: { __name__: 'prescale_replicas', service: 'shop' }, value: [seconds, '14'] }] }
    })
  })

  it('gets 503, and never the empty vector that it would take for 0, when there is no opinion', async () => {
    add('old', { asOf: now - 600_000, validUntil: now - 1 })
    for (const name of ['old', 'unknown']) {
      const response = await asKeda(name)
      expect({ status: response.statusCode, body: response.json() }).toEqual({ status: 503, body: error('unavailable', `no valid prescale_replicas of ${name}`) })
    }
  })

  it('gets 503 while Redis is away', async () => {
    test.fakes.down = true
    expect(await query('prescale_replicas{service="shop"}')).toEqual({ status: 503, body: error('unavailable', 'Redis does not answer') })
  })

  it('gets no sum of those services that have an opinion when one has none', async () => {
    add('old', { validUntil: now - 1 })
    expect(await query('sum(prescale_replicas)')).toEqual({ status: 503, body: error('unavailable', 'of old') })
    expect((await query('sum(prescale_replicas{service!="old"})')).body['data'].result).toEqual([{ metric: {}, value: [seconds, '14'] }])
  })
})

describe('Grafana', () => {
  it('finds the data source healthy by 1+1, sent as a form', async () => {
    expect(await post('/api/v1/query', `query=1%2B1&time=${seconds}`)).toEqual({ status: 200, body: { status: 'success', data: { resultType: 'scalar', result: [seconds, '2'] } } })
  })

  it('draws the past from the decisions of the past, with gaps where none was valid', async () => {
    // Decided at −300 s (valid 60 s), at −120 s and at −30 s; asked every minute from −300 s on.
    const history = [decisionOf('shop'), decisionOf('shop', { asOf: now - 120_000, validUntil: now + 60_000, replicas: 12 }), decisionOf('shop', { asOf: now - 300_000, validUntil: now - 240_000, replicas: 9 })]
    test.fakes.history.set('shop', history)
    const { body } = await post('/api/v1/query_range', `query=prescale_replicas&start=${seconds - 300}&end=${seconds}&step=60`)
    expect(body['data']).toEqual({
      resultType: 'matrix',
      result: [{ metric: { __name__: 'prescale_replicas', service: 'shop' }, values: [[seconds - 300, '9'], [seconds - 120, '12'], [seconds - 60, '12'], [seconds, '14']] }]
    })
  })

  it('fills its variables from labels, values and series', async () => {
    add('mail', { forecast: null, load: null, capacity: null })
    expect((await get('/api/v1/labels')).body['data']).toEqual(['__name__', 'quantile', 'service'])
    expect((await get('/api/v1/label/service/values')).body['data']).toEqual(['mail', 'shop'])
    expect((await get('/api/v1/label/__name__/values')).body['data']).toContain('prescale_forecast')
    expect((await get('/api/v1/label/quantile/values', { 'match[]': '{service="shop"}' })).body['data']).toEqual(['0.5', '0.95'])
    expect((await get('/api/v1/series', { 'match[]': '{service="mail"}' })).body['data']).toEqual([{ __name__: 'prescale_replicas', service: 'mail' }])
    expect((await get('/api/v1/metadata', { metric: 'prescale_load' })).body['data']).toEqual({ prescale_load: [{ type: 'gauge', help: expect.any(String), unit: '' }] })
  })
})

it('Nomad\'s Prometheus APM gets a range at steps of one second, and 503 when all of it is a gap that reaches the present', async () => {
  const range = (service: string) => get('/api/v1/query_range', { query: `prescale_replicas{service="${service}"}`, start: String(seconds - 5), end: String(seconds), step: '1' })
  expect((await range('shop')).body['data'].result[0].values).toHaveLength(6)
  add('old', { asOf: now - 600_000, validUntil: now - 60_000 })
  expect(await range('old')).toEqual({ status: 503, body: error('unavailable', 'of old') })
})

describe('every series', () => {
  it('shows what the decision and the verdict say', async () => {
    test.fakes.verdicts.set('shop', {
      service: 'shop', asOf: now - 30_000, score: 0.25, threshold: 0.5, isAnomaly: false, severity: 'none', causes: [], missingSignals: [], modelVersion: '1', maintenance: { action: 'no_action_needed', probability: 0, reason: '' }
    })
    const { body } = await query('{__name__=~"prescale_.+",service="shop"}')
    expect(body['data'].result.map(({ metric: { __name__: name, quantile }, value }: any) => [name, quantile, value[1]])).toEqual([
      ['prescale_replicas', undefined, '14'], ['prescale_forecast', '0.5', '850'], ['prescale_forecast', '0.95', '980'], ['prescale_load', undefined, '800'], ['prescale_capacity', undefined, '70'], ['prescale_anomaly_score', undefined, '0.25'], ['prescale_incident_open', undefined, '0']
    ])
  })

  it('of the past shows how anomalous it was, and while an incident was open', async () => {
    const judged = (secondsAgo: number, score: number, incident?: string) => ({ asOf: now - secondsAgo * 1000, score, threshold: 0.5, isAnomaly: score > 0.5, severity: 'none' as const, ...(incident && { incident }) })
    test.fakes.pastVerdicts.set('shop', [judged(30, 0.25), judged(90, 0.25, 'shop.1'), judged(150, 0.9, 'shop.1'), judged(210, 0.1)])
    test.fakes.verdicts.set('shop', { service: 'shop', causes: [], missingSignals: [], modelVersion: '1', maintenance: { action: 'no_action_needed', probability: 0, reason: '' }, ...judged(30, 0.25), incident: null })
    const range = async (name: string) => {
      const { body } = await get('/api/v1/query_range', { query: `${name}{service="shop"}`, start: String(seconds - 210), end: String(seconds), step: '60' })
      return body['data'].result[0].values.map(([, value]: [number, string]) => value)
    }
    expect(await range('prescale_anomaly_score')).toEqual(['0.1', '0.9', '0.25', '0.25'])
    expect(await range('prescale_incident_open')).toEqual(['0', '1', '1', '0'])
  })

  it('of drift names the signal', async () => {
    const drift = { score: 0.02, signals: [{ signal: 'cpuUsageRatio', index: 0.3 }], reason: null }
    test.fakes.verdicts.set('shop', {
      service: 'shop', asOf: now - 30_000, score: 0.25, threshold: 0.5, isAnomaly: false, severity: 'none', causes: [], missingSignals: [], modelVersion: '1', maintenance: { action: 'no_action_needed', probability: 0, reason: '' }, drift
    })
    const { body } = await query('prescale_drift{service="shop"}')
    expect(body['data'].result.map(({ metric, value }: any) => [metric.signal, value[1]])).toEqual([['score', '0.02'], ['cpuUsageRatio', '0.3']])
  })

  it('of a demonstration says that it is one', async () => {
    add('demo-shop', { demo: true })
    expect((await query('prescale_replicas{service="demo-shop"}')).body['data'].result[0].metric).toEqual({ __name__: 'prescale_replicas', service: 'demo-shop', demo: 'true' })
  })

  it('is missing where nothing is known, and empty only where no series fits', async () => {
    add('mail', { capacity: null })
    expect(await query('prescale_capacity{service="mail"}')).toEqual({ status: 503, body: error('unavailable', 'prescale_capacity of mail') })
    expect((await query('prescale_replicas{service=~"nobody.*"}')).body['data']).toEqual({ resultType: 'vector', result: [] })
  })
})

describe('errors', () => {
  it.each([
    ['/api/v1/query', { query: 'rate(prescale_load[5m])' }, 'not supported'],
    ['/api/v1/query', {}, 'no expression'],
    ['/api/v1/query', { query: '1', time: 'yesterday' }, 'invalid parameter "time"'],
    ['/api/v1/query_range', { query: '1', start: '1', end: '2' }, 'invalid parameter "step"'],
    ['/api/v1/query_range', { query: '1', start: '2', end: '1', step: '1' }, 'invalid parameter "end"'],
    ['/api/v1/query_range', { query: '1', start: '0', end: '11000', step: '1' }, 'exceeded maximum resolution of 11000'],
    ['/api/v1/series', {}, 'no match[]']
  ])('%s %o is bad_data', async (path, parameters, text) => {
    expect(await get(path, parameters as Record<string, string>)).toEqual({ status: 400, body: error('bad_data', text) })
  })
})

const havePromtool = spawnSync('promtool', ['--version']).status === 0
describe.skipIf(!havePromtool)('the real promtool (needs promtool, of the package prometheus)', () => {
  const promtool = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)('promtool', ['query', ...args])
    return stdout.trim()
  }

  it('queries an instant, a range, series and labels', async () => {
    await test.app.listen({ host: '127.0.0.1', port: 0 })
    const url = `http://127.0.0.1:${(test.app.server.address() as AddressInfo).port}`
    const time = new Date(now).toISOString()
    expect(await promtool('instant', `--time=${time}`, url, 'prescale_replicas{service="shop"}')).toBe(`prescale_replicas{service="shop"} => 14 @[${seconds}]`)
    expect(await promtool('instant', `--time=${time}`, url, '1+1')).toContain('2')
    expect(await promtool('range', `--start=${seconds - 20}`, `--end=${seconds}`, '--step=10s', url, 'max(prescale_forecast)')).toBe(`{} =>\n980 @[${seconds - 20}]\n980 @[${seconds - 10}]\n980 @[${seconds}]`)
    expect(await promtool('series', '--match=prescale_load', url)).toBe('{__name__="prescale_load", service="shop"}')
    expect(await promtool('labels', url, 'service')).toBe('shop')
    await expect(promtool('instant', `--time=${time}`, url, 'prescale_replicas{service="none"}')).rejects.toThrow('no opinion')
  })
})
