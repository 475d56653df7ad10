import type { Decision, Policy, Sample } from '../../src/domain.ts'
import { emptyState, evaluate, type Models, type ServiceState } from '../../src/pipeline.ts'
import { noModels, policy, sampleAt } from '../support/scaling.ts'

/** One decision after another for one service; what `evaluate` makes of each sample. */
export function createService ({ rules = policy, models = noModels }: { rules?: Policy, models?: Models } = {}) {
  let state: ServiceState = emptyState()
  let minutes = 0
  const see = (sample: Sample, now: Policy = rules): Decision => {
    const evaluation = evaluate(state, sample, models, now)
    state = evaluation.state
    if (evaluation.status !== 'decided') throw new Error(`Expected a decision, got ${evaluation.status}.`)
    return evaluation.decision
  }
  /** The next minute. */
  const next = (signals: Record<string, number>, now: Policy = rules) => see(sampleAt(++minutes, signals), now)
  /** So many minutes of one load; the last decision. */
  const pass = (count: number, requestsPerSecond: number, now: Policy = rules): Decision => {
    let decision: Decision | null = null
    for (let i = 0; i < count; i++) decision = next({ requestsPerSecond }, now)
    return decision!
  }
  return { next, pass, see, state: () => state, minutes: () => minutes }
}

/** The reason of one stage's adjustment; undefined where it changed nothing. */
export const reasonOf = ({ adjustments }: Pick<Decision, 'adjustments'>, stage: string) => adjustments.find((adjustment) => adjustment.stage === stage)?.reason
