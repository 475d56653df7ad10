import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { parseAllDocuments } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKubernetesApp } from '../../src/api/kubernetes/app.ts'
import { configOf, createFakes, createTestApp, decisionOf, now } from '../api/support.ts'

type Item = Record<string, any>
const root = resolve(import.meta.dirname, '../../deploy/kubernetes')
const overlays = ['base', 'external-scaler', 'external-metrics']
const documents = (text: string): Item[] => parseAllDocuments(text).map((document) => {
  expect(document.errors).toEqual([])
  return document.toJS() as Item
})
const manifests = readdirSync(join(root, 'autoscalers')).map((name) => ({ name, text: readFileSync(join(root, 'autoscalers', name), 'utf8') }))
const autoscalers = manifests.flatMap(({ name, text }) => documents(text).map((item) => ({ name, item })))

const haveKubectl = spawnSync('kubectl', ['version', '--client']).status === 0
const render = (overlay: string) => documents(execFileSync('kubectl', ['kustomize', join(root, overlay)], { encoding: 'utf8', stdio: 'pipe' }))

describe.skipIf(!haveKubectl)('what kubectl makes of deploy/kubernetes (needs kubectl)', () => {
  let server: Server
  const home = mkdtempSync(join(tmpdir(), 'prescale-kubectl-'))
  const plural = (kind: string) => kind.endsWith('y') ? `${kind.slice(0, -1).toLowerCase()}ies` : `${kind.toLowerCase()}s`
  beforeAll(async () => {
    // A cluster that knows exactly the kinds that are used, and nothing else.
    const kinds = new Map<string, Set<string>>()
    for (const { apiVersion, kind } of [...overlays.flatMap(render), ...autoscalers.map(({ item }) => item)]) {
      kinds.set(apiVersion, (kinds.get(apiVersion) ?? new Set()).add(kind))
    }
    const groups = [...kinds.keys()].filter((version) => version !== 'v1').map((groupVersion) => ({ name: groupVersion.split('/')[0], versions: [{ groupVersion, version: groupVersion.split('/')[1] }], preferredVersion: { groupVersion, version: groupVersion.split('/')[1] } }))
    const resources = (groupVersion: string) => ({
      kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [...kinds.get(groupVersion) ?? []].map((kind) => ({ name: plural(kind), singularName: kind.toLowerCase(), namespaced: !/^(Namespace|APIService|Cluster.*)$/.test(kind), kind, verbs: ['create', 'get'] }))
    })
    server = createServer(({ url = '' }, response) => {
      const path = url.split('?')[0]
      const body = path === '/api' ? { kind: 'APIVersions', versions: ['v1'] } : path === '/apis' ? { kind: 'APIGroupList', apiVersion: 'v1', groups } : kinds.has(path.replace(/^\/apis?\//, '')) ? resources(path.replace(/^\/apis?\//, '')) : null
      response.writeHead(body === null ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(body ?? { kind: 'Status', code: 404 }))
    })
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  })
  afterAll(() => {
    server.close()
    rmSync(home, { recursive: true, force: true })
  })
  const create = async (...args: string[]) => {
    const { port } = server.address() as AddressInfo
    const { stdout } = await promisify(execFile)('kubectl', ['--server', `http://127.0.0.1:${port}`, '--cache-dir', home, 'create', '--dry-run=client', '--validate=false', '-o', 'name', ...args], { env: { PATH: process.env['PATH'] ?? '', HOME: home } })
    return stdout.trim().split('\n')
  }

  it.each(overlays)('%s would be created', async (overlay) => {
    expect(await create('-k', join(root, overlay))).toEqual(expect.arrayContaining(['deployment.apps/prescale', 'service/prescale', 'poddisruptionbudget.policy/prescale', 'networkpolicy.networking.k8s.io/prescale']))
  })

  it('the autoscalers would be created', async () => {
    for (const { name } of manifests) expect((await create('-f', join(root, 'autoscalers', name))).length).toBeGreaterThan(0)
  })
})

describe.skipIf(!haveKubectl).each(overlays)('%s (needs kubectl to be rendered)', (overlay) => {
  let items: Item[] = []
  const find = (kind: string, name = 'prescale') => items.find((item) => item['kind'] === kind && item['metadata'].name === name)!
  beforeAll(() => { items = render(overlay) })

  it('has a configuration that we accept, and ports that are those of the container and of the service', () => {
    const config = configOf(find('ConfigMap')['data']['prescale.yaml'])
    const [container] = find('Deployment')['spec'].template.spec.containers
    const ports = new Map<string, number>(container.ports.map(({ name, containerPort }: Item) => [name, containerPort]))
    const listening = { http: config.listen.port, monitoring: (config as Item)['monitoring'].port, ...(config.grpc && { scaler: config.grpc.port }), ...(config.kubernetes && { 'metrics-api': config.kubernetes.port }) }
    expect(Object.fromEntries(ports)).toEqual(listening)
    expect(find('Service')['spec'].ports.map(({ port, targetPort }: Item) => [targetPort, port]).sort()).toEqual([...ports].sort())
    const open = find('NetworkPolicy')['spec'].ingress.flatMap((rule: Item) => rule['ports'].map(({ port }: Item) => port))
    expect(open.sort()).toEqual([...ports.keys()].sort())
    expect({ grpc: config.grpc !== null, kubernetes: config.kubernetes !== null }).toEqual({ grpc: overlay === 'external-scaler', kubernetes: overlay === 'external-metrics' })
  })

  it('reads only files that are mounted', () => {
    const { template: { spec } } = find('Deployment')['spec']
    const [container] = spec.containers
    const mounts: string[] = container.volumeMounts.map(({ mountPath }: Item) => mountPath)
    const files = [...(find('ConfigMap')['data']['prescale.yaml'] as string).matchAll(/\/etc\/prescale\/[\w./-]+/g)].map(([path]) => path)
    expect(files.length).toBeGreaterThan(0)
    for (const file of [...files, container.args[2]]) expect(mounts.some((mount) => file.startsWith(`${mount}/`))).toBe(true)
    expect(spec.volumes.map(({ name }: Item) => name).sort()).toEqual(container.volumeMounts.map(({ name }: Item) => name).sort())
  })

  it('selects the pods that there are', () => {
    const { labels } = find('Deployment')['spec'].template.metadata
    for (const selector of [find('Deployment')['spec'].selector.matchLabels, find('Service')['spec'].selector, find('PodDisruptionBudget')['spec'].selector.matchLabels, find('NetworkPolicy')['spec'].podSelector.matchLabels]) expect(labels).toMatchObject(selector)
    expect(find('PodDisruptionBudget')['spec'].minAvailable).toBeLessThan(find('Deployment')['spec'].replicas)
    expect(find('Deployment')['spec'].template.spec.containers[0].env).toContainEqual({ name: 'REDIS_URL', value: `redis://${find('Service', 'prescale-redis')['metadata'].name}:6379` })
  })

  it('runs without rights: no root, no writing to the image, no capabilities, no token of the cluster', () => {
    for (const workload of [find('Deployment'), find('StatefulSet', 'prescale-redis')]) {
      const { securityContext, automountServiceAccountToken, containers: [container] } = workload['spec'].template.spec
      expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
      expect(automountServiceAccountToken).toBe(false)
      expect(container.securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } })
      expect(container.resources.limits.memory).toBeDefined()
    }
  })
})

it.skipIf(!haveKubectl)('the API services point at the listener for kube-apiserver, and HPA may read (needs kubectl)', () => {
  const items = render('external-metrics')
  const ports = items.find(({ kind, metadata }) => kind === 'Service' && metadata.name === 'prescale')!['spec'].ports.map(({ port }: Item) => port)
  const services = items.filter(({ kind }) => kind === 'APIService')
  expect(services.map(({ metadata }) => metadata.name)).toEqual(['v1beta1.external.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'])
  for (const { spec, metadata } of services) {
    expect(metadata.name).toBe(`${spec.version}.${spec.group}`)
    expect(ports).toContain(spec.service.port)
  }
  expect(items.find(({ kind }) => kind === 'ClusterRole')!['rules'][0].apiGroups).toEqual(services.map(({ spec }) => spec.group))
})

describe('the autoscalers', () => {
  const of = (name: string, kind: string) => autoscalers.find((one) => one.name === name && one.item['kind'] === kind)!.item
  const trigger = (name: string) => of(name, 'ScaledObject')['spec'].triggers[0] as Item

  it('all stand on CPU as well, and know what to do when we do not answer', () => {
    for (const { item } of autoscalers.filter(({ item: { kind } }) => kind === 'ScaledObject')) {
      const { triggers, fallback, advanced: { horizontalPodAutoscalerConfig: { behavior } } } = item['spec']
      expect(triggers.map(({ type }: Item) => type)).toContain('cpu')
      expect(fallback).toEqual({ failureThreshold: 3, replicas: 10, behavior: 'currentReplicasIfHigher' })
      expect(behavior.scaleUp.tolerance).toBe(0)
    }
    const { metrics, behavior } = of('hpa.yaml', 'HorizontalPodAutoscaler')['spec']
    expect(metrics.map(({ type }: Item) => type)).toEqual(['External', 'Resource'])
    expect(behavior.scaleUp.tolerance).toBe(0)
  })

  it('name authentications that there are', () => {
    const known = autoscalers.filter(({ item: { kind } }) => kind === 'TriggerAuthentication').map(({ item }) => item['metadata'].name)
    for (const { item } of autoscalers.filter(({ item: { kind } }) => kind === 'ScaledObject')) {
      for (const { authenticationRef } of item['spec'].triggers as Item[]) if (authenticationRef) expect(known).toContain(authenticationRef.name)
    }
  })

  it('ask addresses that answer with the decision', async () => {
    const test = await createTestApp()
    test.fakes.decisions.set('shop', decisionOf('shop'))
    const metricsApi = trigger('keda-metrics-api.yaml')['metadata']
    const address = new URL(metricsApi.url)
    expect(address.host).toBe('prescale.prescale.svc:8080')
    expect((await test.app.inject(address.pathname)).json()[metricsApi.valueLocation] / Number(metricsApi.targetValue)).toBe(14)
    const prometheus = trigger('keda-prometheus.yaml')['metadata']
    expect(prometheus.ignoreNullValues).toBe('false')
    const answer = await test.app.inject(`${new URL(prometheus.serverAddress).pathname.replace(/\/$/, '')}/api/v1/query?${new URLSearchParams({ query: prometheus.query })}`)
    expect(Number(answer.json().data.result[0].value[1]) / Number(prometheus.threshold)).toBe(14)
    await test.close()
  })

  it('HPA names a metric that answers, by a selector that names one service', async () => {
    const { fakes, stores } = createFakes()
    fakes.decisions.set('shop', decisionOf('shop'))
    const { telemetry, ...test } = await createTestApp()
    const app = createKubernetesApp({ tls: null, decisions: stores.decisions, config: () => configOf(''), now: () => now, missing: async () => [], telemetry })
    const { metric, target } = of('hpa.yaml', 'HorizontalPodAutoscaler')['spec'].metrics[0].external
    const selector = Object.entries(metric.selector.matchLabels).map(([label, value]) => `${label}=${String(value)}`).join(',')
    const { items } = (await app.inject(`/apis/external.metrics.k8s.io/v1beta1/namespaces/default/${metric.name}?labelSelector=${encodeURIComponent(selector)}`)).json() as { items: Item[] }
    expect(items.map(({ value }) => Number(value) / Number(target.averageValue))).toEqual([14])
    await Promise.all([app.close(), test.close()])
  })

  it('KEDA\'s external scaler is asked at the port of the overlay, over TLS, for the service', () => {
    const { scalerAddress, enableTLS, service } = trigger('keda-external.yaml')['metadata']
    const { grpc } = configOf(documents(readFileSync(join(root, 'external-scaler/config.yaml'), 'utf8'))[0]['data']['prescale.yaml'])
    expect({ scalerAddress, enableTLS, service }).toEqual({ scalerAddress: `prescale.prescale.svc:${grpc!.port}`, enableTLS: 'true', service: 'shop' })
  })
})
