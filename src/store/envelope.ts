import type { Feedback, Point, Sample } from '../domain.ts'

/** What travels through the queue: things of one kind about one service, in their order. */
export type Envelope =
  | { readonly kind: 'samples', readonly service: string, readonly samples: readonly Sample[] }
  | { readonly kind: 'points', readonly service: string, readonly points: readonly Point[] }
  | { readonly kind: 'feedback', readonly service: string, readonly feedback: readonly Feedback[] }

export type EnvelopeKind = Envelope['kind']

/** One job is evaluated, and committed, as a whole: small enough for one write and for the lock on it to be renewed in between. */
const maxItems: Record<EnvelopeKind, number> = { samples: 100, points: 1_000, feedback: 100 }
const maxBytes = 256 * 1024

export function itemsOf (envelope: Envelope): readonly (Sample | Point | Feedback)[] {
  if (envelope.kind === 'samples') return envelope.samples
  return envelope.kind === 'points' ? envelope.points : envelope.feedback
}

/** The same envelope with other things in it. */
export function withItems (envelope: Envelope, items: readonly (Sample | Point | Feedback)[]): Envelope {
  const { kind, service } = envelope
  if (kind === 'samples') return { kind, service, samples: items as Sample[] }
  return kind === 'points' ? { kind, service, points: items as Point[] } : { kind, service, feedback: items as Feedback[] }
}

/** Cuts an envelope into job-sized ones, order kept; an empty one gives none. */
export function splitEnvelope (envelope: Envelope): Envelope[] {
  const parts: Envelope[] = []
  let part: (Sample | Point | Feedback)[] = []
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
function roughBytes (item: Sample | Point | Feedback): number {
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
  return typeof service === 'string' && (kind === 'samples' || kind === 'points' || kind === 'feedback') && Array.isArray(items)
}
