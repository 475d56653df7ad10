import type { FastifyReply } from 'fastify'
import type { PrescaleError } from '../../errors.ts'

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest', 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 405: 'MethodNotAllowed', 413: 'RequestEntityTooLarge', 503: 'ServiceUnavailable'
}

/** Errors as every Kubernetes client expects them. */
export function sendStatus (reply: FastifyReply, error: PrescaleError): FastifyReply {
  const { status: code, message } = error
  if (code === 500) reply.log.error({ err: error, url: reply.request.url }, 'request failed')
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: reasons[code] ?? 'InternalError', code }
  return reply.code(code).type('application/json').send(JSON.stringify(status))
}
