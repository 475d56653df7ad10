import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { errorList, PrescaleError, type ErrorCode } from '../errors.ts'
import { cut, shown } from '../schema-words.ts'

/** RFC 9457; served as application/problem+json for every answer from 400 on. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly errors?: readonly { path: string, value?: unknown, expected: string }[]
}

/** Senders try again; a few seconds are what a backlog or a restart of Redis takes. */
const retryAfterSeconds = 5
const maxErrors = 100
/** Of a name or an id in an address. */
export const longestParam = 256

export function toProblem (error: PrescaleError): Problem {
  const { status, title } = errorList[error.code]
  return {
    type: `urn:prescale:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    ...(error.details.length > 0 && { errors: error.details.slice(0, maxErrors).map(({ path, value, expected }) => ({ path, value: shown(value), expected })) })
  }
}

/** @param more further members, for callers that look for something of their own. */
export function sendProblem (reply: FastifyReply, error: PrescaleError, more: object = {}): FastifyReply {
  if (error.status >= 500) logFailure(reply, error)
  if (error.status === 503 && !reply.hasHeader('retry-after')) reply.header('retry-after', retryAfterSeconds)
  return reply.code(error.status).type('application/problem+json').send(JSON.stringify({ ...toProblem(error), ...more }))
}

function logFailure ({ request, log }: FastifyReply, error: PrescaleError): void {
  if (error.status === 500) log.error({ err: error, url: pathOf(request) }, 'request failed')
  else if (error.code !== 'no-opinion' && error.code !== 'not-acting' && error.code !== 'not-ready') log.warn({ code: error.code, url: pathOf(request) }, error.message)
}

/** Without the query: a token may stand there. */
function pathOf ({ url }: FastifyRequest): string {
  return url.split('?')[0]
}

/** What Fastify itself refuses, in our words. Anything unknown is our fault: it is logged, and its text stays inside. */
export function toPrescaleError (error: unknown, request: FastifyRequest): PrescaleError {
  if (error instanceof PrescaleError) return error
  const { code, statusCode } = error as FastifyError
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new PrescaleError('body-too-large', `The body is larger than ${request.routeOptions.bodyLimit} bytes.`)
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new PrescaleError('unsupported-media-type', `The content type is ${request.headers['content-type'] ?? 'missing'}, expected application/json.`)
  }
  if (code === 'FST_ERR_BAD_URL') return new PrescaleError('invalid-request', `The address ${cut(pathOf(request))} is not percent-encoded UTF-8.`)
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return new PrescaleError('invalid-request', `A part of the address ${cut(pathOf(request))} is longer than ${longestParam} characters.`)
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new PrescaleError(codeOfStatus[statusCode] ?? 'invalid-request', (error as Error).message)
  }
  return new PrescaleError('internal', 'Something went wrong here; the log says what.', { cause: error })
}

const codeOfStatus: Record<number, ErrorCode> = { 404: 'not-found', 405: 'method-not-allowed', 413: 'body-too-large', 415: 'unsupported-media-type' }

export function handleError (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(reply, toPrescaleError(error, request))
}

/** Addresses that nobody serves are 404; served ones, asked with another method, are 405 and say which methods they take. */
export function registerNotFound (app: FastifyInstance): void {
  const routes: { readonly matches: RegExp, readonly method: string }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return
    const matches = new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:[A-Za-z]+/g, '[^/]+')}$`)
    for (const one of [method].flat()) routes.push({ matches, method: one })
  })
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request)
    const methods = [...new Set(routes.filter(({ matches }) => matches.test(path)).map(({ method }) => method))]
    if (methods.length === 0) return sendProblem(reply, new PrescaleError('not-found', `Nothing is served at ${path}; /docs lists what is.`))
    reply.header('allow', methods.join(', '))
    return sendProblem(reply, new PrescaleError('method-not-allowed', `${path} takes ${methods.join(', ')}, not ${request.method}.`))
  })
}
