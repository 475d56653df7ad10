import { Type } from 'typebox'
import { resolveService } from '../config.ts'
import { serviceSettingsSchema, type ServiceSettings } from '../config-schema.ts'
import { checkSettings } from '../config-service.ts'
import { PrescaleError } from '../errors.ts'
import { runTasks } from '../threads/simulation-pool.ts'
import { whatIfAnswer, whatIfTasks } from '../what-if.ts'
import type { Api, ApiContext } from './context.ts'
import { refuseUnknown } from './decisions.ts'
import { answers, autoscalerResultSchema, nullable, serviceParams } from './schemas.ts'

const { target, minReplicas, maxReplicas, startUpSeconds, violationTarget, objective, behavior } = serviceSettingsSchema.properties
const bodySchema = Type.Object({
  hours: Type.Optional(Type.Number({ minimum: 1, maximum: 336, default: 24, description: 'How much of the past counts; what is kept before it is there to be learned from.' })),
  settings: Type.Optional(Type.Object({ target, minReplicas, maxReplicas, startUpSeconds, violationTarget, objective, behavior }, {
    additionalProperties: false, description: 'What would be otherwise; the rest is as it is set.'
  }))
}, { additionalProperties: false })

const worstHourSchema = nullable(Type.Object({ at: Type.Integer({ description: 'ms since 1970; its begin' }), violationRatio: Type.Number() }))
const resultSchema = Type.Object({ ...autoscalerResultSchema.properties, worstHour: worstHourSchema })
const replicas = (description: string) => Type.Array(Type.Number(), { description: `replicas wished for ${description}` })
const answerSchema = Type.Object({
  service: Type.String(),
  from: Type.Integer({ description: 'ms since 1970; begin of what counts' }),
  to: Type.Integer({ description: 'ms since 1970; its end' }),
  hours: Type.Number({ description: 'that count; fewer than asked for where fewer are kept' }),
  stepSeconds: Type.Number(),
  modelVersion: Type.String({ description: 'the forecast that both simulations go by: the shared one, which has not seen these hours' }),
  present: resultSchema,
  changed: resultSchema,
  hpa: resultSchema,
  series: Type.Object({
    at: Type.Array(Type.Integer(), { description: 'ms since 1970; at most 720 points, each with the largest value of its time' }),
    load: Type.Array(nullable(Type.Number())),
    present: replicas('with the present settings'),
    changed: replicas('with the changed ones'),
    hpa: replicas('by HPA with the present settings')
  })
})

const mostWaiting = 4
const timeoutMs = 25_000

/** The last hours once more, with other settings: the same reducer, in a simulated cluster, on a thread of its own. */
export function whatIfRoutes (app: Api, context: ApiContext): void {
  const simulateInTurn = inTurn()

  app.post('/v1/services/:service/what-if', {
    bodyLimit: 65_536,
    schema: { tags: ['services'], summary: 'What the last hours would have come to with other settings', params: serviceParams, body: bodySchema, response: answers(200, answerSchema, 400, 404, 413, 415, 503) }
  }, async ({ params: { service }, body: { hours = 24, settings: changes = {} } }) => {
    const { config, settings, decisions, loads, models } = context
    const [stored, decision, kept] = await Promise.all([settings.get(service), decisions.latest(service), loads.read(service)])
    if (decision === null || kept === null) {
      await refuseUnknown(service, context)
      throw new PrescaleError('no-opinion', `No load of ${service} is kept yet.`)
    }
    const own = stored as ServiceSettings | null ?? config().services.get(service) ?? {}
    const changed = { ...own, ...changes }
    const details = checkSettings(changed, config().defaults, 'settings')
    if (details.length > 0) throw new PrescaleError('invalid-request', `The settings would have ${details.length === 1 ? 'one error' : `${details.length} errors`}.`, { details })
    const { forecast } = models()
    const question = {
      hours,
      present: resolveService(service, own, config()).policy,
      changed: resolveService(service, changed, config()).policy,
      loads: kept,
      decision,
      forecast: forecast && { bytes: forecast.toBytes(), version: forecast.version }
    }
    const tasks = whatIfTasks(question)
    const results = await simulateInTurn(() => runTasks(tasks, { threads: 1, signal: AbortSignal.timeout(timeoutMs) }).catch(explained))
    return { service, ...whatIfAnswer(question, results) }
  })
}

function explained (error: unknown): never {
  if ((error as Error).name === 'TimeoutError') throw new PrescaleError('overloaded', `The simulation was not done within ${timeoutMs / 1000} s; ask for fewer hours.`)
  throw error
}

/** One after the other: a simulation takes a processor for seconds. */
function inTurn () {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  return async <T>(run: () => Promise<T>): Promise<T> => {
    if (waiting >= mostWaiting) throw new PrescaleError('overloaded', `${waiting} simulations wait already.`)
    waiting++
    const mine = last.then(run)
    last = mine.catch(() => {})
    return await mine.finally(() => { waiting-- })
  }
}
