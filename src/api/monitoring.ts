import fastify, { LogController } from 'fastify'
import type { Api, ApiOptions } from './context.ts'
import { healthRoutes } from './health.ts'
import { handleError, registerNotFound } from './problem.ts'

/** `/metrics`, `/healthz` and `/readyz` where those who watch reach them, and callers of the API need not. */
export function createMonitoringApp (options: Pick<ApiOptions, 'missing' | 'modelProblems' | 'telemetry'>): Api {
  const app = fastify({
    loggerInstance: options.telemetry.log,
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: 10_000,
    forceCloseConnections: true
  }) as unknown as Api
  app.setSerializerCompiler(() => (value) => JSON.stringify(value))
  app.setErrorHandler(handleError)
  registerNotFound(app)
  healthRoutes(app, options)
  return app
}
