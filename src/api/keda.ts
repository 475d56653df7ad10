import { Type } from 'typebox'
import type { DecisionSource } from '../domain.ts'
import type { Api, ApiContext } from './context.ts'
import { decisionToObey } from './decisions.ts'
import { answers, serviceParams } from './schemas.ts'

const sourceNames: Record<DecisionSource, string> = { forecast: 'forecast', reactive: 'reactive', hold: 'fallback', floor: 'fallback' }

/**
 * KEDA's `metrics-api` trigger with `valueLocation: value` and `targetValue: "1"`: HPA then divides by 1 and arrives at our replicas.
 * Without a valid opinion the answer is an error and never 0, which KEDA would take for "scale in".
 */
export function kedaRoutes (app: Api, context: ApiContext): void {
  app.get('/v1/services/:service/keda', {
    schema: {
      tags: ['autoscalers'],
      summary: 'For KEDA\'s metrics-api trigger',
      params: serviceParams,
      response: answers(200, Type.Object({
        value: Type.Integer({ description: 'replicas' }),
        target: Type.Literal(1),
        active: Type.Boolean(),
        source: Type.Enum(['forecast', 'reactive', 'fallback']),
        asOf: Type.String({ format: 'date-time' }),
        demo: Type.Optional(Type.Boolean())
      }), 404, 503)
    }
  }, async ({ params }) => {
    const { replicas, source, asOf, demo } = await decisionToObey(params.service, context)
    return {
      value: replicas,
      target: 1 as const,
      active: replicas > 0,
      source: sourceNames[source],
      asOf: new Date(asOf).toISOString(),
      ...(demo && { demo })
    }
  })
}
