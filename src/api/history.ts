import { Type } from 'typebox'
import type { Decision } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { explain } from '../explain.ts'
import type { PastVerdict } from '../store/past-verdict.ts'
import type { Api, ApiContext } from './context.ts'
import { refuseUnknown } from './decisions.ts'
import { allowedServices } from './principal.ts'
import { answers, decisionSchema, nullable, serviceParams } from './schemas.ts'

const tags = ['decisions']
const time = (description: string) => Type.Integer({ minimum: 0, description: `ms since 1970; ${description}` })
const numbers = (description: string) => Type.Array(Type.Union([Type.Number(), Type.Null()]), { description })
/** The forecast as three lines; nobody can read more of them in a plot. */
const shownQuantiles = [0.05, 0.5, 0.95] as const
const maxSparklines = 100

const seriesSchema = Type.Object({
  service: Type.String(),
  decisions: Type.Object({
    at: Type.Array(Type.Integer(), { description: 'ms since 1970, ascending; all lists are as long' }),
    load: numbers('of the whole service'),
    capacity: numbers('that one replica carries at the target utilisation'),
    low: numbers(`what the largest load within the horizon exceeds with probability ${1 - shownQuantiles[0]}`),
    middle: numbers('and with probability 0.5'),
    high: numbers(`and with probability ${1 - shownQuantiles[2]}`),
    wanted: numbers('replicas'),
    ready: numbers('replicas'),
    reactive: numbers('replicas that the formula of HPA asks for'),
    source: Type.Array(Type.String())
  }),
  verdicts: Type.Object({ at: Type.Array(Type.Integer()), score: numbers('0 to 1, higher is more anomalous'), threshold: numbers('of the score'), anomaly: Type.Array(Type.Boolean()) }),
  horizonSeconds: Type.Union([Type.Number(), Type.Null()])
})

const sparklineSchema = Type.Object({ service: Type.String(), at: Type.Array(Type.Integer()), load: numbers('oldest first'), forecast: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()]) })

const pastVerdictSchema = Type.Object({ asOf: Type.Integer(), score: Type.Number(), threshold: Type.Number(), isAnomaly: Type.Boolean(), severity: Type.String() }, {
  additionalProperties: true, description: 'that was in force then; with its causes where something was abnormal'
})

/** What was said in the past, in the forms that a plot and a reader want. */
export function historyRoutes (app: Api, context: ApiContext): void {
  const { decisions } = context

  app.get('/v1/services/:service/series', {
    schema: {
      tags,
      summary: 'Load, forecast, replicas and anomaly score of the past as columns',
      params: serviceParams,
      querystring: Type.Object({
        since: Type.Optional(time('only later samples')),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 2000 }))
      }, { additionalProperties: false }),
      response: answers(200, seriesSchema, 404, 503)
    }
  }, async ({ params: { service }, query: { since = -Infinity, limit = 2000 } }) => {
    const [history, verdicts] = await Promise.all([decisions.history(service, { since, limit }), decisions.verdicts(service, { limit })])
    if (history.length === 0 && verdicts.length === 0) await refuseUnknown(service, context)
    return {
      service,
      decisions: columnsOf(history.reverse()),
      verdicts: verdictColumns(verdicts.filter(({ asOf }) => asOf > since).reverse()),
      horizonSeconds: history.at(-1)?.forecast?.horizonSeconds ?? null
    }
  })

  app.get('/v1/services/:service/explanation', {
    schema: {
      tags,
      summary: 'Why it was decided so: the decision that was in force at a time, and its story in plain words',
      params: serviceParams,
      querystring: Type.Object({ at: Type.Optional(time('the latest decision where not given')) }, { additionalProperties: false }),
      response: answers(200, Type.Object({ decision: decisionSchema, verdict: nullable(pastVerdictSchema), story: Type.Array(Type.String()) }), 404, 503)
    }
  }, async ({ params: { service }, query: { at } }) => {
    const history = await decisions.history(service, { limit: at === undefined ? 1 : context.config().limits.historyDecisions })
    const decision = history.find(({ asOf }) => at === undefined || asOf <= at)
    if (decision !== undefined) {
      const verdicts = await decisions.verdicts(service, { limit: at === undefined ? 1 : context.config().limits.historyDecisions })
      return { decision, verdict: verdicts.find(({ asOf }) => asOf <= decision.asOf) ?? null, story: explain(decision) }
    }
    await refuseUnknown(service, context)
    throw new PrescaleError('no-opinion', history.length === 0 ? `Nothing has been decided for ${service} yet.` : `Decisions on ${service} are kept since ${new Date(history.at(-1)!.asOf).toISOString()}.`)
  })

  app.get('/v1/sparklines', {
    schema: {
      tags,
      summary: 'The recent load of some services with what is expected next',
      querystring: Type.Object({
        services: Type.String({ minLength: 1, maxLength: 16_384, title: `names of at most ${maxSparklines} services with commas between them` }),
        points: Type.Optional(Type.Integer({ minimum: 2, maximum: 120, default: 60 }))
      }, { additionalProperties: false }),
      response: answers(200, Type.Object({ sparklines: Type.Array(sparklineSchema) }), 400, 503)
    }
  }, async (request) => {
    const { services, points = 60 } = request.query
    const may = allowedServices(request as unknown as Parameters<typeof allowedServices>[0])
    const names = [...new Set(services.split(','))].filter((name) => name !== '' && (may === null || may(name)))
    if (names.length > maxSparklines) throw new PrescaleError('limit-exceeded', `${names.length} services are asked for, at most ${maxSparklines} may be.`)
    return { sparklines: await Promise.all(names.map(async (service) => sparklineOf(service, await decisions.history(service, { limit: points })))) }
  })
}

function columnsOf (decisions: readonly Decision[]) {
  const column = (of: (decision: Decision) => number | null) => decisions.map((decision) => rounded(of(decision)))
  return {
    at: decisions.map(({ asOf }) => asOf),
    load: column(({ load }) => load),
    capacity: column(({ capacity }) => capacity),
    low: column((decision) => loadAt(decision, shownQuantiles[0])),
    middle: column((decision) => loadAt(decision, shownQuantiles[1])),
    high: column((decision) => loadAt(decision, shownQuantiles[2])),
    wanted: column(({ replicas }) => replicas),
    ready: column(({ currentReplicas }) => currentReplicas),
    reactive: column(({ rawRecommendations }) => rawRecommendations.find(({ source }) => source === 'reactive')?.replicas ?? null),
    source: decisions.map(({ source }) => source)
  }
}

function verdictColumns (verdicts: readonly PastVerdict[]) {
  return {
    at: verdicts.map(({ asOf }) => asOf),
    score: verdicts.map(({ score }) => rounded(score)),
    threshold: verdicts.map(({ threshold }) => rounded(threshold)),
    anomaly: verdicts.map(({ isAnomaly }) => isAnomaly)
  }
}

function sparklineOf (service: string, newestFirst: readonly Decision[]) {
  const decisions = newestFirst.toReversed()
  const newest = newestFirst.at(0)
  const forecast = newest?.forecast && {
    until: newest.asOf + newest.forecast.horizonSeconds * 1000,
    low: rounded(loadAt(newest, shownQuantiles[0])),
    middle: rounded(loadAt(newest, shownQuantiles[1])),
    high: rounded(loadAt(newest, shownQuantiles[2]))
  }
  return { service, at: decisions.map(({ asOf }) => asOf), load: decisions.map(({ load }) => rounded(load)), forecast: forecast ?? null }
}

function loadAt ({ forecast }: Decision, quantile: number): number | null {
  return forecast?.quantiles.find((one) => one.quantile === quantile)?.load ?? null
}

/** Six digits are more than a screen has, and half the bytes. */
function rounded (value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(6))
}
