import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { Type, type Static, type TProperties } from 'typebox'
import { serviceNamePattern } from './domain.ts'
import type { ErrorDetail } from './errors.ts'
import { withoutCredentialsIn } from './secrets.ts'
import { changeKinds, type ChangeKind } from './push/changes.ts'

/** Listeners for callers that do not speak our HTTP, and those whom we call: schemas, what they become, and the rules between their keys. */
const object = <T extends TProperties>(properties: T, options: { description?: string } = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options })
const optional = Type.Optional
const pemFile = Type.String({ minLength: 1, maxLength: 4096, title: 'the path of a PEM file' })
const host = optional(Type.String({ minLength: 1, maxLength: 255, default: '127.0.0.1' }))
const port = (preset: number) => optional(Type.Integer({ minimum: 0, maximum: 65_535, default: preset }))

export const grpcSchema = object({
  host,
  port: port(8081),
  tls: optional(object({ certificateFile: pemFile, keyFile: pemFile, clientCaFile: optional(pemFile) }, { description: 'With clientCaFile only those are served who show a certificate that it signed.' }))
}, { description: 'KEDA\'s external scaler.' })

export const kubernetesSchema = object({
  host,
  port: port(8443),
  tls: optional(object({ certificateFile: pemFile, keyFile: pemFile })),
  frontProxy: optional(object({
    clientCaFile: pemFile,
    allowedNames: optional(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 100, description: 'Common names of the client certificate; any where not given.' }))
  }, { description: 'requestheader-client-ca-file and requestheader-allowed-names of kube-system/extension-apiserver-authentication.' }))
}, { description: 'Kubernetes\' external and custom metrics.' })

const httpUrl = Type.String({ pattern: '^https?://[^\\s/]+', maxLength: 2048, title: 'an address that begins with http:// or https://' })
const timeoutSeconds = optional(Type.Number({ exclusiveMinimum: 0, maximum: 60, default: 10 }))
const serviceNames = optional(Type.Array(Type.String({ pattern: serviceNamePattern }), { minItems: 1, maxItems: 1000, description: 'All services where not given.' }))

export const pushSchema = object({
  webhooks: optional(Type.Array(object({
    url: httpUrl,
    secret: optional(Type.String({ minLength: 16, maxLength: 512, title: 'a secret of at least 16 characters' })),
    secretFile: optional(Type.String({ minLength: 1, maxLength: 4096, description: 'A file that holds the secret and nothing else.' })),
    events: optional(Type.Array(Type.Enum([...changeKinds]), { minItems: 1, description: 'All kinds where not given.' })),
    services: serviceNames,
    timeoutSeconds,
    attempts: optional(Type.Integer({ minimum: 1, maximum: 20, default: 10, description: 'The pauses between them double, from one second on.' }))
  }), { maxItems: 50 })),
  alertmanagers: optional(Type.Array(object({
    url: httpUrl,
    labels: optional(Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String({ minLength: 1, maxLength: 1024 }))),
    services: serviceNames,
    timeoutSeconds
  }), { maxItems: 20 }))
}, { description: 'Whom we tell what has changed.' })

type GrpcFile = Static<typeof grpcSchema>
type KubernetesFile = Static<typeof kubernetesSchema>
type PushFile = Static<typeof pushSchema>

export type GrpcListen = Pick<GrpcFile, 'tls'> & { readonly host: string, readonly port: number }
export type KubernetesListen = Pick<KubernetesFile, 'tls' | 'frontProxy'> & { readonly host: string, readonly port: number }
interface Target { readonly url: string, readonly services: readonly string[] | null, readonly timeoutSeconds: number, readonly attempts: number }
export interface WebhookTarget extends Target { readonly kind: 'webhook', readonly secret: string, readonly events: readonly ChangeKind[] }
export interface AlertmanagerTarget extends Target { readonly kind: 'alertmanager', readonly labels: Readonly<Record<string, string>> }
export type PushTarget = WebhookTarget | AlertmanagerTarget

export interface AdapterConfig {
  /** Null where it is not served. */
  readonly grpc: GrpcListen | null
  readonly kubernetes: KubernetesListen | null
  readonly push: readonly PushTarget[]
}
export interface AdapterFile { readonly grpc?: GrpcFile, readonly kubernetes?: KubernetesFile, readonly push?: PushFile }

const defaultHost = '127.0.0.1'
const alertAttempts = 6

/** @param kubernetes the flag --kubernetes, which serves it also where the file says nothing. */
export function buildAdapters (file: AdapterFile, { kubernetes = false }: { kubernetes?: boolean | undefined } = {}): { config: AdapterConfig, details: ErrorDetail[] } {
  const details: ErrorDetail[] = []
  const kubernetesFile = file.kubernetes ?? (kubernetes ? {} : undefined)
  const webhooks = (file.push?.webhooks ?? []).map(({ url, events = changeKinds, services, timeoutSeconds = 10, attempts = 10, ...secrets }, i): WebhookTarget => {
    const secret = readSecret(secrets, `push.webhooks[${i}]`, details)
    return { kind: 'webhook', url, secret, events: events as readonly ChangeKind[], services: services ?? null, timeoutSeconds, attempts }
  })
  const alertmanagers = (file.push?.alertmanagers ?? []).map(({ url, labels = {}, services, timeoutSeconds = 10 }): AlertmanagerTarget => {
    return { kind: 'alertmanager', url, labels, services: services ?? null, timeoutSeconds, attempts: alertAttempts }
  })
  const config: AdapterConfig = {
    grpc: file.grpc ? { host: defaultHost, port: 8081, ...file.grpc } : null,
    kubernetes: kubernetesFile ? { host: defaultHost, port: 8443, ...kubernetesFile } : null,
    push: [...webhooks, ...alertmanagers]
  }
  return { config, details }
}

function readSecret ({ secret, secretFile }: { secret?: string, secretFile?: string }, path: string, details: ErrorDetail[]): string {
  if ((secret === undefined) === (secretFile === undefined)) details.push({ path, expected: 'either secret or secretFile, with which the messages are signed' })
  if (secretFile === undefined) return secret ?? ''
  try {
    const text = readFileSync(secretFile, 'utf8').trim()
    if (text.length < 16) details.push({ path: `${path}.secretFile`, value: secretFile, expected: 'a file that holds at least 16 characters' })
    return text
  } catch (error) {
    details.push({ path: `${path}.secretFile`, value: secretFile, expected: `a readable file (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})` })
    return ''
  }
}

/** A secret that is too short is still one, and an address may hold a token: neither belongs into an error. */
export function withoutSecrets<T extends ErrorDetail> (details: readonly T[]): T[] {
  const mayHold = (path: string) => /^(?:push|redis|REDIS_URL)\b/.test(path)
  return details.map((detail) => 'value' in detail ? { ...detail, value: mayHold(detail.path) ? undefined : withoutCredentialsIn(detail.value) } : detail)
}

/** Whoever can reach these listeners can ask; beyond this machine they have to show who they are. */
export function checkAdapters ({ grpc, kubernetes }: AdapterConfig, { insecure }: { insecure: boolean }): ErrorDetail[] {
  const details: ErrorDetail[] = []
  if (kubernetes?.frontProxy && !kubernetes.tls) details.push({ path: 'listen.kubernetes.tls', expected: 'a certificate, because client certificates need TLS' })
  if (insecure) return details
  if (grpc && !isLoopback(grpc.host) && !grpc.tls?.clientCaFile) {
    details.push({ path: 'listen.grpc.host', value: grpc.host, expected: 'a loopback address such as 127.0.0.1, or listen.grpc.tls with clientCaFile; --insecure or `insecure: true` allows others' })
  }
  if (kubernetes && !isLoopback(kubernetes.host) && !kubernetes.frontProxy) {
    details.push({ path: 'listen.kubernetes.host', value: kubernetes.host, expected: 'a loopback address such as 127.0.0.1, or listen.kubernetes with tls and frontProxy; --insecure or `insecure: true` allows others' })
  }
  return details
}

export function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
