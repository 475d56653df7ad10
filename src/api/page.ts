import { extname } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { StaticFile } from '../store/static-files.ts'
import type { Api, ApiContext } from './context.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml'
}

/** Nothing but what we serve ourselves, and nothing inline. */
const securityHeaders = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  // Asked for every time and answered with 304: a new release shows at once.
  'cache-control': 'no-cache',
  vary: 'accept-encoding'
}

/** The page for people: `/` and its few files. */
export function pageRoutes (app: Api, { page }: ApiContext): void {
  for (const [name, file] of page) {
    const url = name === 'index.html' ? '/' : `/dashboard/${name}`
    const toSend = { type: types[extname(name)], ...file }
    app.get(url, { schema: { hide: true } }, (request, reply) => sendFile(request as FastifyRequest, reply as unknown as FastifyReply, toSend))
  }
}

function sendFile ({ headers }: FastifyRequest, reply: FastifyReply, { bytes, gzipped, etag, type }: StaticFile & { type: string }): FastifyReply {
  reply.headers({ ...securityHeaders, etag })
  if (headers['if-none-match'] === etag) return reply.code(304).send()
  if (!/\bgzip\b/.test(headers['accept-encoding'] ?? '')) return reply.type(type).send(bytes)
  return reply.type(type).header('content-encoding', 'gzip').send(gzipped)
}
