import { Type } from 'typebox'
import { PrescaleError } from '../errors.ts'
import type { Api, ApiOptions } from './context.ts'
import { answers } from './schemas.ts'

const tags = ['operations']

/** How we are. */
export function healthRoutes (app: Api, { missing, modelProblems, telemetry }: Pick<ApiOptions, 'missing' | 'modelProblems' | 'telemetry'>): void {
  app.get('/healthz', {
    schema: { tags, summary: 'Whether the process answers', response: answers(200, Type.Object({ status: Type.Literal('ok') })) }
  }, async () => ({ status: 'ok' as const }))

  app.get('/readyz', {
    schema: {
      tags,
      summary: 'Whether it can do its work, and if not what is missing',
      response: answers(200, Type.Object({ status: Type.Literal('ready'), without: Type.Array(Type.String(), { description: 'What is not there and not needed for decisions.' }) }), 503)
    }
  }, async () => {
    const parts = await missing()
    if (parts.length === 0) return { status: 'ready' as const, without: [...modelProblems()] }
    throw new PrescaleError('not-ready', `Missing: ${parts.join('; ')}.`, { details: parts.map((part) => ({ path: part, expected: 'present' })) })
  })

  app.get('/metrics', {
    schema: { tags, summary: 'Our own metrics in the text format of Prometheus', produces: ['text/plain'], response: answers(200, Type.String()) }
  }, async (_request, reply) => reply.type(telemetry.registry.contentType).send(await telemetry.registry.metrics()))
}
