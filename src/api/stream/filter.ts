import type { StreamedEvent } from '../../store/event-stream.ts'

/** What one client wants to hear of; null is everything. */
export interface Filter {
  readonly services: ReadonlySet<string> | null
  readonly kinds: ReadonlySet<string> | null
  /** What the client may hear of at all. */
  readonly mayUse: ((service: string) => boolean) | null
}

/** @param services, kinds lists with commas between the names, or nothing. */
export function createFilter ({ service, kind }: { readonly service?: string, readonly kind?: string }, mayUse: Filter['mayUse'] = null): Filter {
  const list = (text: string | undefined) => {
    const names = (text ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '')
    return names.length === 0 ? null : new Set(names)
  }
  return { services: list(service), kinds: list(kind), mayUse }
}

export function wants ({ services, kinds, mayUse }: Filter, { service, kind }: Pick<StreamedEvent, 'service' | 'kind'>): boolean {
  return (services === null || services.has(service)) && (kinds === null || kinds.has(kind)) && (mayUse === null || mayUse(service))
}
