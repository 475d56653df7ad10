import type { Server as TlsServer } from 'node:tls'
import type { ApiOptions } from './api/context.ts'
import { startExternalScaler } from './api/external-scaler/server.ts'
import { createKubernetesApp } from './api/kubernetes/app.ts'
import type { GrpcListen, KubernetesListen } from './config-adapters.ts'
import { PrescaleError } from './errors.ts'
import { openTlsFiles } from './tls-files.ts'

type ListenerOptions = Pick<ApiOptions, 'config' | 'decisions' | 'settings' | 'now' | 'missing' | 'telemetry'>

/**
 * Opens the listeners beside the HTTP API that the configuration asks for: gRPC for KEDA, HTTPS for kube-apiserver.
 *
 * @throws PrescaleError `invalid-config` for a port that is taken, or a file that cannot be read.
 */
export async function startListeners (options: ListenerOptions, onClose: OnClose): Promise<string[]> {
  const { grpc, kubernetes } = options.config()
  const opened: string[] = []
  if (grpc) opened.push(await startGrpc(grpc, options, onClose))
  if (kubernetes) opened.push(await startKubernetes(kubernetes, options, onClose))
  return opened
}

type OnClose = (closer: () => unknown) => void

async function startGrpc (listen: GrpcListen, options: ListenerOptions, onClose: OnClose): Promise<string> {
  const files = listen.tls ? openTlsFiles(listen.tls, { key: 'listen.grpc.tls', log: options.telemetry.log }) : null
  if (files) onClose(files.close)
  const server = await startExternalScaler({ ...options, ...listen, tls: files?.certificates ?? null })
    .catch((error: Error) => { throw cannotListen(error, listen) })
  onClose(server.close)
  files?.follow(server)
  return `KEDA external scaler (gRPC${files ? ' with TLS' : ''}) on ${listen.host}:${server.port}`
}

async function startKubernetes (listen: KubernetesListen, options: ListenerOptions, onClose: OnClose): Promise<string> {
  const { tls, frontProxy } = listen
  const paths = tls && { ...tls, ...(frontProxy && { clientCaFile: frontProxy.clientCaFile }) }
  const files = paths ? openTlsFiles(paths, { key: 'listen.kubernetes.tls', log: options.telemetry.log }) : null
  if (files) onClose(files.close)
  const app = createKubernetesApp({ ...options, tls: files && { ...files.certificates, allowedNames: frontProxy?.allowedNames ?? [] } })
  onClose(() => app.close())
  const address = await app.listen({ host: listen.host, port: listen.port }).catch((error: Error) => { throw cannotListen(error, listen) })
  files?.follow(app.server as unknown as TlsServer)
  return `Kubernetes metrics on ${address}`
}

function cannotListen (error: Error, { host, port }: GrpcListen | KubernetesListen): PrescaleError {
  if (error instanceof PrescaleError) return error
  return new PrescaleError('invalid-config', `Port ${port} of ${host} cannot be listened on: ${error.message}.`, { cause: error })
}
