import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'

/** The parameter of KEDA's `apiKey` with the method `query`; its value is never logged, because no query string is. */
const queryParameter = 'api_key'

/**
 * The token that a request shows, in any of the ways that KEDA knows: `Authorization: Bearer`, the password of `Authorization: Basic`,
 * the header `X-API-KEY`, the parameter `api_key`. Undefined when it shows none.
 */
export function tokenOf ({ headers, url, query }: FastifyRequest): string | undefined {
  const { authorization } = headers
  if (authorization !== undefined) return fromAuthorization(authorization)
  const key = headers['x-api-key']
  if (typeof key === 'string') return key
  if (!url.includes(queryParameter)) return undefined
  const parameters = query as Record<string, unknown>
  const { [queryParameter]: value } = parameters
  // The routes say which parameters they take, and this is none of them.
  delete parameters[queryParameter]
  return typeof value === 'string' ? value : undefined
}

function fromAuthorization (header: string): string {
  const space = header.indexOf(' ')
  const scheme = header.slice(0, space).toLowerCase()
  const rest = header.slice(space + 1).trim()
  if (scheme === 'bearer') return rest
  if (scheme !== 'basic') return ''
  const pair = Buffer.from(rest, 'base64').toString('utf8')
  return pair.slice(pair.indexOf(':') + 1)
}

const namesBySocket = new WeakMap<Socket, readonly string[]>()

/** The common name and the alternative names of a client certificate that our authority has signed; none for any other. */
export function certificateNames (socket: Socket): readonly string[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return []
  let names = namesBySocket.get(socket)
  if (names === undefined) {
    const { subject, subjectaltname = '' } = socket.getPeerCertificate()
    const alternative = subjectaltname.split(', ').flatMap((name) => /^(?:DNS|URI|email):(.+)$/.exec(name)?.[1] ?? [])
    names = [...[subject?.CN ?? []].flat(), ...alternative]
    namesBySocket.set(socket, names)
  }
  return names
}
