import { Type, type Static } from 'typebox'
import type { Sample } from '../domain.ts'
import { PrescaleError, type ErrorDetail } from '../errors.ts'
import { compileCheck } from '../schema-check.ts'
import type { Envelope } from '../store/envelope.ts'
import { checkTime, noRoomFor } from '../admission.ts'
import type { Api, ApiContext } from './context.ts'
import { allowedServices, unknownService } from './principal.ts'
import { answers, serviceName, signalsSchema } from './schemas.ts'

const sampleSchema = Type.Object({
  service: serviceName,
  at: Type.Optional(Type.Union([Type.Integer(), Type.String({ format: 'date-time' })], {
    title: 'ms since 1970, or a date and time such as 2026-12-24T08:00:00Z', description: 'End of the interval that the signals describe; now where not given.'
  })),
  signals: signalsSchema
}, { additionalProperties: false, title: 'a sample such as { service: "shop", at: 1700000000000, signals: { requestsPerSecond: 120 } }' })

/** Of many samples a few may be bad, so each is checked by itself; here only the frame is. */
const frameSchema = Type.Union([
  Type.Object({ samples: Type.Array(Type.Unknown(), { minItems: 1 }) }, { additionalProperties: false }),
  Type.Array(Type.Unknown(), { minItems: 1 }),
  Type.Object({ service: Type.Unknown() }, { additionalProperties: true })
], { title: 'a sample, a list of samples, or { samples: [...] }' })

const documentedSchema = Type.Union([Type.Object({ samples: Type.Array(sampleSchema) }), Type.Array(sampleSchema), sampleSchema])
const rejectedSchema = Type.Object({ index: Type.Integer(), path: Type.String(), value: Type.Optional(Type.Unknown()), expected: Type.String() })

const answerSchema = Type.Object({ accepted: Type.Integer(), rejected: Type.Integer(), errors: Type.Array(rejectedSchema) })

const maxListed = 100

interface Rejected extends ErrorDetail { readonly index: number }

export function sampleRoutes (app: Api, context: ApiContext): void {
  const { queue, metrics } = context
  const checkFrame = compileCheck(frameSchema, { all: false })
  const checkSample = compileCheck(sampleSchema)

  app.post('/v1/samples', {
    schema: {
      tags: ['ingest'],
      summary: 'Samples as JSON; the answer says which of them were taken',
      body: Type.Unsafe<unknown>(documentedSchema),
      response: answers(202, answerSchema, 400, 404, 413, 415, 503)
    },
    validatorCompiler: () => (body: unknown) => {
      const details = checkFrame(body)
      return details.length === 0 ? { value: body } : { error: new PrescaleError('invalid-request', 'The body holds no samples.', { details }) }
    }
  }, async (request, reply) => {
    const items = itemsOf(request.body)
    const mayUse = allowedServices(request) ?? (() => true)
    const { samples, rejected } = await sift(items, { ...context, checkSample, mayUse })
    if (samples.length > 0) await queue.enqueue(toEnvelopes(samples))
    const rejectedItems = new Set(rejected.map(({ index }) => index)).size
    metrics.received.inc({ source: 'push', result: 'accepted' }, samples.length)
    metrics.received.inc({ source: 'push', result: 'rejected' }, rejectedItems)
    if (samples.length === 0) throw refusal(items.length, rejected)
    return reply.code(202).send({ accepted: samples.length, rejected: rejectedItems, errors: rejected.slice(0, maxListed) })
  })
}

function itemsOf (body: unknown): unknown[] {
  if (Array.isArray(body)) return body
  const { samples } = body as { samples?: unknown }
  return Array.isArray(samples) ? samples : [body]
}

const foreign = 'a service that the one who sends may feed'

function refusal (count: number, rejected: Rejected[]): PrescaleError {
  if (rejected.every(({ expected }) => expected === foreign)) return unknownService(String(rejected[0].value))
  const code = rejected.every(({ expected }) => expected.includes('(limits.')) ? 'limit-exceeded' : 'invalid-request'
  return new PrescaleError(code, count === 1 ? 'The sample was not taken.' : `None of the ${count} samples was taken.`, { details: rejected })
}

interface SiftOptions extends Pick<ApiContext, 'config' | 'admission' | 'metrics' | 'now'> {
  readonly checkSample: (item: unknown) => ErrorDetail[]
  readonly mayUse: (service: string) => boolean
}

interface Sifted { readonly samples: Sample[], readonly rejected: Rejected[] }

/** Separates what may go on from what may not, and says why. */
async function sift (items: readonly unknown[], { config, admission, metrics, now, checkSample, mayUse }: SiftOptions): Promise<Sifted> {
  const samples: Sample[] = []
  const rejected: Rejected[] = []
  const { limits } = config()
  const present = now()
  for (const [index, item] of items.entries()) {
    const reject = (reason: string, details: readonly ErrorDetail[]) => {
      metrics.rejected.inc({ source: 'push', reason })
      rejected.push(...details.map(({ path, ...rest }) => ({ index, path: `samples[${index}]${path === '' ? '' : `.${path}`}`, ...rest })))
    }
    const details = checkSample(item)
    if (details.length > 0) {
      reject('shape', details)
      continue
    }
    const { service, at: given = present, signals } = item as Static<typeof sampleSchema>
    const at = typeof given === 'number' ? given : Date.parse(given)
    const wrongTime = checkTime(at, limits, present)
    if (wrongTime) reject('time', [{ path: 'at', ...wrongTime }])
    else if (!mayUse(service)) reject('foreign', [{ path: 'service', value: service, expected: foreign }])
    else if (!await admission.admits(service)) reject('services', [noRoomFor(service, limits)])
    else samples.push({ service, at, signals })
  }
  return { samples, rejected }
}

/** One envelope for each service, its samples by time: a later one must not make an earlier one of the same batch stale. */
function toEnvelopes (samples: readonly Sample[]): Envelope[] {
  const byService = new Map<string, Sample[]>()
  for (const sample of samples) {
    const own = byService.get(sample.service)
    if (own === undefined) byService.set(sample.service, [sample])
    else own.push(sample)
  }
  return [...byService].map(([service, own]) => ({ kind: 'samples', service, samples: own.sort((a, b) => a.at - b.at) }))
}
