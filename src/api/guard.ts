import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Access } from '../access/access.ts'
import type { Principal } from '../access/grants.ts'
import { PrescaleError } from '../errors.ts'
import type { Config } from '../config.ts'
import { refuseForeignNames, refuseForeignPages } from './browsers.ts'
import { certificateNames, tokenOf } from './credentials.ts'
import './principal.ts'
import { unknownService } from './principal.ts'
import { isAboutAll, scopeOf } from './scopes.ts'

/**
 * Lets nobody through who may not: 401 without a token that we know, 403 without the scope of the route, 404 for somebody else's
 * service. To be registered before the routes. It is on the path of every decision that is read, so it waits for nothing.
 */
export function guardRoutes (app: FastifyInstance, { access, config }: { readonly access: () => Access, readonly config: () => Config }): void {
  app.decorateRequest('principal', null)

  app.addHook('onRoute', (route) => {
    // A route with several methods needs what the weightiest of them needs; such routes ask the same question in two ways.
    const method = [route.method].flat().find((one) => one !== 'GET' && one !== 'HEAD') ?? 'GET'
    route.config = { scope: scopeOf(method, route.url), aboutAll: isAboutAll(route.url), ...route.config }
  })

  app.addHook('onRequest', (request, reply, done) => {
    const { scope = 'admin', aboutAll } = request.routeOptions.config
    if (scope === null || request.is404) return done()
    const principal = principalOnConnection(request, access())
    if (principal === null) return done(notKnown(reply))
    request.principal = principal
    try {
      refuseForeignPages(request)
      if (principal.kind === 'anybody' && !config().insecure) refuseForeignNames(request)
    } catch (error) {
      return done(error as PrescaleError)
    }
    if (!principal.may(scope)) return done(new PrescaleError('forbidden', `${principal.name} has not the scope ${scope}.`))
    if (principal.mayUse === null) return done()
    if (aboutAll) return done(new PrescaleError('forbidden', `${principal.name} is for some services only, and this is about all of them.`))
    const { service } = request.params as { service?: string }
    done(service === undefined || principal.mayUse(service) ? undefined : unknownService(service))
  })
}

/** A token that nobody holds is refused, whatever certificate comes with it. */
function principalOf (request: FastifyRequest, { byToken, byCertificate, withoutAnything }: Access): Principal | null {
  if (withoutAnything !== null) return withoutAnything
  const token = tokenOf(request)
  return token === undefined ? byCertificate(certificateNames(request.raw.socket)) : byToken(token)
}

interface Known { readonly access: Access, readonly authorization: string, readonly principal: Principal | null }
const knownBySocket = new WeakMap<Socket, Known>()

/** Autoscalers keep a connection and say the same on it every time; as long as the tokens are the same, so is the answer. */
function principalOnConnection (request: FastifyRequest, access: Access): Principal | null {
  const { headers: { authorization }, raw: { socket } } = request
  if (authorization === undefined) return principalOf(request, access)
  const known = knownBySocket.get(socket)
  if (known !== undefined && known.access === access && known.authorization === authorization) return known.principal
  const principal = principalOf(request, access)
  knownBySocket.set(socket, { access, authorization, principal })
  return principal
}

function notKnown (reply: FastifyReply): PrescaleError {
  // Browsers ask for a password when they read this, and the password is the token.
  reply.header('www-authenticate', 'Bearer realm="prescale", Basic realm="prescale", charset="UTF-8"')
  return new PrescaleError('unauthorized', 'Show a token: Authorization: Bearer TOKEN, X-API-KEY: TOKEN, or TOKEN as the password of basic authentication.')
}
