import type { Decision, IncidentChange, ModelChange, Suggestion, Verdict } from '../domain.ts'

export type LiveEvent =
  | { readonly kind: 'decision', readonly decision: Decision }
  | { readonly kind: 'verdict', readonly verdict: Verdict }
  | { readonly kind: 'suggestion', readonly suggestion: Suggestion }
  | { readonly kind: 'incident' } & IncidentChange
  | { readonly kind: 'model', readonly model: ModelChange }
export type Connection = { readonly state: 'connecting' | 'live' } | { readonly state: 'lost', readonly since: number }

interface Listeners {
  readonly event: (event: LiveEvent) => void
  /** Something was missed for good, or a connection came back: what is shown should be read anew. */
  readonly gap: () => void
  readonly connection: (connection: Connection) => void
}

const kinds = ['decision', 'verdict', 'suggestion', 'incident', 'model'] as const
/** Browsers give up on some errors; then we try again ourselves. */
const retryMs = 3_000

/** Follows GET /v1/stream for as long as the page is open; the browser comes back with Last-Event-ID. */
export function follow ({ event, gap, connection }: Listeners): { close: () => void } {
  let source: EventSource
  let lost: number | null = null
  let timer: number | undefined

  const open = () => {
    source = new EventSource('/v1/stream')
    source.addEventListener('hello', () => {
      // Also the first time: what was read before may lack what happened until now.
      gap()
      lost = null
      connection({ state: 'live' })
    })
    source.addEventListener('missed', (message) => {
      const { lost: gone } = JSON.parse((message as MessageEvent<string>).data) as { lost: number | null }
      if (gone !== 0) gap()
    })
    for (const kind of kinds) source.addEventListener(kind, (message) => { event(JSON.parse((message as MessageEvent<string>).data) as LiveEvent) })
    source.addEventListener('error', () => {
      lost ??= Date.now()
      connection({ state: 'lost', since: lost })
      if (source.readyState !== EventSource.CLOSED) return
      clearTimeout(timer)
      timer = window.setTimeout(open, retryMs)
    })
  }

  connection({ state: 'connecting' })
  open()
  return {
    close: () => {
      clearTimeout(timer)
      source.close()
    }
  }
}
