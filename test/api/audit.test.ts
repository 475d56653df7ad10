import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAccess } from '../../src/access/access.ts'
import { hashToken } from '../../src/access/tokens.ts'
import { isSigned, type Checkpoint } from '../../src/checkpoint.ts'
import { chained } from '../../src/chain.ts'
import { call, createTestApp, decisionOf, expectProblem, now } from './support.ts'

const access = createAccess({
  tokens: (['read', 'ingest', 'operate', 'admin'] as const).map((scope) => ({ name: `${scope}er`, sha256: hashToken(scope), scopes: [scope] })), certificates: []
})
let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('services: { shop: { minReplicas: 2 } }', { access: () => access }) })
afterEach(() => test.close())
const as = (token: string, method: 'GET' | 'PUT' | 'POST' | 'DELETE', url: string, body?: unknown) => call(test.app, method, url, body, { authorization: `Bearer ${token}` })

describe('the audit', () => {
  it('says who changed what of which service, from where, and what it was before', async () => {
    await as('operate', 'PUT', '/v1/services/shop', { minReplicas: 3, override: { force: 9, reason: 'launch' } })
    expect(test.fakes.audit).toEqual([{
      id: '1-0',
      at: now,
      who: 'operateer',
      by: 'token',
      action: 'PUT /v1/services/:service',
      service: 'shop',
      status: 201,
      address: '127.0.0.1',
      changes: { minReplicas: { before: 2, after: 3 }, override: { before: null, after: { force: 9, reason: 'launch' } } }
    }])
    await as('operate', 'PUT', '/v1/services/shop', { minReplicas: 3 })
    expect(test.fakes.audit[0]).toMatchObject({ status: 200, changes: { override: { before: { force: 9, reason: 'launch' }, after: null } } })
  })

  it('has one line for each use of operate and admin, refused ones too, and none for the others', async () => {
    await as('operate', 'POST', '/v1/config/reload')
    await as('operate', 'POST', '/v1/dead-letters/1-1-1/replay')
    await as('operate', 'DELETE', '/v1/services/shop')
    await as('admin', 'GET', '/v1/audit')
    await as('read', 'GET', '/v1/services')
    await as('ingest', 'POST', '/v1/samples', { service: 'shop', at: now, signals: {} })
    await as('nobody', 'DELETE', '/v1/services/shop')
    expect(test.fakes.audit.map(({ who, action, status }) => `${who} ${action} ${status}`).reverse()).toEqual([
      'operateer POST /v1/config/reload 200', 'operateer POST /v1/dead-letters/:id/replay 404', 'operateer DELETE /v1/services/:service 403', 'adminer GET /v1/audit 200'
    ])
  })

  it('names the keys alone where what changed is too long for a line', async () => {
    const labels = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`label${i}`, 'x'.repeat(200)]))
    await as('operate', 'PUT', '/v1/services/shop', { match: labels })
    expect(test.fakes.audit[0].changes).toEqual(['minReplicas', 'match'])
  })

  it('is for administrators', async () => {
    expectProblem(await as('operate', 'GET', '/v1/audit'), { status: 403, code: 'forbidden' })
    await as('operate', 'POST', '/v1/config/reload')
    expect((await as('admin', 'GET', '/v1/audit?limit=1')).body['entries']).toMatchObject([{ who: 'operateer', action: 'POST /v1/config/reload' }])
    expectProblem(await as('admin', 'GET', '/v1/audit?before=x'), { status: 400, code: 'invalid-request' })
  })

  it('also of a change that nobody had to show a token for', async () => {
    const open = await createTestApp('services: { shop: {} }')
    await call(open.app, 'PUT', '/v1/services/shop', { minReplicas: 1 })
    await call(open.app, 'GET', '/v1/dead-letters')
    expect(open.fakes.audit).toMatchObject([{ who: 'anybody', by: 'anybody', action: 'PUT /v1/services/:service', service: 'shop' }])
    await open.close()
  })

  it('that cannot be written changes nothing of the answer', async () => {
    const broken = await createTestApp('', { access: () => access, audit: { append: async () => { throw new Error('away') }, list: async () => [] } })
    expect((await call(broken.app, 'POST', '/v1/config/reload', undefined, { authorization: 'Bearer operate' })).status).toBe(200)
    await broken.close()
  })
})

describe('GET /v1/audit/checkpoint', () => {
  it('names the newest decision of every service by its hash, signed', async () => {
    const decision = chained(decisionOf('shop'), null)
    test.fakes.decisions.set('shop', decision)
    const { status, body } = await as('admin', 'GET', '/v1/audit/checkpoint')
    expect(status).toBe(200)
    expect(body).toMatchObject({ version: 1, at: now, services: [{ service: 'shop', asOf: decision.asOf, hash: decision.hash }] })
    expect(isSigned(body as unknown as Checkpoint)).toBe(true)
    expectProblem(await as('operate', 'GET', '/v1/audit/checkpoint'), { status: 403, code: 'forbidden' })
  })
})
