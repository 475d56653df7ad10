import { Type, type TProperties, type TSchema } from 'typebox'
import { serviceModes, serviceNamePattern, signalNamePattern } from '../domain.ts'

/** What answers look like, for OpenAPI; answers are not filtered by it. */
const object = <T extends TProperties>(properties: T, description?: string) => Type.Object(properties, { ...(description && { description }) })
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])
const optional = Type.Optional
const time = (description: string) => Type.Integer({ description: `${description}, in ms since 1970` })
const sources = ['forecast', 'reactive', 'hold', 'floor']

export const serviceName = Type.String({ pattern: serviceNamePattern, title: 'the name of a service: letters, digits, ".", "_" and "-", at most 128 characters' })
export const signalName = Type.String({ pattern: signalNamePattern, title: 'the name of a signal: a letter a-z, then letters, digits and _, at most 64 characters' })
export const signalsSchema = Type.Record(signalName, Type.Number({ title: 'a finite number' }), {
  additionalProperties: false, maxProperties: 256, title: 'signals by name (a letter a-z, then letters, digits and _) such as { requestsPerSecond: 120 }'
})
export const serviceParams = Type.Object({ service: serviceName })

export const problemSchema = object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  errors: optional(Type.Array(object({ path: Type.String(), value: optional(Type.Unknown()), expected: Type.String() })))
}, 'Problem details, RFC 9457')

/** Response schemas of a route: its own answer, and the problems that it may answer with. */
export function answers (status: number | number[], schema: TSchema, ...problems: number[]): Record<number, object> {
  const own = [status].flat().map((code) => [code, schema])
  return Object.fromEntries([...own, ...problems.map((code) => [code, { description: 'Problem', content: { 'application/problem+json': { schema: problemSchema } } }])])
}

export const serviceModeSchema = Type.Enum([...serviceModes], { description: 'only in act autoscalers are given the decisions' })

export const moneySchema = object({ instances: Type.Number(), violations: Type.Number(), total: Type.Number() })

export const autoscalerResultSchema = object({
  violationRatio: Type.Number({ description: 'violating requests / requests' }),
  violationMinutes: Type.Number({ description: 'of which all requests violated; one in which half of them did counts half' }),
  instanceHours: Type.Number({ description: 'paid for: ready and starting' }),
  changesPerHour: Type.Number(),
  money: nullable(moneySchema)
})

export const forecastSchema = object({
  horizonSeconds: Type.Number(),
  quantiles: Type.Array(object({ quantile: Type.Number(), load: Type.Number() }), { description: 'of the largest load within the horizon' }),
  modelVersion: Type.String(),
  reason: optional(Type.String({ description: 'why it is of this model, where the service has one of its own, too' })),
  calibration: optional(object({
    forecasts: Type.Integer({ description: 'whose time has come' }),
    coverage: Type.Array(object({ quantile: Type.Number(), share: Type.Number() }), { description: 'how often the load stayed at or below it, lately' })
  }, 'how far the quantiles can be believed; absent before the first forecast has come due'))
})

const featureSchema = object({ name: Type.String(), value: Type.Number(), importance: Type.Number() })

export const decisionSchema = object({
  service: Type.String(),
  mode: serviceModeSchema,
  asOf: time('The sample that it rests on'),
  validUntil: time('The end of its life'),
  replicas: Type.Integer(),
  currentReplicas: Type.Integer(),
  source: Type.Enum(sources),
  rawRecommendations: Type.Array(object({
    source: Type.Enum(sources), replicas: Type.Integer(), reason: Type.String(), signal: optional(Type.String({ description: 'the further driver that asks' }))
  })),
  adjustments: Type.Array(object({ stage: Type.String(), from: Type.Number(), to: Type.Number(), reason: Type.String() })),
  notices: optional(Type.Array(Type.String(), { description: 'Worth knowing although it changed nothing: a budget that runs out, a hold that is over.' })),
  outageSince: optional(time('Since when the load is collapsed, or an operator says that it is')),
  reason: Type.String(),
  load: nullable(Type.Number()),
  capacity: nullable(Type.Number()),
  forecast: nullable(forecastSchema),
  topFeatures: Type.Array(featureSchema),
  missingSignals: Type.Array(Type.String()),
  modelVersion: Type.String(),
  demo: optional(Type.Boolean()),
  previousHash: optional(nullable(Type.String({ description: 'hash of the decision before this one' }))),
  hash: optional(Type.String({ description: 'SHA-256 over the canonical JSON of all the rest' }))
})

export const forecastAnswerSchema = object({
  service: Type.String(),
  asOf: time('The newest sample'),
  validUntil: time('The end of its life'),
  load: nullable(Type.Number()),
  capacity: nullable(Type.Number()),
  forecast: forecastSchema,
  topFeatures: Type.Array(featureSchema),
  demo: optional(Type.Boolean())
})

const actionSchema = Type.Enum(['no_action_needed', 'monitor_closely', 'planned_maintenance', 'immediate_maintenance'])
export const maintenanceSchema = object({
  action: actionSchema,
  probability: Type.Number(),
  reason: Type.String(),
  windows: optional(Type.Array(object({
    start: time('The begin of the window'),
    end: time('Its end'),
    expectedLoad: Type.Number({ description: 'the most that is expected in it' }),
    shareOfPeak: Type.Number({ description: 'of the most that is expected within the season' })
  }), { description: 'times that would disturb least, the quietest first; none where no season of the load is known' }))
})

export const verdictSchema = object({
  service: Type.String(),
  asOf: time('The sample that it judges'),
  score: Type.Number({ minimum: 0, maximum: 1, description: 'higher is more anomalous' }),
  threshold: Type.Number(),
  isAnomaly: Type.Boolean(),
  tailProbability: optional(nullable(Type.Number({ minimum: 0, maximum: 1, description: 'how probable a score at least as high is while the service is calm; null while too little is known' }))),
  severity: Type.Enum(['none', 'low', 'medium', 'high', 'critical']),
  causes: Type.Array(object({
    signal: Type.String(), value: Type.Number(), expectedLow: Type.Number(), expectedHigh: Type.Number(), share: Type.Number(), text: Type.String()
  })),
  maintenance: maintenanceSchema,
  missingSignals: Type.Array(Type.String()),
  drift: optional(object({
    score: Type.Number({ description: 'population stability index of the scores of the last day; above 0.25 they have moved' }),
    signals: Type.Array(object({ signal: Type.String(), index: Type.Number() })),
    forecastError: optional(object({ at: Type.Integer(), before: Type.Number(), after: Type.Number() }, 'a rise of |ln (load / forecast)| of late')),
    reason: nullable(Type.String())
  })),
  modelVersion: Type.String(),
  incident: optional(nullable(Type.String({ description: 'id of the incident that was open then' }))),
  demo: optional(Type.Boolean())
})

export const incidentSchema = object({
  id: Type.String(),
  service: Type.String(),
  state: Type.Enum(['open', 'closed']),
  revision: Type.Integer({ description: 'grows with every change that is told' }),
  startedAt: time('The first anomalous sample'),
  lastAnomalyAt: time('The newest anomalous sample'),
  endedAt: nullable(time('The last anomalous sample, once it has been quiet for long enough')),
  silentSince: optional(time('The newest sample of a service that has fallen silent: nobody knows whether its open incident is over')),
  peak: object({ at: Type.Integer(), score: Type.Number() }),
  severity: Type.Enum(['none', 'low', 'medium', 'high', 'critical'], { description: 'the highest so far' }),
  anomalies: Type.Integer({ description: 'anomalous samples' }),
  reopened: Type.Integer({ description: 'how often it came back soon after it had been closed' }),
  causes: Type.Array(object({
    signal: Type.String(),
    direction: Type.Enum(['up', 'down', 'both'], { description: '`both`: it moved unusually within its range' }),
    firstAt: Type.Integer(),
    lastAt: Type.Integer(),
    peakAt: Type.Integer(),
    value: Type.Number({ description: 'at its worst' }),
    expectedLow: Type.Number(),
    expectedHigh: Type.Number(),
    share: Type.Number({ description: 'mean share of the score' }),
    text: Type.String()
  }), { description: 'largest share first' }),
  maintenance: object({ action: actionSchema, probability: Type.Number(), reason: Type.String() }, 'when it was most urgent'),
  feedback: nullable(object({ verdict: Type.Enum(['normal', 'real']), at: Type.Integer(), by: Type.String(), note: optional(Type.String()) })),
  demo: optional(Type.Boolean())
})

const relatedSchema = object({
  id: Type.String(),
  service: Type.String(),
  state: Type.Enum(['open', 'closed']),
  startedAt: Type.Integer(),
  endedAt: nullable(Type.Integer()),
  severity: Type.String(),
  relation: Type.Enum(['upstream', 'downstream', 'labels'], { description: '`upstream`: the service needs it; `downstream`: it needs the service; `labels`: they have only these in common' }),
  sharedLabels: Type.Record(Type.String(), Type.String())
})
export const relationsSchema = object({
  related: Type.Array(relatedSchema, { description: 'incidents of other services at the same time, earliest start first' }),
  likelyOrigin: nullable(relatedSchema)
})

const parameterValue = Type.Union([Type.Number(), Type.String({ maxLength: 128 }), Type.Boolean()], { title: 'a number, a text, true or false' })
export const configurationSchema = Type.Record(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,63}$' }), parameterValue, {
  additionalProperties: false, minProperties: 1, maxProperties: 50, title: 'values by parameter such as { threadPoolSize: 64, timeoutMs: 500 }'
})

const suggestionAnswerSchema = object({
  answer: Type.Enum(['accepted', 'refused']),
  config: configurationSchema,
  at: time('When it was given'),
  by: Type.String(),
  note: optional(Type.String())
})
const proofSchema = {
  since: nullable(time('The first result')),
  periods: object({ defaults: Type.Integer({ description: 'compared with their neighbours' }), suggested: Type.Integer() }),
  gain: nullable(object({
    mean: Type.Number({ description: 'over the defaults, in the unit of performance' }),
    low: Type.Number({ description: 'of an interval of 95 %' }),
    high: Type.Number(),
    ratio: nullable(Type.Number({ description: 'of the performance of the defaults' }))
  })),
  outcome: Type.Enum(['gain', 'no-measurable-gain', 'loss', 'too-few-periods']),
  reason: Type.String()
}
export const tuningProofSchema = object({ service: Type.String(), ...proofSchema })

const expectedSchema = nullable(object({
  performance: Type.Number(),
  low: Type.Number({ description: 'of an interval of 90 %' }),
  high: Type.Number(),
  gain: Type.Number({ description: 'over the defaults' }),
  gainLow: Type.Number(),
  gainHigh: Type.Number()
}, 'in the unit of performance'))
const changedSchema = Type.Array(object({ name: Type.String(), from: parameterValue, to: parameterValue, unit: optional(Type.String()) }), { description: 'against what ran last' })

export const suggestionSchema = object({
  service: Type.String(),
  asOf: time('The newest sample or result'),
  source: Type.Enum(['network', 'results', 'bluefin'], { description: 'network: what was told to be best, or the shipped network; results: what came of configurations that ran; bluefin: the two-point method' }),
  config: configurationSchema,
  changed: changedSchema,
  reason: Type.String(),
  observations: Type.Integer({ description: 'feedbacks that were learned from' }),
  modelVersion: Type.String(),
  mode: optional(Type.Enum(['suggest', 'apply'])),
  kind: optional(Type.Enum(['defaults', 'incumbent', 'exploration', 'revert', 'proof'], { description: 'incumbent: the best of what has run; exploration: a trial; revert: after a bad surprise; proof: the defaults, to measure the gain' })),
  expected: optional(expectedSchema),
  observationsNearby: optional(Type.Integer({ description: 'results of nearly this configuration in nearly this state' })),
  undo: optional(configurationSchema),
  canary: optional(nullable(object({
    config: configurationSchema, kind: Type.Enum(['exploration', 'proof']), changed: changedSchema, expected: expectedSchema, reason: Type.String()
  }, 'what one instance should run beside the others, with tuning.canary; null while nothing is to be tried'))),
  proof: optional(object(proofSchema)),
  accepted: optional(suggestionAnswerSchema),
  refused: optional(suggestionAnswerSchema),
  demo: optional(Type.Boolean())
})
