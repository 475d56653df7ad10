import { Type, type Static } from 'typebox'

export const scopes = ['read', 'ingest', 'operate', 'admin'] as const
/** `read`: ask. `ingest`: send metrics. `operate`: overrides, settings, feedback, reload. `admin`: everything. */
export type Scope = typeof scopes[number]

export const nameSchema = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._@:/-]{0,127}$', title: 'a name: letters, digits and ._@:/-, at most 128 characters' })
const servicePattern = Type.String({ pattern: '^[A-Za-z0-9._*-]{1,128}$', title: 'the name of a service, in which * stands for any characters' })

/** What somebody may do, as it stands in a file. */
export const grantProperties = {
  scopes: Type.Array(Type.Enum([...scopes]), { minItems: 1, maxItems: scopes.length, title: `a list of ${scopes.join(', ')}` }),
  services: Type.Optional(Type.Array(servicePattern, { minItems: 1, maxItems: 1000, description: 'Only these services; all of them where not given. The others do not exist for the one who asks.' })),
  writesPerMinute: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'Instead of access.writesPerMinute.' }))
}
export const clientCertificateSchema = Type.Object({ name: nameSchema, ...grantProperties }, { additionalProperties: false })
export type ClientCertificate = Static<typeof clientCertificateSchema>

/** Who asks, and what that one may do. */
export interface Principal {
  readonly name: string
  readonly kind: 'token' | 'certificate' | 'anybody'
  readonly may: (scope: Scope) => boolean
  /** Null for all services. */
  readonly mayUse: ((service: string) => boolean) | null
  /** Null for what the configuration says. */
  readonly writesPerMinute: number | null
}

export function toPrincipal ({ name, scopes: own, services, writesPerMinute }: ClientCertificate, kind: 'token' | 'certificate'): Principal {
  const granted = new Set<Scope>(own.includes('admin') ? scopes : own)
  return { name, kind, may: (scope) => granted.has(scope), mayUse: services === undefined ? null : matcherOf(services), writesPerMinute: writesPerMinute ?? null }
}

/** Where nobody has to show anything. */
export const anybody: Principal = { name: 'anybody', kind: 'anybody', may: () => true, mayUse: null, writesPerMinute: null }

function matcherOf (patterns: readonly string[]): (service: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const wild = patterns.filter((pattern) => pattern.includes('*')).map((pattern) => pattern.split('*'))
  return (service) => exact.has(service) || wild.some((parts) => fits(service, parts))
}

/** Whether the parts occur in their order, the first at the start and the last at the end; without backtracking. */
function fits (text: string, parts: readonly string[]): boolean {
  const [first, last] = [parts[0], parts[parts.length - 1]]
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  const end = text.length - last.length
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}
