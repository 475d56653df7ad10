import { Counter, Histogram } from 'prom-client'
import type { FastifyInstance } from 'fastify'
import type { Telemetry } from '../telemetry.ts'

export type ApiMetrics = ReturnType<typeof createApiMetrics>

export function createApiMetrics ({ registry }: Telemetry) {
  const registers = [registry]
  return {
    requests: new Histogram({
      name: 'prescale_http_request_duration_seconds',
      help: 'Time from a request to its answer.',
      labelNames: ['method', 'route', 'status'],
      registers,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
    }),
    received: new Counter({
      name: 'prescale_received_total', help: 'Samples, points and feedback that were sent to us, by what became of them.', labelNames: ['source', 'result'], registers
    }),
    rejected: new Counter({
      name: 'prescale_rejected_total', help: 'What was refused, by the kind of problem.', labelNames: ['source', 'reason'], registers
    })
  }
}

/** `route` is the pattern and never the address, so that strangers cannot make the metric grow. */
export function measureRequests (app: FastifyInstance, { requests }: ApiMetrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    requests.observe({ method: request.method, route, status: reply.statusCode }, reply.elapsedTime / 1000)
    done()
  })
}
