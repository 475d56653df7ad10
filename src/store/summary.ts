import type { Decision, Savings, Suggestion, Verdict } from '../domain.ts'

type ShortDecision = Pick<Decision, 'mode' | 'asOf' | 'validUntil' | 'replicas' | 'currentReplicas' | 'source'>
type ShortVerdict = Pick<Verdict, 'asOf' | 'score' | 'isAnomaly' | 'severity'>

/** What a list of services shows of one; null is what there is none of yet. */
export interface ServiceSummary {
  readonly service: string
  /** Epoch ms of the newest sample that something was said about; 0 when nothing was. */
  readonly asOf: number
  readonly decision: ShortDecision | null
  readonly verdict: ShortVerdict | null
  /** Against HPA, since the service was first seen; positive is better. Absent before anything was compared. */
  readonly saved?: { readonly since: number, readonly instanceHours: number, readonly violationMinutes: number }
  /** A configuration is suggested that differs from what runs. */
  readonly suggestion?: boolean
  readonly demo?: boolean
}

export interface Said {
  readonly service: string
  readonly decision?: Decision | undefined
  readonly verdict?: Verdict | undefined
  readonly savings?: Savings | undefined
  readonly suggestion?: Suggestion | undefined
}

/** The summary after a batch: what the batch said, and from before what it did not say anew. */
export function summarize (before: ServiceSummary | null, { service, decision, verdict, savings, suggestion }: Said): ServiceSummary {
  const saved = savings ? shortSavings(savings) : before?.saved
  const isSuggested = suggestion ? suggestion.changed.length > 0 : before?.suggestion
  const demo = decision ? decision.demo : before?.demo
  return {
    service,
    asOf: Math.max(before?.asOf ?? 0, decision?.asOf ?? 0, verdict?.asOf ?? 0),
    decision: decision ? shortDecision(decision) : before?.decision ?? null,
    verdict: verdict ? shortVerdict(verdict) : before?.verdict ?? null,
    ...(saved && { saved }),
    ...(isSuggested && { suggestion: true }),
    ...(demo && { demo })
  }
}

function shortDecision ({ mode, asOf, validUntil, replicas, currentReplicas, source }: Decision): ShortDecision {
  return { mode, asOf, validUntil, replicas, currentReplicas, source }
}

function shortVerdict ({ asOf, score, isAnomaly, severity }: Verdict): ShortVerdict {
  return { asOf, score, isAnomaly, severity }
}

function shortSavings ({ since, hpa, prescale }: Savings): NonNullable<ServiceSummary['saved']> {
  const places = (value: number) => Number(value.toFixed(3))
  return { since, instanceHours: places(hpa.instanceHours - prescale.instanceHours), violationMinutes: places(hpa.violationMinutes - prescale.violationMinutes) }
}
