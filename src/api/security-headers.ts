import type { FastifyInstance } from 'fastify'

/** Everything that a page needs comes from us, and no page of others may show ours. */
const contentSecurityPolicy = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const yearSeconds = 31_536_000

/** Answers are what their type says; pages may do little, and run no script that stands inside them. */
export function setSecurityHeaders (app: FastifyInstance, { tls }: { readonly tls: boolean }): void {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('x-content-type-options', 'nosniff')
    if (tls) reply.header('strict-transport-security', `max-age=${yearSeconds}`)
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    const type = reply.getHeader('content-type')
    if (typeof type === 'string' && type.startsWith('text/html')) {
      if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', contentSecurityPolicy)
      reply.headers({ 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY', 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin' })
    }
    done(null, payload)
  })
}
