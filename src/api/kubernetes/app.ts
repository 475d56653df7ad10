import fastify, { LogController, type FastifyInstance } from 'fastify'
import { PrescaleError } from '../../errors.ts'
import type { ApiOptions } from '../context.ts'
import { toPrescaleError } from '../problem.ts'
import { isFrontProxy } from './front-proxy.ts'
import { customMetricRoutes, discoveryRoutes, externalMetricRoutes } from './routes.ts'
import { sendStatus } from './status.ts'

export interface KubernetesTls {
  readonly cert: Buffer
  readonly key: Buffer
  /** Of kube-apiserver's front proxy. Without it everybody may ask, which is for loopback only. */
  readonly ca?: Buffer
  /** Common names of the front proxy; none for any. */
  readonly allowedNames: readonly string[]
}

type KubernetesOptions = Pick<ApiOptions, 'decisions' | 'config' | 'now' | 'missing' | 'telemetry'> & { readonly tls: KubernetesTls | null }

/** Kubelet has no client certificate; what it may ask says nothing about a service. */
const openPaths = new Set(['/healthz', '/livez', '/readyz'])

/**
 * The metrics APIs that HPA asks through kube-apiserver, on a listener of its own: there kube-apiserver has to show its front-proxy
 * certificate. It has authorised the user by then; who the user is (`X-Remote-User`) makes no difference to the answer and is not read.
 */
export function createKubernetesApp ({ tls, missing, telemetry, ...context }: KubernetesOptions): FastifyInstance {
  const common = {
    loggerInstance: telemetry.log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 256 }
  }
  const app = (tls === null ? fastify(common) : fastify({ ...common, https: httpsOptions(tls) })) as unknown as FastifyInstance

  app.setErrorHandler((error, request, reply) => sendStatus(reply, toPrescaleError(error, request)))
  app.setNotFoundHandler((request, reply) => sendStatus(reply, new PrescaleError('not-found', `the server could not find the requested resource ${request.url.split('?')[0]}`)))
  if (tls?.ca !== undefined) {
    app.addHook('onRequest', async (request) => {
      if (openPaths.has(request.url.split('?')[0]) || isFrontProxy(request.raw.socket, tls.allowedNames)) return
      throw new PrescaleError('unauthorized', 'only kube-apiserver may ask, with its front-proxy client certificate')
    })
  }
  for (const path of ['/healthz', '/livez']) app.get(path, async (_request, reply) => reply.type('text/plain').send('ok'))
  app.get('/readyz', async (_request, reply) => {
    const parts = await missing()
    return reply.code(parts.length === 0 ? 200 : 503).type('text/plain').send(parts.length === 0 ? 'ok' : parts.join('\n'))
  })
  discoveryRoutes(app)
  externalMetricRoutes(app, context)
  customMetricRoutes(app, context)
  return app
}

/** Who shows a wrong certificate, or none, is told so in an answer: kubelet has none and may ask for health. */
function httpsOptions ({ cert, key, ca }: KubernetesTls) {
  return { cert, key, ...(ca && { ca, requestCert: true, rejectUnauthorized: false }) }
}
