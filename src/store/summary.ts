import type { Decision, Verdict } from '../domain.ts'

type ShortDecision = Pick<Decision, 'asOf' | 'validUntil' | 'replicas' | 'currentReplicas' | 'source'>
type ShortVerdict = Pick<Verdict, 'asOf' | 'score' | 'isAnomaly' | 'severity'>

/** What a list of services shows of one; null is what there is none of yet. */
export interface ServiceSummary {
  readonly service: string
  /** Epoch ms of the newest sample that something was said about; 0 when nothing was. */
  readonly asOf: number
  readonly decision: ShortDecision | null
  readonly verdict: ShortVerdict | null
  readonly demo?: boolean
}

export interface Said { readonly service: string, readonly decision?: Decision, readonly verdict?: Verdict }

/** The summary after a batch: what the batch said, and from before what it did not say anew. */
export function summarize (before: ServiceSummary | null, { service, decision, verdict }: Said): ServiceSummary {
  const demo = decision ? decision.demo : before?.demo
  return {
    service,
    asOf: Math.max(before?.asOf ?? 0, decision?.asOf ?? 0, verdict?.asOf ?? 0),
    decision: decision ? shortDecision(decision) : before?.decision ?? null,
    verdict: verdict ? shortVerdict(verdict) : before?.verdict ?? null,
    ...(demo && { demo })
  }
}

function shortDecision ({ asOf, validUntil, replicas, currentReplicas, source }: Decision): ShortDecision {
  return { asOf, validUntil, replicas, currentReplicas, source }
}

function shortVerdict ({ asOf, score, isAnomaly, severity }: Verdict): ShortVerdict {
  return { asOf, score, isAnomaly, severity }
}
