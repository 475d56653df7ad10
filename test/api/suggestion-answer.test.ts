import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call, createTestApp, expectProblem, now } from './support.ts'

let test: Awaited<ReturnType<typeof createTestApp>>
beforeEach(async () => { test = await createTestApp('services: { shop: {}, cart: {} }') })
afterEach(() => test.close())

const config = { threadPoolSize: 32, timeoutMs: 300 }
const say = (service: string, body: unknown) => call(test.app, 'POST', `/v1/services/${service}/suggestion/answer`, body)

describe('an answer to a suggestion', () => {
  beforeEach(() => { test.fakes.suggestions.set('shop', { service: 'shop', asOf: now, source: 'network', config, changed: [{ name: 'threadPoolSize', from: 64, to: 32 }], reason: 'r', observations: 3, modelVersion: 'config 1' }) })

  it('is queued with the configuration that is suggested now, or with the one that was seen', async () => {
    expect(await say('shop', { answer: 'accepted' })).toMatchObject({ status: 202, body: { answer: 'accepted', config } })
    expect(await say('shop', { answer: 'refused', config: { threadPoolSize: 48 }, note: 'too many' })).toMatchObject({ status: 202, body: { config: { threadPoolSize: 48, timeoutMs: 300 } } })
    expect(test.fakes.queued).toEqual([
      { kind: 'answers', service: 'shop', answers: [{ answer: 'accepted', config, at: now, by: 'anybody' }] },
      { kind: 'answers', service: 'shop', answers: [{ answer: 'refused', config: { threadPoolSize: 48, timeoutMs: 300 }, at: now, by: 'anybody', note: 'too many' }] }
    ])
  })

  it('is refused where nothing is suggested, nobody is known, or it says nothing usable', async () => {
    expectProblem(await say('cart', { answer: 'accepted' }), { status: 503, code: 'no-opinion' })
    expectProblem(await say('nobody', { answer: 'accepted' }), { status: 404, code: 'unknown-service' })
    expectProblem(await say('shop', { answer: 'perhaps' }), { status: 400, code: 'invalid-request' })
    expectProblem(await say('shop', { answer: 'accepted', config: { threadPoolSize: 1e9 } }), { status: 400, code: 'invalid-request' })
    expectProblem(await say('shop', { answer: 'accepted', config: { colour: 3 } }), { status: 400, code: 'invalid-request' })
    expect(test.fakes.queued).toEqual([])
  })
})
