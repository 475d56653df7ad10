import type { Feedback, IncidentRemark, Point, Sample, SuggestionAnswer } from '../domain.ts'

/** What travels through the queue: things of one kind about one service, in their order. */
export type Envelope =
  | { readonly kind: 'samples', readonly service: string, readonly samples: readonly Sample[] }
  | { readonly kind: 'points', readonly service: string, readonly points: readonly Point[] }
  | { readonly kind: 'feedback', readonly service: string, readonly feedback: readonly Feedback[] }
  /** About incidents of the service. */
  | { readonly kind: 'remarks', readonly service: string, readonly remarks: readonly IncidentRemark[] }
  /** To suggested configurations. */
  | { readonly kind: 'answers', readonly service: string, readonly answers: readonly SuggestionAnswer[] }

export type EnvelopeKind = Envelope['kind']
export const envelopeKinds: readonly EnvelopeKind[] = ['samples', 'points', 'feedback', 'remarks', 'answers']
type Item = Sample | Point | Feedback | IncidentRemark | SuggestionAnswer

/** One job is evaluated, and committed, as a whole: small enough for one write and for the lock on it to be renewed in between. */
const maxItems: Record<EnvelopeKind, number> = { samples: 100, points: 1_000, feedback: 100, remarks: 100, answers: 100 }
const maxBytes = 256 * 1024

export function itemsOf (envelope: Envelope): readonly Item[] {
  switch (envelope.kind) {
    case 'samples': return envelope.samples
    case 'points': return envelope.points
    case 'feedback': return envelope.feedback
    case 'remarks': return envelope.remarks
    case 'answers': return envelope.answers
  }
}

/** The same envelope with other things in it. */
export function withItems ({ kind, service }: Envelope, items: readonly Item[]): Envelope {
  return { kind, service, [kind]: items } as unknown as Envelope
}

/** Cuts an envelope into job-sized ones, order kept; an empty one gives none. */
export function splitEnvelope (envelope: Envelope): Envelope[] {
  const parts: Envelope[] = []
  let part: Item[] = []
  let bytes = 0
  for (const item of itemsOf(envelope)) {
    const size = roughBytes(item)
    if (part.length > 0 && (part.length >= maxItems[envelope.kind] || bytes + size > maxBytes)) {
      parts.push(withItems(envelope, part))
      part = []
      bytes = 0
    }
    part.push(item)
    bytes += size
  }
  if (part.length > 0) parts.push(withItems(envelope, part))
  return parts
}

/** Near the length as JSON, without making the JSON. */
function roughBytes (item: Item): number {
  if ('metric' in item) return item.labels.reduce((sum, [name, value]) => sum + name.length + value.length + 8, item.metric.length + 60)
  if ('signals' in item) return Object.keys(item.signals).reduce((sum, name) => sum + name.length + 22, 60 + item.service.length)
  return 1_000
}

/** What JSON cannot hold: the value of a stale point is not a number. */
export function reviveEnvelope (envelope: Envelope): Envelope {
  if (envelope.kind !== 'points') return envelope
  return { ...envelope, points: envelope.points.map((point) => point.stale ? { ...point, value: NaN } : point) }
}

/** Whether something read from a job looks like an envelope at all; its sender checked what is inside. */
export function isEnvelope (value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false
  const { kind, service, [kind as string]: items } = value as Record<string, unknown>
  return typeof service === 'string' && envelopeKinds.includes(kind as EnvelopeKind) && Array.isArray(items)
}
