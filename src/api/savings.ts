import { Type } from 'typebox'
import { resolveService } from '../config.ts'
import type { AutoscalerResult, Objective } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { moneyOf } from '../simulation/money.ts'
import type { Api, ApiContext } from './context.ts'
import { refuseUnknown } from './decisions.ts'
import { answers, autoscalerResultSchema, serviceModeSchema, serviceParams } from './schemas.ts'

const savingsSchema = Type.Object({
  service: Type.String(),
  mode: serviceModeSchema,
  since: Type.Integer({ description: 'ms since 1970; begin of the first step that counts' }),
  until: Type.Integer({ description: 'ms since 1970; end of the last' }),
  hours: Type.Number({ description: 'with a known load' }),
  prescale: autoscalerResultSchema,
  hpa: autoscalerResultSchema,
  saved: Type.Object({
    instanceHours: Type.Number(),
    instanceHoursRatio: Type.Number({ description: 'share of what HPA would have taken' }),
    violationMinutes: Type.Number(),
    money: Type.Union([Type.Number(), Type.Null()])
  }, { description: 'hpa − prescale; negative where we were worse' }),
  demo: Type.Optional(Type.Boolean())
})

/** What a service would have come to with us and with HPA so far, each in a simulated cluster on the same load. */
export function savingsRoutes (app: Api, context: ApiContext): void {
  app.get('/v1/services/:service/savings', {
    schema: { tags: ['decisions'], summary: 'What prescale would have saved so far against HPA', params: serviceParams, response: answers(200, savingsSchema, 404, 503) }
  }, async ({ params: { service } }) => {
    const [savings, stored] = await Promise.all([context.decisions.savings(service), context.settings.get(service)])
    if (savings === null) {
      await refuseUnknown(service, context)
      throw new PrescaleError('no-opinion', `Nothing of ${service} has been compared yet: no load of it is known.`)
    }
    const { policy: { mode, objective, demo } } = resolveService(service, stored, context.config())
    const [prescale, hpa] = [priced(savings.prescale, objective), priced(savings.hpa, objective)]
    return {
      ...savings,
      mode,
      prescale,
      hpa,
      saved: {
        instanceHours: hpa.instanceHours - prescale.instanceHours,
        instanceHoursRatio: hpa.instanceHours > 0 ? 1 - prescale.instanceHours / hpa.instanceHours : 0,
        violationMinutes: hpa.violationMinutes - prescale.violationMinutes,
        money: hpa.money && prescale.money && hpa.money.total - prescale.money.total
      },
      ...(demo && { demo })
    }
  })
}

function priced (result: AutoscalerResult, objective: Objective | undefined) {
  return { ...result, money: moneyOf(result, objective) }
}
