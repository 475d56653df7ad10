import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAccess } from '../../src/access/access.ts'
import type { Scope } from '../../src/access/grants.ts'
import { hashToken } from '../../src/access/tokens.ts'
import { incidentOf } from '../support/incidents.ts'
import { call, createTestApp, expectProblem, now } from './support.ts'

const minute = 60_000
const entry = (name: string, scopes: Scope[], services?: string[]) => ({ name, sha256: hashToken(name), scopes, ...(services && { services }) })
const access = createAccess({ tokens: [entry('reader', ['read']), entry('ann', ['operate']), entry('team', ['read', 'operate'], ['team-*'])], certificates: [] })

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => {
  test = await createTestApp('services: { shop: {}, quiet: {}, team-a: {} }', { access: () => access })
  test.fakes.incidents.push(
    incidentOf({ startedAt: now - 10 * minute, lastAnomalyAt: now - 1 * minute }),
    incidentOf({ service: 'team-a', startedAt: now - 20 * minute, lastAnomalyAt: now - 12 * minute, endedAt: now - 12 * minute, state: 'closed' }),
    incidentOf({ startedAt: now - 90 * minute, lastAnomalyAt: now - 80 * minute, endedAt: now - 80 * minute, state: 'closed' })
  )
})
afterEach(() => test.close())

const get = (url: string, token = 'reader') => call(test.app, 'GET', url, undefined, { authorization: `Bearer ${token}` })
const ids = async (url: string, token?: string) => (await get(url, token)).body['incidents'].map(({ id }: { id: string }) => id)
const [open, ofTeam, closed] = [`shop.${now - 10 * minute}`, `team-a.${now - 20 * minute}`, `shop.${now - 90 * minute}`]

describe('the incidents of all services', () => {
  it.each([
    { query: '', expected: [open, ofTeam, closed] },
    { query: '?state=open', expected: [open] },
    { query: '?state=closed', expected: [ofTeam, closed] },
    { query: '?service=shop,quiet', expected: [open, closed] },
    { query: `?since=${now - 30 * minute}`, expected: [open, ofTeam] },
    { query: '?limit=1', expected: [open] }
  ])('are listed with "$query", newest anomaly first', async ({ query, expected }) => {
    expect(await ids(`/v1/incidents${query}`)).toEqual(expected)
  })

  it('are only those of the services that somebody may see', async () => {
    expect(await ids('/v1/incidents', 'team')).toEqual([ofTeam])
    expect(await ids('/v1/incidents?service=shop', 'team')).toEqual([])
  })

  it.each(['?state=ended', '?since=yesterday', '?limit=0', '?from=1'])('are not asked for with "%s"', async (query) => {
    expectProblem(await get(`/v1/incidents${query}`), { status: 400, code: 'invalid-request' })
  })
})

describe('the incidents of one service', () => {
  it('are listed, none for a calm one, and 404 for one that nobody knows', async () => {
    expect(await ids('/v1/services/shop/incidents')).toEqual([open, closed])
    expect(await ids('/v1/services/quiet/incidents')).toEqual([])
    expectProblem(await get('/v1/services/nobody/incidents'), { status: 404, code: 'unknown-service' })
  })

  it('say since when their service is silent, while they are open and it is longer than a calm time would take to close them', async () => {
    const silentSince = async () => (await get('/v1/incidents')).body['incidents'].map(({ silentSince }: { silentSince?: number }) => silentSince)
    // Five minutes of calm close an incident.
    test.fakes.summaries.push({ service: 'shop', asOf: now - 5 * minute, decision: null, verdict: null }, { service: 'team-a', asOf: now - 12 * minute, decision: null, verdict: null })
    expect(await silentSince()).toEqual([undefined, undefined, undefined])
    test.fakes.summaries[0] = { service: 'shop', asOf: now - 6 * minute, decision: null, verdict: null }
    expect(await silentSince()).toEqual([now - 6 * minute, undefined, undefined])
    expect((await get(`/v1/services/shop/incidents/${open}`)).body).toMatchObject({ state: 'open', silentSince: now - 6 * minute })
  })

  it('are shown one by one with everything that is known', async () => {
    expect((await get(`/v1/services/shop/incidents/${open}`)).body).toMatchObject({
      id: open, service: 'shop', state: 'open', startedAt: now - 10 * minute, endedAt: null, severity: 'high', peak: { score: 0.7 }, causes: [{ signal: 'errorRatio', direction: 'up', share: 1 }], feedback: null
    })
  })

  it.each([
    { what: 'an id that there is not', url: '/v1/services/shop/incidents/shop.1', code: 'not-found', token: 'reader' },
    { what: 'the id of another service', url: `/v1/services/quiet/incidents/${open}`, code: 'not-found', token: 'reader' },
    { what: 'another service by way of an own one', url: `/v1/services/team-a/incidents/${open}`, code: 'not-found', token: 'team' },
    { what: 'a service of others', url: `/v1/services/shop/incidents/${open}`, code: 'unknown-service', token: 'team' }
  ])('are not found by $what', async ({ url, token, code }) => {
    expectProblem(await get(url, token), { status: 404, code })
  })

  it('are unavailable, and not empty, while Redis is away', async () => {
    test.fakes.down = true
    for (const url of ['/v1/incidents', '/v1/services/shop/incidents', `/v1/services/shop/incidents/${open}`]) expectProblem(await get(url), { status: 503, code: 'store-unavailable' })
  })
})

describe('related incidents', () => {
  const one = async (service: string, id: string, token?: string) => (await get(`/v1/services/${service}/incidents/${id}`, token)).body

  it('come from the settings of the file and of HTTP, and name the likely origin', async () => {
    test.fakes.put.set('shop', { dependsOn: ['team-a'], labels: { node: 'n1' } })
    test.fakes.put.set('quiet', { labels: { node: 'n1' } })
    const beside = incidentOf({ service: 'quiet', startedAt: now - 9 * minute, lastAnomalyAt: now })
    test.fakes.incidents.push(beside)
    const { related, likelyOrigin } = await one('shop', open)
    expect(related).toMatchObject([{ id: ofTeam, relation: 'upstream' }, { id: beside.id, relation: 'labels', sharedLabels: { node: 'n1' } }])
    expect(likelyOrigin).toMatchObject({ id: ofTeam, service: 'team-a', startedAt: now - 20 * minute })
    expect(await one('team-a', ofTeam)).toMatchObject({ related: [{ id: open, relation: 'downstream' }], likelyOrigin: null })
  })

  it('are not those of services that the asker may not see', async () => {
    test.fakes.put.set('team-a', { dependsOn: ['shop'] })
    expect(await one('team-a', ofTeam)).toMatchObject({ related: [{ id: open }] })
    expect(await one('team-a', ofTeam, 'team')).toMatchObject({ related: [], likelyOrigin: null })
  })
})

describe('feedback', () => {
  const url = `/v1/services/shop/incidents/${open}/feedback`
  const say = (body: unknown, { token = 'ann', to = url } = {}) => call(test.app, 'POST', to, body, { authorization: `Bearer ${token}` })

  it('goes through the queue with who said it when, and is audited', async () => {
    expect(await say({ verdict: 'normal', note: 'the monthly import' })).toMatchObject({ status: 202, body: { incident: open, verdict: 'normal' } })
    const remark = { incident: open, verdict: 'normal', note: 'the monthly import', at: now, by: 'ann' }
    expect(test.fakes.queued).toEqual([{ kind: 'remarks', service: 'shop', remarks: [remark] }])
    expect(test.fakes.audit[0]).toMatchObject({
      who: 'ann', service: 'shop', action: 'POST /v1/services/:service/incidents/:id/feedback', status: 202, changes: { incident: open, before: null, after: 'normal', note: 'the monthly import' }
    })
  })

  it('is taken back by DELETE', async () => {
    expect(await call(test.app, 'DELETE', url, undefined, { authorization: 'Bearer ann' })).toMatchObject({ status: 202, body: { incident: open, verdict: null } })
    expect(test.fakes.queued).toMatchObject([{ remarks: [{ incident: open, verdict: null, by: 'ann' }] }])
  })

  it.each([
    { what: 'another word', body: { verdict: 'fine' }, status: 400, code: 'invalid-request' },
    { what: 'no word', body: {}, status: 400, code: 'invalid-request' },
    { what: 'a long note', body: { verdict: 'real', note: 'x'.repeat(501) }, status: 400, code: 'invalid-request' },
    { what: 'something else beside', body: { verdict: 'real', by: 'bob' }, status: 400, code: 'invalid-request' },
    { what: 'an incident that there is not', body: { verdict: 'real' }, to: '/v1/services/shop/incidents/shop.1/feedback', status: 404, code: 'not-found' },
    { what: 'a token that may only read', body: { verdict: 'real' }, token: 'reader', status: 403, code: 'forbidden' },
    { what: 'a token for other services', body: { verdict: 'real' }, token: 'team', status: 404, code: 'unknown-service' }
  ])('with $what is refused', async ({ body, status, code, ...options }) => {
    expectProblem(await say(body, options), { status, code })
    expect(test.fakes.queued).toEqual([])
  })
})
