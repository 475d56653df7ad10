import { metricNames } from './metrics.ts'

export const externalVersion = 'external.metrics.k8s.io/v1beta1'
export const customVersion = 'custom.metrics.k8s.io/v1beta2'

/** Kinds of objects that a service may stand for, with the version of their group; others get theirs from the name of the resource. */
const kinds: Readonly<Record<string, { readonly kind: string, readonly apiVersion: string }>> = {
  'deployments.apps': { kind: 'Deployment', apiVersion: 'apps/v1' },
  'statefulsets.apps': { kind: 'StatefulSet', apiVersion: 'apps/v1' },
  'replicasets.apps': { kind: 'ReplicaSet', apiVersion: 'apps/v1' },
  services: { kind: 'Service', apiVersion: 'v1' },
  namespaces: { kind: 'Namespace', apiVersion: 'v1' }
}

export function kindOf (resource: string): { readonly kind: string, readonly apiVersion: string } {
  if (Object.hasOwn(kinds, resource)) return kinds[resource]
  const [plural, ...group] = resource.split('.')
  return { kind: plural.charAt(0).toUpperCase() + plural.slice(1).replace(/s$/, ''), apiVersion: group.length === 0 ? 'v1' : `${group.join('.')}/v1` }
}

function groupOf (groupVersion: string) {
  const [name, version] = groupVersion.split('/')
  const only = { groupVersion, version }
  return { name, versions: [only], preferredVersion: only }
}

/** Documents by the address at which clients look for them. HPA takes the version of the custom metrics from `preferredVersion`. */
export const discoveryDocuments: Readonly<Record<string, object>> = {
  '/api': { kind: 'APIVersions', versions: [], serverAddressByClientCIDRs: [] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [groupOf(externalVersion), groupOf(customVersion)] },
  ...Object.fromEntries([externalVersion, customVersion].map((version) => [`/apis/${version.split('/')[0]}`, { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(version) }])),
  [`/apis/${externalVersion}`]: resourceList(externalVersion, Object.keys(metricNames).map((name) => resource(name, 'ExternalMetricValueList', true))),
  [`/apis/${customVersion}`]: resourceList(customVersion, Object.keys(kinds).flatMap((kind) => Object.keys(metricNames).map((name) => resource(`${kind}/${name}`, 'MetricValueList', kind !== 'namespaces'))))
}

function resourceList (groupVersion: string, resources: object[]) {
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources }
}

function resource (name: string, kind: string, namespaced: boolean) {
  return { name, singularName: '', namespaced, kind, verbs: ['get'] }
}
