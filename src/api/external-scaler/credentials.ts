import { experimental, ServerCredentials } from '@grpc/grpc-js'

/** PEM; with `ca` only those are served who show a certificate that it signed. */
export interface GrpcCertificates { readonly key: Buffer, readonly cert: Buffer, readonly ca?: Buffer }

/** Credentials whose certificates can be replaced; connections that are open keep those they began with. */
export function createReplaceableCredentials (first: GrpcCertificates) {
  const authorityListeners = new Set<experimental.CaCertificateUpdateListener>()
  const identityListeners = new Set<experimental.IdentityCertificateUpdateListener>()
  let present = first

  const tellAuthority = (listener: experimental.CaCertificateUpdateListener) => { listener(present.ca ? { caCertificate: present.ca } : null) }
  const tellIdentity = (listener: experimental.IdentityCertificateUpdateListener) => { listener({ certificate: present.cert, privateKey: present.key }) }
  // The library does not hear what it is told while it is still adding the listener.
  const provider: experimental.CertificateProvider = {
    addCaCertificateListener: (listener) => {
      authorityListeners.add(listener)
      queueMicrotask(() => { tellAuthority(listener) })
    },
    removeCaCertificateListener: (listener) => { authorityListeners.delete(listener) },
    addIdentityCertificateListener: (listener) => {
      identityListeners.add(listener)
      queueMicrotask(() => { tellIdentity(listener) })
    },
    removeIdentityCertificateListener: (listener) => { identityListeners.delete(listener) }
  }
  const asksForCertificate = first.ca !== undefined
  const credentials: ServerCredentials = asksForCertificate
    ? experimental.createCertificateProviderServerCredentials(provider, provider, true)
    // The library names its first parameter after the authority, and takes it for the identity.
    : experimental.createCertificateProviderServerCredentials(provider, null, false)

  function replace (next: GrpcCertificates): void {
    present = next
    for (const listener of authorityListeners) tellAuthority(listener)
    for (const listener of identityListeners) tellIdentity(listener)
  }

  return { credentials, replace }
}
