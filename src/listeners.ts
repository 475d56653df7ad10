import { readFileSync } from 'node:fs'
import type { ApiOptions } from './api/context.ts'
import { startExternalScaler } from './api/external-scaler/server.ts'
import { createKubernetesApp } from './api/kubernetes/app.ts'
import type { GrpcListen, KubernetesListen } from './config-adapters.ts'
import { PrescaleError } from './errors.ts'

type ListenerOptions = Pick<ApiOptions, 'config' | 'decisions' | 'settings' | 'now' | 'missing' | 'telemetry'>

/**
 * Opens the listeners beside the HTTP API that the configuration asks for: gRPC for KEDA, HTTPS for kube-apiserver.
 *
 * @throws PrescaleError `invalid-config` for a port that is taken, or a file that cannot be read.
 */
export async function startListeners (options: ListenerOptions, onClose: (closer: () => unknown) => void): Promise<string[]> {
  const { grpc, kubernetes } = options.config()
  const addresses: string[] = []
  if (grpc) {
    const { tls, host } = grpc
    const files = tls ? { ...readPair(tls), clientCa: tls.clientCaFile === undefined ? null : readPem(tls.clientCaFile) } : null
    const server = await startExternalScaler({ ...options, ...grpc, tls: files })
      .catch((error: Error) => { throw cannotListen(error, grpc) })
    onClose(server.close)
    addresses.push(`KEDA external scaler (gRPC${tls ? ' with TLS' : ''}) on ${host}:${server.port}`)
  }
  if (kubernetes) {
    const { tls, frontProxy, host, port } = kubernetes
    const proxy = frontProxy ? { clientCa: readPem(frontProxy.clientCaFile), allowedNames: frontProxy.allowedNames ?? [] } : null
    const app = createKubernetesApp({ ...options, tls: tls ? { ...readPair(tls), frontProxy: proxy } : null })
    onClose(() => app.close())
    addresses.push(`Kubernetes metrics on ${await app.listen({ host, port }).catch((error: Error) => { throw cannotListen(error, kubernetes) })}`)
  }
  return addresses
}

function readPair ({ certificateFile, keyFile }: { certificateFile: string, keyFile: string }): { certificate: Buffer, key: Buffer } {
  return { certificate: readPem(certificateFile), key: readPem(keyFile) }
}

function readPem (path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new PrescaleError('invalid-config', `${path} cannot be read: ${(error as Error).message}.`, { details: [{ path, expected: 'a readable PEM file' }], cause: error })
  }
}

function cannotListen (error: Error, { host, port }: GrpcListen | KubernetesListen): PrescaleError {
  if (error instanceof PrescaleError) return error
  return new PrescaleError('invalid-config', `Port ${port} of ${host} cannot be listened on: ${error.message}.`, { cause: error })
}
