import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import { PrescaleError } from '../errors.ts'

/**
 * Any page can make a browser send something to any address, with the password that the browser knows. What changes something must
 * come from our own pages, or from no page at all.
 *
 * @throws PrescaleError `forbidden`.
 */
export function refuseForeignPages ({ method, headers: { origin, host } }: FastifyRequest): void {
  if (method === 'GET' || method === 'HEAD' || origin === undefined) return
  if (URL.canParse(origin) && new URL(origin).host === host) return
  throw new PrescaleError('forbidden', 'A page of another address may not change anything here.')
}

/**
 * Where nobody has to show anything because only this machine can reach us, a page may still let its own name mean this machine; then
 * the browser takes us for that page. It says so in `Host`, which no page can change.
 *
 * @throws PrescaleError `forbidden`.
 */
export function refuseForeignNames ({ headers: { host = '' } }: FastifyRequest): void {
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (name === '' || name === 'localhost' || name.endsWith('.localhost') || isIP(name) !== 0) return
  throw new PrescaleError('forbidden', 'Without tokens only localhost and addresses in numbers are answered; access.tokensFile or `insecure: true` allows other names.')
}
