import type { FastifyInstance, FastifyReply } from 'fastify'
import type { Config } from '../config.ts'
import { PrescaleError } from '../errors.ts'
import type { RateLimit } from '../store/rate-limit.ts'

const sampleMs = 100

/** How late the event loop is: the largest of the last ten looks, one every 100 ms. */
export function watchEventLoop () {
  const recent = new Float64Array(10)
  let next = 0
  let worst = 0
  let due = performance.now() + sampleMs
  const timer = setInterval(() => {
    const now = performance.now()
    recent[next++ % recent.length] = Math.max(0, now - due)
    worst = Math.max(...recent)
    due = now + sampleMs
  }, sampleMs).unref()
  return { delayMs: () => Math.max(worst, performance.now() - due), close: () => { clearInterval(timer) } }
}

interface SheddingOptions {
  readonly config: () => Config
  readonly delayMs: () => number
  readonly rateLimit: Pick<RateLimit, 'take'>
}

/**
 * Refuses what is more than we can do. What is sent is refused first, since its sender keeps it; questions are what everybody waits for
 * and cost little. Health and metrics are always answered. To be registered after the guard, which says who asks.
 */
export function shedLoad (app: FastifyInstance, { config, delayMs, rateLimit }: SheddingOptions): void {
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope
    if (scope === null || scope === undefined || route.url === '/metrics') return
    const isRead = scope === 'read'
    // Two hooks rather than one that asks: reading a decision must not wait for a promise.
    route.onRequest = [...[route.onRequest ?? []].flat(), (_request, reply, done) => {
      const limit = config().limits.eventLoopDelayMs * (isRead ? 2 : 1)
      done(delayMs() > limit ? tooLate(reply) : undefined)
    }]
    if (isRead) return
    route.onRequest.push(async ({ principal }, reply) => {
      if (principal === null || principal.kind === 'anybody') return
      const waitMs = await rateLimit.take(`${principal.kind}:${principal.name}`, principal.writesPerMinute ?? config().access.writesPerMinute)
      if (waitMs > 0) throw tooMany(reply, { waitMs, isIngest: scope === 'ingest' })
    })
  })
}

function tooLate (reply: FastifyReply): PrescaleError {
  reply.header('retry-after', 1)
  return new PrescaleError('overloaded', 'The process is behind with its work.')
}

/** Prometheus drops what was answered with 429 and repeats what was answered with 503, so metrics get the latter. */
function tooMany (reply: FastifyReply, { waitMs, isIngest }: { waitMs: number, isIngest: boolean }): PrescaleError {
  reply.header('retry-after', Math.ceil(waitMs / 1000))
  return new PrescaleError(isIngest ? 'overloaded' : 'too-many-requests', 'More was sent with this token than writesPerMinute allows.')
}
