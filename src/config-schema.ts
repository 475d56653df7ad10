import { Type, type Static, type TProperties, type TObject } from 'typebox'
import { clientCertificateSchema } from './access/grants.ts'
import { serviceModes, serviceNamePattern, signalNamePattern } from './domain.ts'
import { grpcSchema, kubernetesSchema, pushSchema } from './config-adapters.ts'
import { tuningSchema } from './config-tuning.ts'
import { signalsSchema } from './ingest/mapping.ts'

/** An object that knows no other keys; what nobody knows is a slip of the pen. */
const object = <T extends TProperties>(properties: T, options: { description?: string, title?: string } = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options })
const optional = Type.Optional

const count = (least: number, options: { default?: number, maximum?: number, description?: string } = {}) =>
  optional(Type.Integer({ minimum: least, ...options }))
const seconds = (options: { minimum?: number, exclusiveMinimum?: number, maximum?: number, default?: number, description?: string }) =>
  optional(Type.Number(options))
const autoOr = (options: { minimum?: number, exclusiveMinimum?: number, maximum?: number }, title: string, description: string) =>
  optional(Type.Union([Type.Literal('auto'), Type.Number(options)], { title, description, default: 'auto' }))
const signalName = Type.String({ pattern: signalNamePattern, title: 'the name of a signal: a letter a-z, then letters, digits and _, at most 64 characters' })

/** Values above 0 and at most 1. */
const share = (options: { default?: number, description: string }) => optional(Type.Number({ exclusiveMinimum: 0, maximum: 1, ...options }))

// --------------------------------------------------------------------------------------------------------- services

const targetTitle = 'a signal per replica such as { requestsPerSecond: 100, utilization: 0.7 }, a ratio such as { cpuUsageRatio: 0.7 }, or auto'

const targetSchema = Type.Union([
  Type.Literal('auto'),
  Type.Record(signalName, Type.Number({ exclusiveMinimum: 0, title: 'a number above 0' }), {
    additionalProperties: false, minProperties: 1, maxProperties: 2, title: targetTitle
  })
], { title: targetTitle, default: 'auto', description: 'What one replica carries. `auto` learns it from requestsPerSecond and the ready replicas.' })

/** The shape of HorizontalPodAutoscaler v2's `behavior`. */
const rulesSchema = object({
  stabilizationWindowSeconds: optional(Type.Integer({ minimum: 0, maximum: 3600 })),
  selectPolicy: optional(Type.Enum(['Max', 'Min', 'Disabled'])),
  policies: optional(Type.Array(object({
    type: Type.Enum(['Pods', 'Percent']),
    value: Type.Integer({ minimum: 1 }),
    periodSeconds: Type.Integer({ minimum: 1, maximum: 1800 })
  }), { minItems: 1, maxItems: 16 })),
  tolerance: optional(Type.Number({ minimum: 0, maximum: 1 }))
})

const because = {
  reason: optional(Type.String({ minLength: 1, maxLength: 200 })),
  until: optional(Type.String({ format: 'date-time', title: 'a date and time such as 2026-12-24T08:00:00Z' }))
}
/** A number for a ratio, an amount per replica for everything else. */
const driversSchema = Type.Record(signalName, Type.Union([
  Type.Number({ exclusiveMinimum: 0, maximum: 1, title: 'a ratio above 0 and at most 1' }),
  object({ perReplica: Type.Number({ exclusiveMinimum: 0 }) })
], { title: 'a ratio such as 0.8, or { perReplica: 30 }' }), {
  additionalProperties: false,
  maxProperties: 16,
  title: 'further signals such as { memoryUsageRatio: 0.8, queueLength: { perReplica: 30 } }',
  description: 'Each asks for replicas as HPA would; the largest wins, and while one is not measured nothing is scaled in.'
})

const timeZone = (options: { default?: string } = {}) => optional(Type.String({ minLength: 1, maxLength: 64, title: 'a time zone such as Europe/Berlin', ...options }))
const scheduleSchema = object({
  cron: optional(Type.String({ minLength: 9, maxLength: 128, title: 'a cron expression such as "0 8 * * 1-5"' })),
  at: optional(Type.String({ format: 'date-time', title: 'a date and time such as 2026-11-27T08:00:00Z' })),
  timeZone: timeZone({ default: 'UTC' }),
  durationSeconds: seconds({ minimum: 60, maximum: 31_536_000 }),
  until: optional(Type.String({ minLength: 9, maxLength: 128, title: 'beside cron another cron expression, beside at a date and time' })),
  factor: optional(Type.Number({ exclusiveMinimum: 1, maximum: 1000, description: 'So many times the load that the same time last season had is prepared for.' })),
  minReplicas: count(0, { maximum: 100_000 }),
  maxReplicas: count(1, { maximum: 100_000 }),
  reason: Type.String({ minLength: 1, maxLength: 200 })
}, { title: '{ cron, until | durationSeconds, timeZone, reason } or { at, until | durationSeconds, reason } with minReplicas, maxReplicas or factor' })

const overrideSchema = Type.Union([
  object({ pause: Type.Literal(true), ...because }),
  object({ hold: Type.Literal(true), ...because }),
  object({ outage: Type.Literal(true), ...because }),
  object({ force: Type.Integer({ minimum: 0, maximum: 100_000 }), ...because })
], { title: '{ pause: true }, { hold: true }, { outage: true } or { force: REPLICAS }, each with an optional reason and until' })

const labelsSchema = (title: string) => Type.Record(Type.String({ minLength: 1, maxLength: 1024 }), Type.String({ maxLength: 1024 }), { title })

const signalRuleSchema = object({
  direction: optional(Type.Enum(['up', 'down', 'both'], { default: 'both', description: 'Which way a change matters.' })),
  minimumDeviation: optional(Type.Union([
    Type.Number({ minimum: 0 }), Type.String({ pattern: '^[0-9]{1,6}([.][0-9]{1,6})?%$' })
  ], { title: 'a number in the unit of the signal, or a share such as 20%', default: 0, description: 'Smaller differences from what is usual are nothing.' })),
  limit: optional(Type.Number({ exclusiveMinimum: 0, description: 'Where it is full or can do no more: maintenance is due before it is reached. 1 for every …UsageRatio.' }))
})

const anomaliesSchema = object({
  signals: optional(Type.Record(signalName, signalRuleSchema, { additionalProperties: false, maxProperties: 100, title: 'rules by signal such as { cpuUsageRatio: { direction: up } }' })),
  closeAfterSeconds: seconds({ minimum: 0, maximum: 86_400, default: 300, description: 'An incident ends after so long without an anomaly, but not before three steps.' }),
  reopenWithinSeconds: seconds({ minimum: 0, maximum: 604_800, default: 3600, description: 'An anomaly so soon after the last one belongs to the same incident.' }),
  adoptLevelAfterSeconds: seconds({ minimum: 3600, maximum: 2_592_000, default: 172_800, description: 'A signal that has been away from its level for so long has a new one.' }),
  adoptAlarmAfterSeconds: seconds({ minimum: 3600, maximum: 2_592_000, default: 43_200, description: 'An alarm that has lasted for so long is the new normal.' })
}, { description: 'What of an anomaly anybody cares about, and how anomalies become incidents.' })

const namesOfServices = Type.Array(Type.String({ pattern: serviceNamePattern, title: 'the name of a service' }), {
  maxItems: 100, title: 'names of services', description: 'Services that this one needs: where both have an incident, theirs is the likely origin; while they are in trouble, nothing is scaled in (outageHold).'
})

export const serviceSettingsSchema = object({
  match: optional(labelsSchema('labels and their values such as { job: shop }; a value between slashes is a regular expression')),
  signals: optional(signalsSchema),
  mode: optional(Type.Enum([...serviceModes], { default: 'shadow', description: 'shadow: decide and record. advise: push changes as well. act: let autoscalers have the decisions.' })),
  minReplicas: count(0, { default: 1, maximum: 100_000 }),
  maxReplicas: count(1, { default: 100, maximum: 100_000 }),
  target: optional(targetSchema),
  startUpSeconds: autoOr({ minimum: 0, maximum: 86_400 }, 'seconds from 0 to 86400, or auto', 'From the order of an instance to its first answer. `auto` measures it.'),
  stepSeconds: seconds({ minimum: 1, maximum: 3600, default: 60, description: 'Length of one sample interval.' }),
  seasonSeconds: seconds({ minimum: 60, maximum: 31_536_000, default: 86_400, description: 'Length of the cycle that the load repeats.' }),
  violationTarget: share({ default: 0.01, description: 'Share of requests that may meet too few replicas.' }),
  objective: optional(object({
    costPerReplicaHour: Type.Number({ minimum: 0, description: 'In any currency.' }),
    costPerViolationMinute: Type.Number({ minimum: 0, description: 'Of a minute in which all requests meet too few replicas; one in which half of them do costs half.' })
  }, { description: 'Takes the place of violationTarget: money decides how many violations are worth their price.' })),
  behavior: optional(object({ scaleUp: optional(rulesSchema), scaleDown: optional(rulesSchema) }, { description: 'As in HorizontalPodAutoscaler v2, with its defaults.' })),
  override: optional(overrideSchema),
  overrides: optional(Type.Array(overrideSchema, { maxItems: 16, description: 'Further ones; where they contradict each other, the one with the most replicas counts.' })),
  outageHold: optional(object({
    ttlSeconds: Type.Integer({ minimum: 0, maximum: 604_800 })
  }, { description: 'How long scale-in is held when the load collapses, or a service of dependsOn is in trouble: an hour where not given, 0 for never.' })),
  spikeCap: optional(object({
    factor: optional(Type.Number({ exclusiveMinimum: 1, maximum: 1000, default: 1.5 })),
    steps: optional(Type.Integer({ minimum: 0, maximum: 1000, default: 3 }))
  }, { description: 'A load that is unusual and was impossible lets replicas grow by this factor a step until it has lasted for so many samples, and teaches nothing before; 0 steps let it pass.' })),
  budget: optional(object({
    instanceHoursPerDay: Type.Number({ exclusiveMinimum: 0 }),
    timeZone: timeZone({ default: 'UTC' })
  }, { description: 'What is left of it limits the replicas; never below minReplicas.' })),
  schedules: optional(Type.Array(scheduleSchema, { maxItems: 64, description: 'Limits and loads that are known before they come. Floors are met when they begin.' })),
  drivers: optional(driversSchema),
  activationLoad: optional(Type.Number({ minimum: 0, description: 'With minReplicas 0: a load above it wakes the service; 0 where not given.' })),
  idleSeconds: seconds({ minimum: 0, maximum: 604_800, description: 'With minReplicas 0: none are run only after so long without such a load; 300 where not given.' }),
  holdSeconds: seconds({ minimum: 0, maximum: 86_400, default: 900, description: 'How long the last decision stands in for an absent load.' }),
  decisionTtlSeconds: seconds({ minimum: 1, maximum: 86_400, description: 'How long a decision may be handed out; three steps, at least 60 s, where not given.' }),
  falseAlarmsPerWeek: optional(Type.Number({ exclusiveMinimum: 0, maximum: 10_000, default: 7, description: 'How many false alarms are acceptable.' })),
  anomalies: optional(anomaliesSchema),
  tuning: optional(tuningSchema),
  dependsOn: optional(namesOfServices),
  labels: optional(labelsSchema('labels that services have in common such as { node: n1, team: payments }; incidents of them are related')),
  lateSeconds: seconds({ minimum: 0, maximum: 3600, default: 5, description: 'How long a step stays open for points that come late.' })
}, { description: 'Settings of one service; every key may be left out.' })
export type ServiceSettings = Static<typeof serviceSettingsSchema>

// ---------------------------------------------------------------------------------------------------------- sources

const httpUrl = Type.String({ pattern: '^https?://[^\\s/?#@]+(?:[/?#]|$)', maxLength: 2048, title: 'an address that begins with http:// or https://, without user and password' })

export const scrapeSchema = object({
  url: httpUrl,
  intervalSeconds: seconds({ minimum: 1, maximum: 3600, default: 15 }),
  timeoutSeconds: seconds({ exclusiveMinimum: 0, maximum: 600, description: 'Ten seconds, or the interval if that is shorter, where not given.' }),
  maxBytes: count(1024, { default: 16_777_216, maximum: 268_435_456 }),
  labels: optional(labelsSchema('labels that every series of this exporter gets, such as { job: node }'))
})

const prometheusSchema = object({
  url: httpUrl,
  intervalSeconds: seconds({ minimum: 1, maximum: 3600, default: 60 }),
  timeoutSeconds: seconds({ exclusiveMinimum: 0, maximum: 600, description: 'Ten seconds, or the interval if that is shorter, where not given.' }),
  maxBytes: count(1024, { default: 16_777_216, maximum: 268_435_456 }),
  serviceLabel: Type.String({ minLength: 1, maxLength: 1024, title: 'the label whose value names the service' }),
  signals: Type.Record(signalName, Type.String({ minLength: 1, maxLength: 8192, title: 'a PromQL query' }), {
    additionalProperties: false, minProperties: 1, title: 'one PromQL query for each signal such as { requestsPerSecond: "sum by (app) (rate(http_requests_total[1m]))" }'
  })
})

const remoteWriteSchema = object({
  enabled: optional(Type.Boolean({ default: true })),
  serviceLabel: optional(Type.String({ minLength: 1, maxLength: 1024, description: 'Every value of this label becomes a service.' })),
  signals: optional(signalsSchema)
})

const overHttpSchema = object({
  enabled: optional(Type.Boolean({ default: false, description: 'Whether administrators may add exporters with PUT /v1/targets/{name}.' })),
  allow: optional(Type.Array(
    Type.String({ pattern: '^(?:[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?|[.]?[A-Za-z0-9][A-Za-z0-9.-]*)$', maxLength: 255, title: 'a network such as 10.1.0.0/16, an address, or the end of a name such as .monitoring.svc' }),
    { maxItems: 1000, default: [], description: 'What of them may be fetched although it is not public.' }))
})

// ------------------------------------------------------------------------------------------------------------ whole

const limitsSchema = object({
  bodyBytes: count(1024, { default: 8_388_608, maximum: 1_073_741_824, description: 'On the wire.' }),
  decodedBytes: count(1024, { default: 33_554_432, maximum: 1_073_741_824, description: 'After decompression.' }),
  services: count(1, { default: 5000 }),
  seriesPerService: count(1, { default: 10_000 }),
  labelsPerSeries: count(1, { default: 64 }),
  labelValueLength: count(16, { default: 1024, description: 'Of names as well.' }),
  samplesPerRequest: count(1, { default: 200_000, description: 'Values in one scrape or one remote write.' }),
  waitingJobs: count(1, { default: 20_000, description: 'More unprocessed batches than this are answered with 503.' }),
  oldestSampleSeconds: seconds({ minimum: 1, default: 86_400, description: 'Older samples are refused.' }),
  futureSampleSeconds: seconds({ minimum: 0, default: 60, description: 'Samples further ahead of our clock are refused.' }),
  eventLoopDelayMs: count(10, { default: 1000, maximum: 60_000, description: 'When we answer so late, what is sent is refused with 503, and at twice that what is asked, too.' }),
  historyDecisions: count(1, { default: 2000, maximum: 100_000, description: 'Decisions that are kept per service.' }),
  historySteps: count(256, { default: 20_160, maximum: 1_000_000, description: 'Steps whose loads are kept per service for training and simulations; two bytes each.' })
})

const learningSchema = object({
  enabled: optional(Type.Boolean({ default: true, description: 'Whether models of single services are learned, and used where they have shown to be better.' })),
  rows: count(500, { default: 4000, maximum: 50_000, description: 'Most rows that a model is learned from.' }),
  minimumSteps: count(500, { default: 1440, maximum: 1_000_000, description: 'Steps of load that a service must have before: a day of minutes.' }),
  everySeconds: seconds({ minimum: 60, maximum: 2_592_000, default: 3600, description: 'A service is learned from again after so long, and not before 7 % more has passed.' }),
  megabytes: count(1, { default: 256, maximum: 1_000_000, description: 'Of all models of single services together, as Redis keeps them; about one each.' }),
  memoryMegabytes: count(1, { default: 256, maximum: 1_000_000, description: 'Of those that a worker has at hand; about two each.' })
}, { description: 'Models that are learned from one service each, from the loads that are kept.' })

const pemFile = Type.String({ minLength: 1, maxLength: 4096, title: 'the path of a PEM file' })

const tlsSchema = object({
  certificateFile: pemFile,
  keyFile: pemFile,
  clientCaFile: optional(Type.String({ minLength: 1, maxLength: 4096, title: 'the path of a PEM file', description: 'Authority of the certificates that callers may show instead of a token.' }))
}, { description: 'PEM files; read again when they change.' })

const monitoringSchema = object({
  host: optional(Type.String({ minLength: 1, maxLength: 255, default: '127.0.0.1' })),
  port: Type.Integer({ minimum: 0, maximum: 65_535 })
}, { description: 'A listener of its own for /metrics, /healthz and /readyz, without tokens and without TLS.' })

const listenSchema = object({
  host: optional(Type.String({ minLength: 1, maxLength: 255, default: '127.0.0.1' })),
  port: count(0, { default: 8080, maximum: 65_535 }),
  tls: optional(tlsSchema),
  monitoring: optional(monitoringSchema),
  grpc: optional(grpcSchema),
  kubernetes: optional(kubernetesSchema)
})

const accessSchema = object({
  tokensFile: optional(Type.String({ minLength: 1, maxLength: 4096, title: 'a path', description: 'A list of { name, sha256, scopes, services }; `prescale token create` makes them. Read again when it changes.' })),
  clientCertificates: optional(Type.Array(clientCertificateSchema, { maxItems: 1000, description: 'What callers may do who show a certificate of listen.tls.clientCaFile with this common or alternative name.' })),
  writesPerMinute: count(1, { default: 60_000, maximum: 10_000_000, description: 'Requests that change something or bring metrics, for each token or certificate.' })
}, { description: 'Who may do what. Where nothing of it is given, anybody who reaches us may do anything.' })

export const configSchema = object({
  listen: optional(listenSchema),
  access: optional(accessSchema),
  insecure: optional(Type.Boolean({ default: false, description: 'Allows an address that others can reach although nobody has to show a token.' })),
  logLevel: optional(Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info' })),
  dataDirectory: optional(Type.String({ minLength: 1, default: 'var' })),
  modelsDirectory: optional(Type.String({ minLength: 1, description: 'Where trained models lie; those that came with prescale where not given.' })),
  redis: optional(object({ url: optional(Type.String({ pattern: '^(rediss?|unix)://', title: 'an address such as redis://127.0.0.1:6379' })) })),
  partitions: count(1, { default: 8, maximum: 256 }),
  limits: optional(limitsSchema),
  learning: optional(learningSchema),
  defaults: optional(serviceSettingsSchema),
  sources: optional(object({
    scrape: optional(Type.Array(scrapeSchema, { maxItems: 1000 })),
    prometheus: optional(Type.Array(prometheusSchema, { maxItems: 100 })),
    remoteWrite: optional(remoteWriteSchema),
    overHttp: optional(overHttpSchema)
  })),
  push: optional(pushSchema),
  services: optional(Type.Record(Type.String({ pattern: serviceNamePattern }), serviceSettingsSchema, {
    additionalProperties: false, title: 'services by name: letters, digits, ".", "_" and "-", at most 128 characters'
  }))
}, { title: 'prescale.yaml', description: 'Configuration of prescale.' })
export type ConfigFile = Static<typeof configSchema>

/** All properties present, those with a default for certain. */
type Filled<T extends TObject> = { [K in keyof Static<T>]-?: Exclude<Static<T>[K], undefined> }

/** Puts the schema's defaults where a key is absent, on this level only; keys without a default stay absent. */
export function withDefaults<T extends TObject> (schema: T, value: Static<T> | undefined): Filled<T> {
  const filled: Record<string, unknown> = { ...value as object }
  for (const [key, property] of Object.entries(schema.properties)) {
    const { default: preset } = property as { default?: unknown }
    if (filled[key] === undefined && preset !== undefined) filled[key] = preset
  }
  return filled as Filled<T>
}

export const sections = {
  anomalies: anomaliesSchema,
  signalRule: signalRuleSchema,
  limits: limitsSchema,
  learning: learningSchema,
  listen: listenSchema,
  access: accessSchema,
  monitoring: monitoringSchema,
  scrape: scrapeSchema,
  prometheus: prometheusSchema,
  remoteWrite: remoteWriteSchema,
  overHttp: overHttpSchema
}
