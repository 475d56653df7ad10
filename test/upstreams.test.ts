import { describe, expect, it } from 'vitest'
import type { Decision, Verdict } from '../src/domain.ts'
import { PrescaleError } from '../src/errors.ts'
import { readUpstreams } from '../src/upstreams.ts'
import { configOf } from './api/support.ts'

const config = () => configOf('services: { shop: { dependsOn: [login, stock] }, lonely: {} }')
type Said = { decision?: Partial<Decision>, verdict?: Partial<Verdict> }
/** What each service said last. */
const decisionsOf = (said: Record<string, Said>) => ({
  snapshot: async (service: string) => ({ known: true, decision: null, verdict: null, suggestion: null, savings: null, ...said[service] } as never)
})
const troublesOf = (service: string, said: Record<string, Said>, stored: unknown = null) => readUpstreams(service, stored, { config, decisions: decisionsOf(said) })

describe('what upstream services say of themselves', () => {
  const incident: Said = { decision: { asOf: 70 }, verdict: { asOf: 70, incident: 'login.50' } }
  const outage: Said = { decision: { asOf: 70, outageSince: 60 }, verdict: { asOf: 70, incident: 'login.50' } }

  it.each<{ name: string, service: string, said: Record<string, Said>, expected: unknown[] }>([
    { name: 'an open incident, since it began', service: 'shop', said: { login: incident }, expected: [{ service: 'login', trouble: 'incident', since: 50, asOf: 70 }] },
    { name: 'an outage rather than its incident', service: 'shop', said: { login: outage }, expected: [{ service: 'login', trouble: 'outage', since: 60, asOf: 70 }] },
    { name: 'nothing while all is well, or nothing was said', service: 'shop', said: { stock: { decision: { asOf: 70 }, verdict: { asOf: 70, incident: null } } }, expected: [] },
    { name: 'nothing of services that it does not depend on', service: 'lonely', said: { login: outage }, expected: [] }
  ])('is $name', async ({ service, said, expected }) => {
    expect(await troublesOf(service, said)).toEqual(expected)
  })

  it('follows settings that were put over HTTP', async () => {
    expect(await troublesOf('lonely', { login: incident }, { dependsOn: ['login'] })).toHaveLength(1)
  })

  it('fails when nobody can be asked, so that the batch waits', async () => {
    const snapshot = async () => { throw new PrescaleError('store-unavailable', 'Redis does not answer.') }
    await expect(readUpstreams('shop', null, { config, decisions: { snapshot } })).rejects.toThrow('Redis does not answer.')
  })
})
