import { Type, type Static } from 'typebox'
import { signalNamePattern } from '../domain.ts'

const pattern = (what: string) => Type.String({ minLength: 1, maxLength: 256, title: what })

const metric = pattern('the name of a metric, or a regular expression between slashes for several')
const match = Type.Record(
  Type.String({ minLength: 1, maxLength: 128 }),
  Type.String({ maxLength: 256 }),
  { title: 'labels and their values such as { mode: idle }; /a|b/ is a regular expression, a ! before either says "other than"' }
)
const aggregate = Type.Enum(['sum', 'mean', 'max', 'min', 'count'], {
  default: 'sum', title: 'sum, mean, max, min or count', description: 'Over all series that match; count leaves out those that are 0.'
})

const perSchema = Type.Object({
  metric,
  match: Type.Optional(match),
  kind: Type.Enum(['gauge', 'counter'], { title: 'gauge or counter' }),
  aggregate: Type.Optional(aggregate)
}, { additionalProperties: false, title: 'a metric to divide by: { metric, kind, match, aggregate }' })

/** How one signal comes from raw series. Without `per`, `complement` and `scale` it is the aggregate itself. */
export const signalMappingSchema = Type.Object({
  signal: Type.String({ pattern: signalNamePattern, title: 'the name of a signal: a letter a-z, then letters, digits and _, at most 64 characters' }),
  metric,
  match: Type.Optional(match),
  kind: Type.Enum(['gauge', 'counter', 'histogram'], {
    title: 'gauge, counter or histogram', description: 'A counter gives its increase per second; a histogram (or summary) its mean, or a quantile.'
  }),
  quantile: Type.Optional(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, title: 'a number between 0 and 1', description: 'Of a histogram; its mean where not given.' })),
  aggregate: Type.Optional(aggregate),
  per: Type.Optional(perSchema),
  scale: Type.Optional(Type.Number({ title: 'a number', description: 'Factor, after `per`.' })),
  complement: Type.Optional(Type.Boolean({ description: '1 − value, not below 0, after `scale`.' }))
}, { additionalProperties: false, title: 'a mapping such as { signal: queueLength, metric: jobs_waiting, kind: gauge, aggregate: sum }' })

export type SignalMapping = Static<typeof signalMappingSchema>
export type Divisor = Static<typeof perSchema>
export type Aggregate = NonNullable<SignalMapping['aggregate']>
