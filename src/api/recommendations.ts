import { Type, type Static } from 'typebox'
import { resolveService } from '../config.ts'
import type { Decision, Policy, Signals } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { emptyState, evaluate } from '../pipeline.ts'
import type { Api, ApiContext } from './context.ts'
import { decisionToObey } from './decisions.ts'
import { requireService } from './principal.ts'
import { sendProblem, toPrescaleError } from './problem.ts'
import { answers, serviceName, signalsSchema } from './schemas.ts'

const optional = Type.Optional
const replicas = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })

/** protojson leaves zero values out, and later versions may add fields: nothing but the name is required, and unknown keys are allowed. */
const requestSchema = Type.Object({
  targetRef: Type.Object({
    name: serviceName,
    namespace: optional(Type.String()),
    kind: optional(Type.String()),
    apiVersion: optional(Type.String()),
    cluster: optional(Type.String())
  }),
  constraints: optional(Type.Object({ minReplicas: optional(replicas), maxReplicas: optional(replicas) })),
  state: optional(Type.Object({ desiredReplicas: optional(replicas), currentReplicas: optional(replicas), readyReplicas: optional(replicas) })),
  targets: optional(Type.Array(Type.Object({
    type: optional(Type.String({ maxLength: 128 })), lowerBound: optional(Type.Number()), upperBound: optional(Type.Number())
  }), { maxItems: 20 })),
  settings: optional(Type.Record(Type.String(), Type.String())),
  signals: optional(signalsSchema)
})
type RecommendationRequest = Static<typeof requestSchema>

const replySchema = Type.Object({
  timestamp: Type.String({ format: 'date-time' }),
  targetReplicas: Type.Integer(),
  observedTargets: optional(Type.Array(Type.Object({ type: Type.String(), targetValue: Type.Number() }))),
  reason: Type.String()
})

/** What Datadog's WatermarkPodAutoscaler calls some of our signals. */
const signalOf: Readonly<Record<string, string>> = { cpu: 'cpuUsageRatio', memory: 'memoryUsageRatio' }

/**
 * The recommender protocol of Datadog's WatermarkPodAutoscaler. With `signals` it is stateless: HPA's formula and our rules on what was
 * sent, nothing remembered. Without, the present decision for the service `settings.service` or `targetRef.name`, within the constraints.
 *
 * The caller's parser refuses unknown fields and statuses but 200; a failure is a problem that also holds its `error: { code, message }`.
 */
export function recommendationRoutes (app: Api, context: ApiContext): void {
  for (const url of ['/v1/recommendations', '/v1/recommendations/wpa']) {
    app.post(url, {
      bodyLimit: 262_144,
      schema: {
        tags: ['autoscalers'],
        summary: 'Replicas for what is sent (Datadog WatermarkPodAutoscaler, spec.recommender)',
        body: requestSchema,
        response: answers(200, replySchema, 400, 404, 413, 415, 503)
      },
      errorHandler: (error, request, reply) => {
        const problem = toPrescaleError(error, request)
        return sendProblem(reply, problem, { error: { code: problem.status, message: problem.message } })
      }
    }, async (request) => {
      const { body } = request
      const service = body.settings?.['service'] ?? body.targetRef.name
      requireService(request, service)
      const decision = body.signals === undefined
        ? withinConstraints(await decisionToObey(service, context), body)
        : recommend(body, body.signals, context)
      const observed = observedTargets(body)
      return {
        timestamp: new Date(decision.asOf).toISOString(),
        targetReplicas: decision.replicas,
        ...(observed.length > 0 && { observedTargets: observed }),
        reason: decision.reason
      }
    })
  }
}

function withinConstraints (decision: Pick<Decision, 'asOf' | 'replicas' | 'reason'>, { constraints }: RecommendationRequest) {
  const { minReplicas = 0, maxReplicas = Infinity } = constraints ?? {}
  const replicas = Math.min(maxReplicas, Math.max(minReplicas, decision.replicas))
  if (replicas === decision.replicas) return decision
  return { ...decision, replicas, reason: `${decision.reason}; ${replicas} replicas by the constraints of the request` }
}

/** The highest proposal of all targets, as HPA does with several metrics. */
function recommend ({ targetRef, constraints, state, targets = [] }: RecommendationRequest, signals: Signals, { config, now }: ApiContext): Decision {
  const service = targetRef.name
  const { policy } = resolveService(service, null, config())
  const { minReplicas = policy.minReplicas, maxReplicas = Math.max(policy.maxReplicas, minReplicas) } = constraints ?? {}
  const readyReplicas = signals['readyReplicas'] ?? state?.readyReplicas ?? state?.currentReplicas
  const sample = { service, at: now(), signals: { ...signals, ...(readyReplicas !== undefined && { readyReplicas }) } }
  const limited: Policy = { ...policy, minReplicas: Math.min(minReplicas, maxReplicas), maxReplicas }
  const policies = targets.flatMap((target) => policyForTarget(target, sample.signals, limited))
  const decisions = (policies.length > 0 ? policies : [limited]).flatMap((policy) => {
    const evaluation = evaluate(emptyState(), sample, { forecast: null, anomaly: null, config: null }, policy)
    return evaluation.status === 'decided' ? [evaluation.decision] : []
  })
  const [first, ...rest] = decisions
  if (first === undefined) {
    throw new PrescaleError('no-opinion', `These signals are not enough for ${service}, whose target is ${JSON.stringify(policy.target)}.`)
  }
  return rest.reduce((highest, decision) => decision.replicas > highest.replicas ? decision : highest, first)
}

function policyForTarget ({ type, upperBound }: { type?: string, upperBound?: number }, signals: Signals, policy: Policy): Policy[] {
  const signal = signalOf[type ?? ''] ?? type ?? ''
  if (!Object.hasOwn(signals, signal) || !(upperBound !== undefined && upperBound > 0)) return []
  const isRatio = signal.endsWith('Ratio')
  return [{ ...policy, target: isRatio ? { kind: 'ratio', signal, atTarget: upperBound } : { kind: 'perReplica', signal, atTarget: upperBound, utilization: 0.7 } }]
}

function observedTargets ({ targets = [], signals = {} }: RecommendationRequest) {
  return targets.flatMap(({ type = '' }) => {
    const signal = signalOf[type] ?? type
    return Object.hasOwn(signals, signal) ? [{ type, targetValue: signals[signal] }] : []
  })
}
