import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createKubernetesApp, type KubernetesTls } from '../../../src/api/kubernetes/app.ts'
import { parseLabelSelector, selects } from '../../../src/api/kubernetes/label-selector.ts'
import { toQuantity } from '../../../src/api/kubernetes/quantity.ts'
import { createTelemetry } from '../../../src/telemetry.ts'
import { createAuthority, haveOpenssl, type Issued } from '../../support/certificates.ts'
import { silent } from '../../support/redis.ts'
import { configOf, createFakes, decisionOf, now } from '../support.ts'

function createTest ({ tls = null, missing = [] as string[] }: { tls?: KubernetesTls | null, missing?: string[] } = {}) {
  const { fakes, stores } = createFakes()
  const telemetry = createTelemetry({ log: silent, processMetrics: false })
  const app = createKubernetesApp({ tls, decisions: stores.decisions, config: () => configOf(''), now: () => now, missing: async () => missing, telemetry })
  fakes.decisions.set('shop', decisionOf('shop'))
  fakes.decisions.set('mail', decisionOf('mail', { replicas: 3, capacity: 10.5 }))
  fakes.decisions.set('old', decisionOf('old', { validUntil: now }))
  return { app, fakes }
}

let test: ReturnType<typeof createTest>
beforeEach(() => { test = createTest() })
afterEach(() => test.app.close())

const external = '/apis/external.metrics.k8s.io/v1beta1/namespaces/prod'
const custom = '/apis/custom.metrics.k8s.io/v1beta2'

/** As client-go asks: it would rather have protobuf, and takes JSON. */
async function get (url: string) {
  const response = await test.app.inject({ method: 'GET', url, headers: { accept: 'application/vnd.kubernetes.protobuf, */*', 'user-agent': 'kube-controller-manager/v1.32.4' } })
  return { status: response.statusCode, type: response.headers['content-type'], body: response.json() as Record<string, any> }
}
const failure = (code: number, reason: string, message: string) => ({
  status: code, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason, code, message: expect.stringContaining(message) }
})

describe('external metrics', () => {
  it('gives HPA the replicas of the service that the selector names', async () => {
    expect(await get(`${external}/desired_replicas?labelSelector=service%3Dshop`)).toEqual({
      status: 200,
      type: expect.stringContaining('application/json'),
      body: {
        kind: 'ExternalMetricValueList',
        apiVersion: 'external.metrics.k8s.io/v1beta1',
        metadata: {},
        items: [{ metricName: 'desired_replicas', metricLabels: { service: 'shop' }, timestamp: '2026-11-20T11:59:30Z', value: '14' }]
      }
    })
  })

  it('gives fractions in thousandths, and of a forecast the quantile that is asked for', async () => {
    expect((await get(`${external}/capacity?labelSelector=service%3Dmail`)).body['items'][0].value).toBe('10500m')
    expect((await get(`${external}/forecast_load?labelSelector=quantile%3D0.95,service%3Dshop`)).body['items']).toMatchObject([{ value: '980', metricLabels: { quantile: '0.95' } }])
    expect(await get(`${external}/forecast_load?labelSelector=service%3Dshop`)).toMatchObject(failure(400, 'BadRequest', 'select one, as by quantile=0.95'))
  })

  it('refuses a selector that names no service, because HPA would add up the replicas of all', async () => {
    expect(await get(`${external}/desired_replicas`)).toMatchObject(failure(400, 'BadRequest', 'has to name the service'))
    expect(await get(`${external}/desired_replicas?labelSelector=service%21%3Dmail`)).toMatchObject(failure(400, 'BadRequest', 'has to name the service'))
  })

  it('has no opinion on a sum of which one part is missing', async () => {
    expect((await get(`${external}/desired_replicas?labelSelector=${encodeURIComponent('service in (shop, mail)')}`)).body['items']).toHaveLength(2)
    expect(await get(`${external}/desired_replicas?labelSelector=${encodeURIComponent('service in (shop,old)')}`)).toMatchObject(failure(503, 'ServiceUnavailable', 'no valid desired_replicas of old'))
  })

  it('answers with a Status for what is not there, not understood, and while Redis is away', async () => {
    expect(await get(`${external}/cpu?labelSelector=service%3Dshop`)).toMatchObject(failure(404, 'NotFound', 'could not find the metric cpu'))
    expect(await get(`${external}/load?labelSelector=service%3D%3D%3Dshop`)).toMatchObject(failure(400, 'BadRequest', 'unable to parse requirement'))
    expect(await get('/apis/metrics.k8s.io/v1beta1/nodes')).toMatchObject(failure(404, 'NotFound', 'could not find the requested resource'))
    test.fakes.down = true
    expect(await get(`${external}/load?labelSelector=service%3Dshop`)).toMatchObject(failure(503, 'ServiceUnavailable', 'Redis does not answer'))
  })
})

describe('custom metrics', () => {
  it('describe the object that bears the name of the service', async () => {
    expect((await get(`${custom}/namespaces/prod/deployments.apps/shop/desired_replicas`)).body).toEqual({
      kind: 'MetricValueList',
      apiVersion: 'custom.metrics.k8s.io/v1beta2',
      metadata: {},
      items: [{
        describedObject: { kind: 'Deployment', namespace: 'prod', name: 'shop', apiVersion: 'apps/v1' }, metric: { name: 'desired_replicas', selector: null }, timestamp: '2026-11-20T11:59:30Z', value: '14'
      }]
    })
  })

  it('may mean a service of another name, by the selector of the metric', async () => {
    const { body } = await get(`${custom}/namespaces/prod/services/frontend/load?metricLabelSelector=service%3Dshop`)
    expect(body['items']).toMatchObject([{ describedObject: { kind: 'Service', name: 'frontend', apiVersion: '/v1' }, metric: { selector: { matchExpressions: [{ key: 'service', operator: 'In', values: ['shop'] }] } }, value: '800' }])
  })

  it('are there for a namespace and for objects without one', async () => {
    expect((await get(`${custom}/namespaces/shop/metrics/load`)).body['items'][0].describedObject).toEqual({ kind: 'Namespace', name: 'shop', apiVersion: '/v1' })
    expect((await get(`${custom}/rollouts.argoproj.io/shop/load`)).body['items'][0].describedObject).toEqual({ kind: 'Rollout', name: 'shop', apiVersion: 'argoproj.io/v1' })
  })

  it('are not there for pods, of which we know nothing', async () => {
    expect(await get(`${custom}/namespaces/prod/pods/*/load?labelSelector=app%3Dshop`)).toMatchObject(failure(404, 'NotFound', 'not about single pods'))
    expect(await get(`${custom}/namespaces/prod/deployments.apps/*/load`)).toMatchObject(failure(400, 'BadRequest', 'name one object'))
  })
})

it('discovery lists the groups, their versions and their metrics', async () => {
  expect((await get('/apis')).body['groups'].map(({ preferredVersion }: any) => preferredVersion.groupVersion)).toEqual(['external.metrics.k8s.io/v1beta1', 'custom.metrics.k8s.io/v1beta2'])
  expect((await get('/apis/external.metrics.k8s.io')).body).toEqual({
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: 'external.metrics.k8s.io',
    versions: [{ groupVersion: 'external.metrics.k8s.io/v1beta1', version: 'v1beta1' }],
    preferredVersion: { groupVersion: 'external.metrics.k8s.io/v1beta1', version: 'v1beta1' }
  })
  expect((await get('/apis/external.metrics.k8s.io/v1beta1')).body['resources'][0]).toEqual({ name: 'desired_replicas', singularName: '', namespaced: true, kind: 'ExternalMetricValueList', verbs: ['get'] })
  expect((await get(custom)).body['resources'][0]).toMatchObject({ name: 'deployments.apps/desired_replicas', kind: 'MetricValueList' })
})

it('is ready when Redis is there', async () => {
  const waiting = createTest({ missing: ['Redis'] })
  expect((await waiting.app.inject('/readyz')).statusCode).toBe(503)
  expect((await test.app.inject('/readyz')).body).toBe('ok')
  await waiting.app.close()
})

describe('quantities', () => {
  it.each([[14, '14'], [0, '0'], [1.5, '1500m'], [0.0004, '0'], [-2.25, '-2250m'], [1e17, '100000000000000000']])('%d is %s', (value, text) => {
    expect(toQuantity(value)).toBe(text)
  })
})

describe('label selectors', () => {
  const labels = { service: 'shop', tier: 'front' }
  it.each([
    ['', true], ['service=shop', true], ['service==shop,tier = front', true], ['service!=shop', false], ['service in (a, shop)', true], ['tier notin (front)', false], ['tier', true], ['!tier', false], ['!zone', true], ['zone!=a', true], ['zone=a', false]
  ])('%s', (text, expected) => {
    expect(selects(parseLabelSelector(text), labels)).toBe(expected)
  })
})

const haveKubectl = spawnSync('kubectl', ['version', '--client']).status === 0
describe.skipIf(!haveKubectl)('the real kubectl (needs kubectl)', () => {
  let url = ''
  const home = mkdtempSync(join(tmpdir(), 'prescale-kubectl-'))
  afterAll(() => { rmSync(home, { recursive: true, force: true }) })
  beforeEach(async () => {
    await test.app.listen({ host: '127.0.0.1', port: 0 })
    url = `http://127.0.0.1:${(test.app.server.address() as AddressInfo).port}`
  })
  const kubectl = async (...args: string[]) => (await promisify(execFile)('kubectl', ['--server', url, '--cache-dir', home, ...args], { env: { PATH: process.env['PATH'] ?? '', HOME: home } })).stdout

  it('gets raw metrics, and shows our errors as those of a cluster', async () => {
    const list = JSON.parse(await kubectl('get', '--raw', `${external}/desired_replicas?labelSelector=service%3Dshop`)) as Record<string, any>
    expect(list['items'][0].value).toBe('14')
    await expect(kubectl('get', '--raw', `${external}/desired_replicas?labelSelector=service%3Dold`)).rejects.toThrow('Error from server (ServiceUnavailable): there is no valid desired_replicas of old now')
    await expect(kubectl('get', '--raw', `${external}/cpu?labelSelector=service%3Dshop`)).rejects.toThrow('Error from server (NotFound)')
  })

  it('discovers the groups and the resources', async () => {
    expect((await kubectl('api-versions')).trim().split('\n')).toEqual(['custom.metrics.k8s.io/v1beta2', 'external.metrics.k8s.io/v1beta1'])
    expect(await kubectl('api-resources', '--api-group=external.metrics.k8s.io')).toMatch(/desired_replicas +external\.metrics\.k8s\.io\/v1beta1 +true +ExternalMetricValueList/)
  })
})

describe.skipIf(!haveOpenssl)('served with TLS (needs openssl)', () => {
  let authority: ReturnType<typeof createAuthority>
  let stranger: ReturnType<typeof createAuthority>
  let server: Issued
  beforeAll(() => {
    authority = createAuthority('front-proxy-ca')
    stranger = createAuthority('somebody')
    server = stranger.issue('prescale')
  })
  afterAll(() => {
    authority.remove()
    stranger.remove()
  })

  async function ask (path: string, client?: Issued): Promise<number | undefined> {
    const { port } = secured.app.server.address() as AddressInfo
    return await new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, ca: stranger.certificate, cert: client?.certificate, key: client?.key, headers: { 'x-remote-user': 'system:admin' } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      }).on('error', reject).end()
    })
  }

  let secured: ReturnType<typeof createTest>
  beforeEach(async () => {
    secured = createTest({ tls: { cert: server.certificate, key: server.key, ca: authority.certificate, allowedNames: ['front-proxy-client'] } })
    await secured.app.listen({ host: '127.0.0.1', port: 0 })
  })
  afterEach(() => secured.app.close())

  it('answers only those who show a front-proxy certificate of an allowed name', async () => {
    const path = `${external}/desired_replicas?labelSelector=service%3Dshop`
    expect(await ask(path, authority.issue('front-proxy-client'))).toBe(200)
    expect(await ask(path, authority.issue('somebody-else'))).toBe(401)
    expect(await ask(path, stranger.issue('front-proxy-client'))).toBe(401)
    expect(await ask(path)).toBe(401)
    expect(await ask('/apis')).toBe(401)
  })

  it('lets kubelet ask for health without one', async () => {
    expect(await ask('/healthz')).toBe(200)
    expect(await ask('/readyz?verbose')).toBe(200)
  })
})
