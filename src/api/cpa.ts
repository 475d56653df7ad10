import { Type, type Static } from 'typebox'
import type { FastifyRequest } from 'fastify'
import { serviceNamePattern } from '../domain.ts'
import { PrescaleError } from '../errors.ts'
import { compileCheck } from '../schema-check.ts'
import { acceptBytes } from './bodies.ts'
import type { Api, ApiContext } from './context.ts'
import { decisionToObey } from './decisions.ts'
import { requireService } from './principal.ts'
import { handleError } from './problem.ts'
import { answers } from './schemas.ts'

/** What the autoscaler hands to an evaluation; metrics are what its own metric step gathered, and of no use here. */
const evaluationSchema = Type.Object({
  resource: Type.Object({ metadata: Type.Object({ name: Type.String({ pattern: serviceNamePattern, title: 'the name of a resource, which is the name of the service' }) }) }),
  metrics: Type.Optional(Type.Union([Type.Array(Type.Object({})), Type.Null()])),
  runType: Type.Optional(Type.String())
})
const replySchema = Type.Object({ targetReplicas: Type.Integer() })

/**
 * The evaluation of jthomperoo's custom-pod-autoscaler by its method `http`. It sends JSON without a content type (`parameterMode: body`),
 * or as the parameter `value` of the address (`query`). `?service=` in the configured address names a service other than the resource's.
 */
export async function customPodAutoscalerRoutes (app: Api, context: ApiContext): Promise<void> {
  const check = compileCheck(evaluationSchema)
  await app.register(async (scope: Api) => {
    acceptBytes(scope)
    scope.setErrorHandler(handleError)
    scope.route({
      method: ['POST', 'GET'],
      url: '/v1/recommendations/cpa',
      bodyLimit: 1_048_576,
      schema: {
        tags: ['autoscalers'],
        summary: 'Replicas for an evaluation of custom-pod-autoscaler',
        consumes: ['application/json'],
        querystring: Type.Object({ value: Type.Optional(Type.String()), service: Type.Optional(Type.String({ pattern: serviceNamePattern })) }),
        response: answers(200, replySchema, 400, 404, 413, 503)
      },
      handler: async (request: FastifyRequest) => {
        const { value, service } = request.query as { value?: string, service?: string }
        const evaluation = parse(value ?? (request.body as Buffer | undefined)?.toString('utf8') ?? '')
        const details = check(evaluation)
        if (details.length > 0) throw new PrescaleError('invalid-request', 'This is no evaluation of a custom-pod-autoscaler.', { details })
        const { resource: { metadata: { name } } } = evaluation as Static<typeof evaluationSchema>
        requireService(request, service ?? name)
        const { replicas } = await decisionToObey(service ?? name, context)
        return { targetReplicas: replicas }
      }
    })
  })
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new PrescaleError('invalid-request', `The evaluation is not JSON: ${(error as Error).message}.`)
  }
}
