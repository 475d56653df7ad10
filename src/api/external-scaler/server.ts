import { Server, ServerCredentials } from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'
import { HealthImplementation } from 'grpc-health-check'
import type { ApiOptions } from '../context.ts'
import type { DecisionContext } from '../decisions.ts'
import { createReplaceableCredentials, type GrpcCertificates } from './credentials.ts'
import { externalScalerName, externalScalerPackage, externalScalerService } from './contract.ts'
import { createHandlers } from './handlers.ts'

interface ExternalScalerOptions extends DecisionContext, Pick<ApiOptions, 'missing'> {
  readonly host: string
  readonly port: number
  readonly tls: GrpcCertificates | null
  readonly pollMs?: number
}

/** A request names a service and little more. */
const limits = { 'grpc.max_receive_message_length': 65_536 }
const healthMs = 5_000

/**
 * Serves KEDA's external scaler, with grpc.health.v1 for kubelet and reflection for people.
 *
 * @throws Error when it cannot listen there.
 */
export async function startExternalScaler ({ host, port, tls, missing, pollMs = 2_000, ...context }: ExternalScalerOptions) {
  const server = new Server(limits)
  const { handlers, close: closeStreams } = createHandlers({ context, pollMs })
  server.addService(externalScalerService, handlers)
  new ReflectionService(externalScalerPackage).addToServer(server)
  const health = new HealthImplementation()
  health.addToServer(server)
  const check = async () => {
    const status = (await missing()).length === 0 ? 'SERVING' : 'NOT_SERVING'
    for (const service of ['', externalScalerName]) health.setStatus(service, status)
  }
  await check()
  const timer = setInterval(() => { check().catch(() => {}) }, healthMs).unref()

  const replaceable = tls === null ? null : createReplaceableCredentials(tls)
  const bound = await bind(server, `${host.includes(':') ? `[${host}]` : host}:${port}`, replaceable?.credentials ?? ServerCredentials.createInsecure())

  const close = async () => {
    clearInterval(timer)
    closeStreams()
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        server.forceShutdown()
        resolve()
      }, 500)
      server.tryShutdown(() => {
        clearTimeout(force)
        resolve()
      })
    })
  }
  return { port: bound, setSecureContext: (certificates: GrpcCertificates) => { replaceable?.replace(certificates) }, close }
}
export type ExternalScaler = Awaited<ReturnType<typeof startExternalScaler>>

function bind (server: Server, address: string, secured: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, secured, (error, port) => {
      if (error) reject(error)
      else resolve(port)
    })
  })
}
