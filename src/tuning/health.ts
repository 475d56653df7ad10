import type { Decision, Sample, Verdict } from '../domain.ts'

const manyErrors = 0.25

/** Why nothing should be tried with a service now; null when all is well. Nothing is tried on top of other trouble, nor while instances start. */
export function holdOf ({ signals }: Pick<Sample, 'signals'>, verdict: Verdict, decision: Decision | null): string | null {
  if (verdict.incident) return 'an incident is open'
  if (verdict.isAnomaly) return 'the service does not behave as usual'
  if (signals.errorRatio > manyErrors) return `${Math.round(100 * signals.errorRatio)} % of requests fail`
  if (decision?.outageSince !== undefined) return 'there is an outage'
  if (decision !== null && decision.source !== 'forecast' && decision.source !== 'reactive') return 'its load is not measured'
  if (decision !== null && decision.replicas > decision.currentReplicas) return `it is scaled out from ${decision.currentReplicas} to ${decision.replicas} replicas`
  return null
}
