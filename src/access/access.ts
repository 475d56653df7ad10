import { anybody, toPrincipal, type ClientCertificate, type Principal } from './grants.ts'
import { createTokenList, type TokenEntry } from './tokens.ts'

/** Who holds a token, and whom a client certificate names. */
export interface Access {
  /** Null for a token that nobody holds. */
  readonly byToken: (token: string) => Principal | null
  /** The first of the names that is known; null for none. */
  readonly byCertificate: (names: readonly string[]) => Principal | null
  /** Who it is that shows nothing; null when something has to be shown. */
  readonly withoutAnything: Principal | null
}

/** Without tokens and certificates anybody may do anything: then only this machine can reach us, or somebody has allowed that. */
export const openAccess: Access = { byToken: () => null, byCertificate: () => null, withoutAnything: anybody }

export function createAccess ({ tokens, certificates }: { readonly tokens: readonly TokenEntry[], readonly certificates: readonly ClientCertificate[] }): Access {
  const list = createTokenList(tokens)
  const byName = new Map(certificates.map((certificate) => [certificate.name, toPrincipal(certificate, 'certificate')]))
  return {
    byToken: list.find,
    byCertificate: (names) => names.map((name) => byName.get(name)).find((principal) => principal !== undefined) ?? null,
    withoutAnything: null
  }
}
