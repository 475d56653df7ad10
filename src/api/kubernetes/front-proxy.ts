import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/**
 * Whether a connection comes from kube-apiserver: its client certificate is signed by the front-proxy CA (checked by TLS, which has to
 * ask for it with `requestCert` and that CA alone), and its common name is one of the allowed ones.
 *
 * @param allowedNames empty for any name, as `requestheader-allowed-names` says it.
 */
export function isFrontProxy (socket: Pick<TLSSocket, 'authorized' | 'getPeerCertificate'> | Socket, allowedNames: readonly string[]): boolean {
  if (!('authorized' in socket) || !socket.authorized) return false
  const names = [socket.getPeerCertificate().subject?.CN].flat()
  return allowedNames.length === 0 || (names.length === 1 && names[0] !== undefined && allowedNames.includes(names[0]))
}
