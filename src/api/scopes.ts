import type { Scope } from '../access/grants.ts'

/** They say nothing of any service, and kubelet has no token. */
const open = new Set(['/healthz', '/readyz'])
const ingest = new Set(['POST /v1/samples', 'POST /api/v1/write', 'POST /signals', 'POST /connect', 'POST /ready', 'POST /disconnect'])
const operate = new Set([
  'PUT /v1/services/:service', 'POST /v1/services/:service/feedback', 'POST /v1/services/:service/suggestion/answer', 'POST /v1/config/reload',
  'POST /v1/services/:service/overrides', 'DELETE /v1/services/:service/overrides/:id',
  'POST /v1/services/:service/incidents/:id/feedback', 'DELETE /v1/services/:service/incidents/:id/feedback',
  'GET /v1/dead-letters', 'GET /v1/dead-letters/:id', 'POST /v1/dead-letters/:id/replay',
  'GET /v1/push/targets', 'GET /v1/push/dead-letters', 'POST /v1/push/dead-letters/:id/replay'
])
const admin = new Set(['GET /v1/targets', 'GET /v1/config', 'GET /v1/audit', 'GET /v1/audit/checkpoint'])
/** Questions that are too long for an address. */
const questions = new Set([
  'POST /v1/recommendations', 'POST /v1/services/:service/what-if', 'POST /v1/services/:service/suggestion', 'POST /v1/recommendations/wpa', 'POST /v1/recommendations/cpa',
  'POST /api/v1/query', 'POST /api/v1/query_range', 'POST /api/v1/labels', 'POST /api/v1/series'
])
/** They speak about all services at once, so they are not for those who may see only some. */
const aboutAll = new Set([
  '/metrics', '/v1/config', '/v1/config/reload', '/v1/targets', '/v1/targets/:name', '/v1/audit', '/v1/audit/checkpoint',
  '/v1/dead-letters', '/v1/dead-letters/:id', '/v1/dead-letters/:id/replay',
  '/v1/push/targets', '/v1/push/dead-letters', '/v1/push/dead-letters/:id/replay'
])

/** What it takes to use a route; null for nothing. A route that nobody thought of here is for asking, or for administrators. */
export function scopeOf (method: string, url: string): Scope | null {
  if (open.has(url)) return null
  const key = `${method === 'HEAD' ? 'GET' : method} ${url}`
  if (admin.has(key)) return 'admin'
  if (operate.has(key)) return 'operate'
  if (ingest.has(key)) return 'ingest'
  return questions.has(key) || key.startsWith('GET ') ? 'read' : 'admin'
}

export function isAboutAll (url: string): boolean {
  return aboutAll.has(url)
}
