import type { Cause, Severity, Verdict } from '../domain.ts'

/** What is remembered of a verdict: the causes only where something was abnormal. */
export interface PastVerdict {
  readonly asOf: number
  readonly score: number
  readonly threshold: number
  readonly isAnomaly: boolean
  readonly severity: Severity
  readonly causes?: readonly Cause[]
  /** Id of the incident that was open then. */
  readonly incident?: string
}

export function toPastVerdict ({ asOf, score, threshold, isAnomaly, severity, causes, incident }: Verdict): PastVerdict {
  return { asOf, score, threshold, isAnomaly, severity, ...(isAnomaly && { causes }), ...(incident && { incident }) }
}
