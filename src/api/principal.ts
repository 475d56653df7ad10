import type { FastifyRequest } from 'fastify'
import type { Principal, Scope } from '../access/grants.ts'
import { PrescaleError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null where nobody has to say so. */
    principal: Principal | null
    /** What the request has changed, for the audit. */
    changes: unknown
  }
  interface FastifyContextConfig {
    scope?: Scope | null
    aboutAll?: boolean
  }
}

/** The services that the one who asks may see and feed; null for all. */
export function allowedServices ({ principal }: FastifyRequest): ((service: string) => boolean) | null {
  return principal?.mayUse ?? null
}

/**
 * For a service that is named elsewhere than in the path. Somebody else's service is as unknown as one that is not there.
 *
 * @throws PrescaleError `unknown-service`.
 */
export function requireService (request: FastifyRequest, service: string): void {
  const mayUse = allowedServices(request)
  if (mayUse !== null && !mayUse(service)) throw unknownService(service)
}

export function unknownService (service: string): PrescaleError {
  return new PrescaleError('unknown-service', `The service ${service} is unknown: it is not configured, and no sample of it has arrived.`)
}
