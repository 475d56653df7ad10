import fastify, { LogController, type FastifyInstance } from 'fastify'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { TSchema } from 'typebox'
import { PrescaleError } from '../errors.ts'
import { compileCheck } from '../schema-check.ts'
import { auditRequests, auditRoutes } from './audit.ts'
import { acceptJson } from './bodies.ts'
import type { Api, ApiContext, ApiOptions } from './context.ts'
import { deadLetterRoutes } from './dead-letters.ts'
import { decisionRoutes } from './decisions.ts'
import { guardRoutes } from './guard.ts'
import { healthRoutes } from './health.ts'
import { feedbackRoutes } from './feedback.ts'
import { historyRoutes } from './history.ts'
import { incidentRoutes } from './incidents.ts'
import { kedaRoutes } from './keda.ts'
import { customPodAutoscalerRoutes } from './cpa.ts'
import { createApiMetrics, measureRequests } from './metrics.ts'
import { operationRoutes } from './operations.ts'
import { overrideRoutes } from './overrides.ts'
import { prometheusRoutes } from './prometheus/routes.ts'
import { pushRoutes } from './push.ts'
import { pageRoutes } from './page.ts'
import { handleError, longestParam, registerNotFound } from './problem.ts'
import { recommendationRoutes } from './recommendations.ts'
import { remoteWriteRoutes } from './remote-write.ts'
import { savingsRoutes } from './savings.ts'
import { suggestionAnswerRoutes } from './suggestion-answer.ts'
import { suggestionRoutes } from './suggestions.ts'
import { sampleRoutes } from './samples.ts'
import { createSettling } from './feedback-settling.ts'
import { serviceRoutes } from './services.ts'
import { targetRoutes } from './targets.ts'
import { whatIfRoutes } from './what-if.ts'
import { wattRoutes } from './watt.ts'
import { setSecurityHeaders } from './security-headers.ts'
import { shedLoad, watchEventLoop } from './shedding.ts'
import { streamRoutes } from './stream/routes.ts'

const allRoutes = [
  serviceRoutes, overrideRoutes, decisionRoutes, savingsRoutes, whatIfRoutes, historyRoutes, incidentRoutes,
  pageRoutes, feedbackRoutes, suggestionRoutes, suggestionAnswerRoutes, kedaRoutes, recommendationRoutes, sampleRoutes,
  deadLetterRoutes, operationRoutes, targetRoutes, auditRoutes, wattRoutes, pushRoutes
]

/** Assembles the HTTP API; nothing listens yet, so tests use `inject`. Closing it closes none of what it was given. */
export async function createApp (options: ApiOptions): Promise<Api> {
  const { config, telemetry, tls = null } = options
  const app = fastify({
    loggerInstance: telemetry.log,
    logController: new LogController({ disableRequestLogging: true }),
    // Nothing is logged of a request that goes well, so none needs a logger of its own.
    childLoggerFactory: (logger) => logger,
    bodyLimit: config().limits.bodyBytes,
    routerOptions: { maxParamLength: longestParam },
    // What is wrong with an address before any route is asked.
    frameworkErrors: (error, request, reply) => { handleError(error, request, reply) },
    // Who shows a certificate is told from who shows none by the guard, request by request.
    ...(tls && { https: { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: false } }),
    requestTimeout: 30_000,
    // Autoscalers keep connections open; closing must not wait for them.
    forceCloseConnections: 'idle'
  }) as unknown as Api
  const context: ApiContext = { ...options, metrics: createApiMetrics(telemetry), settling: createSettling(options.tuning.knows) }

  app.setValidatorCompiler(compileValidator)
  // Answers are made of our own values: their schemas are for readers, and a compiled serializer would drop what they do not name.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  app.setErrorHandler(handleError)
  registerNotFound(app)
  acceptJson(app, () => config().limits)
  const plain = app as unknown as FastifyInstance
  setSecurityHeaders(plain, { tls: tls !== null })
  guardRoutes(plain, options)
  const eventLoop = watchEventLoop()
  app.addHook('onClose', async () => { eventLoop.close() })
  shedLoad(plain, { delayMs: eventLoop.delayMs, ...options })
  auditRequests(app, context)
  measureRequests(app, context.metrics)

  await app.register(swagger, { openapi: openapiDocument })
  await app.register(swaggerUi, { routePrefix: '/docs' })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())

  for (const routes of allRoutes) routes(app, context)
  if (config().monitoring === null) healthRoutes(app, context)
  await streamRoutes(app, context)
  await remoteWriteRoutes(app, context)
  await prometheusRoutes(app, context)
  await customPodAutoscalerRoutes(app, context)
  return app
}

/** Query strings and path parameters are text until a schema says otherwise; a body is what it is. */
function compileValidator ({ schema, httpPart }: { schema: TSchema, httpPart?: string }) {
  const isBody = httpPart === 'body'
  const check = compileCheck(schema, { coerce: !isBody })
  return (value: unknown) => {
    const details = check(value)
    if (details.length === 0) return { value }
    const where = isBody ? 'body' : httpPart === 'params' ? 'address' : 'query'
    return { error: new PrescaleError('invalid-request', `The ${where} has ${details.length === 1 ? 'one error' : `${details.length} errors`}.`, { details }) }
  }
}

const openapiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'prescale',
    version: '1',
    description: 'Autoscaling that acts before the load arrives, and anomaly detection that says what is wrong and what to do about it. Every error is problem JSON (RFC 9457).'
  },
  tags: [
    { name: 'services', description: 'What is scaled, and how' },
    { name: 'decisions', description: 'What was decided, expected, found and suggested' },
    { name: 'incidents', description: 'Anomalies of a service in a row, from their begin to their end' },
    { name: 'autoscalers', description: 'Answers in the words of those who ask' },
    { name: 'ingest', description: 'Where metrics come in' },
    { name: 'tuning', description: 'Configurations that are suggested, and what services tell about theirs' },
    { name: 'operations', description: 'Health, metrics, models, settings' }
  ]
}
