import { Type } from 'typebox'
import { modelLives, type ModelStanding } from '../domain.ts'
import type { LearningRecord } from '../store/local-model-store.ts'
import { nullable } from './schemas.ts'

const losses = { loss: Type.Number({ description: 'mean pinball loss over the quantiles of ln (load / present level); lower is better' }), rivalLoss: Type.Number() }
const time = (description: string) => Type.Integer({ description: `${description}, in ms since 1970` })

export const learningSchema = Type.Object({
  service: Type.String(),
  triedAt: time('When it was tried last'),
  nextAt: time('When it is tried again, at the soonest'),
  outcome: Type.String({ description: 'of the last attempt' }),
  models: Type.Array(Type.Object({
    version: Type.String({ description: 'as decisions carry it' }),
    life: Type.Enum([...modelLives], { description: 'shadow: compared with the model in use; canary: in use, on probation; active: in use' }),
    trainedAt: time('When it was learned'),
    rows: Type.Integer({ description: 'that it was learned from' }),
    range: Type.Object({ from: Type.Integer(), to: Type.Integer() }),
    horizonSteps: Type.Integer(),
    bytes: Type.Integer(),
    sha256: Type.String(),
    heldBack: Type.Object({ forecasts: Type.Integer(), rival: Type.String(), ...losses }, { description: 'before it was let in: on the newest loads, which neither had seen' }),
    live: nullable(Type.Object({ since: Type.Integer(), forecasts: Type.Integer(), rival: Type.String(), ...losses }, { description: 'since it has this life; null before its first sample' }))
  }), { description: 'oldest first; at most two' })
}, { description: 'what was learned from one service' })

/** What was learned from a service, and how it does. */
export function learningOf ({ service, triedAt, nextAt, outcome, models }: LearningRecord, standings: readonly ModelStanding[]) {
  return {
    service,
    triedAt,
    nextAt,
    outcome,
    models: models.map(({ version, trainedAt, rows, range, horizonSteps, bytes, sha256, heldBack }) => {
      const standing = standings.find((one) => one.version === version)
      const { life = 'shadow' as const, since = 0, forecasts = 0, rival = '', loss = 0, rivalLoss = 0 } = standing ?? {}
      const live = standing === undefined ? null : { since, forecasts, rival, loss, rivalLoss }
      return { version, life, trainedAt, rows, range, horizonSteps, bytes, sha256, heldBack, live }
    })
  }
}
