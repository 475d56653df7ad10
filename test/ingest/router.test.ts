import { describe, expect, test } from 'vitest'
import { createRouter, type RoutedService } from '../../src/ingest/router.ts'
import { resolveSignals } from '../../src/ingest/mapping.ts'
import { series, stale } from '../support/series.ts'

const http = resolveSignals('http')
const service = (name: string, match: Record<string, string>): RoutedService => ({ service: name, match, mappings: http })
const request = (labels: Record<string, string>) => series('http_requests_total', labels)(1, 1)

describe('named services', () => {
  const router = createRouter([service('shop', { job: 'shop' }), service('all', {}), service('canary', { job: 'shop', version: '/.*-canary/' })])

  test('get the points whose labels match, several services the same ones', () => {
    const { byService } = router.route([request({ job: 'shop' }), request({ job: 'shop', version: '2-canary' }), request({ job: 'other' })])
    expect([...byService].map(([name, points]) => [name, points.length])).toEqual([['all', 3], ['shop', 2], ['canary', 1]])
  })

  test('get metrics that their mappings read, and `up`; what nobody wants is counted', () => {
    const { byService, dropped, droppedBy } = createRouter([service('shop', { job: 'shop' })])
      .route([series('go_goroutines', { job: 'shop' })(1, 5), series('up', { job: 'shop' })(1, 1), series('up', { job: 'x' })(1, 1), stale('http_requests_total', { job: 'shop' })(2)])
    expect(byService.get('shop')?.map(({ metric }) => metric)).toEqual(['up', 'http_requests_total'])
    expect({ dropped, droppedBy }).toEqual({ dropped: 2, droppedBy: { unwanted: 2, badName: 0, overLimit: 0 } })
  })

  test('keep the order of their points', () => {
    const points = [3, 1, 2].map((at) => series('http_requests_total', { job: 'shop' })(at, at))
    expect(createRouter([service('shop', { job: 'shop' })]).route(points).byService.get('shop')).toEqual(points)
  })

  test('are found by the value of their label among thousands', () => {
    const many = createRouter(Array.from({ length: 5000 }, (_, i) => service(`s${i}`, { job: `s${i}` })))
    expect([...many.route([request({ job: 's4321' })]).byService.keys()]).toEqual(['s4321'])
  })
})

describe('discovered services', () => {
  const discovery = { label: 'app', mappings: http }

  test('are the values of a label, apart from those that are named', () => {
    const router = createRouter([service('shop', { job: 'shop' })], { discovery })
    const { byService } = router.route([request({ app: 'cart' }), request({ app: 'shop' }), request({ app: 'shop', job: 'shop' }), request({ job: 'shop', app: 'cart' })])
    expect([...byService].map(([name, points]) => [name, points.length])).toEqual([['cart', 2], ['shop', 2]])
  })

  test('need a name that is one', () => {
    const { byService, droppedBy } = createRouter([], { discovery }).route([request({ app: '../x' }), request({ app: 'a:b' }), request({ app: '__proto__' }), request({})])
    expect(byService.size).toBe(0)
    expect(droppedBy).toEqual({ unwanted: 1, badName: 3, overLimit: 0 })
  })

  test('are limited together with the named ones, and those known before stay welcome', () => {
    const router = createRouter([service('shop', { job: 'shop' })], { discovery, maxServices: 3, known: ['old'] })
    const { byService, droppedBy } = router.route(['new', 'newer', 'old', 'new'].map((app) => request({ app })))
    expect([...byService.keys()]).toEqual(['new', 'old'])
    expect(droppedBy).toEqual({ unwanted: 0, badName: 0, overLimit: 1 })
    expect(router.route([request({ app: 'newer' })]).droppedBy.overLimit).toBe(1)
  })

  test('may be narrowed by other labels', () => {
    const router = createRouter([], { discovery: { ...discovery, match: { namespace: 'prod' } } })
    expect([...router.route([request({ app: 'a', namespace: 'prod' }), request({ app: 'b', namespace: 'test' })]).byService.keys()]).toEqual(['a'])
  })
})
