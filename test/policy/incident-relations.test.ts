import { describe, expect, it } from 'vitest'
import { relationsOf, type Surroundings } from '../../src/policy/incident-relations.ts'
import { incidentOf } from '../support/incidents.ts'

const minute = 60_000
/** shop → cart → database, shop → mail; search shares a node with shop, and nobody needs it. */
const known: Record<string, Partial<Surroundings>> = {
  shop: { dependsOn: ['cart', 'mail'], labels: { node: 'n1', team: 'web' } },
  cart: { dependsOn: ['database'] },
  database: { labels: { node: 'n2' } },
  page: { dependsOn: ['shop'] },
  search: { labels: { node: 'n1', team: 'search' } }
}
const around = (service: string): Surroundings => ({ dependsOn: [], labels: {}, ...known[service] })
/** From one minute to another; still open without an end. */
const incident = (service: string, from: number, to: number | null = null) => incidentOf({
  service, startedAt: from * minute, lastAnomalyAt: (to ?? from) * minute, endedAt: to === null ? null : to * minute, state: to === null ? 'open' : 'closed'
})
const relations = (...others: ReturnType<typeof incident>[]) => {
  const { related, likelyOrigin } = relationsOf(incident('shop', 100, 120), others, around)
  return { related: related.map(({ service, relation }) => [service, relation]), origin: likelyOrigin?.service ?? null }
}

describe('incidents are related', () => {
  it('by what a service needs, by what needs it, and by labels, the earliest first', () => {
    const found = relations(incident('search', 105), incident('page', 104), incident('cart', 98), incident('database', 97, 101), incident('stranger', 99))
    expect(found.related).toEqual([['database', 'upstream'], ['cart', 'upstream'], ['page', 'downstream'], ['search', 'labels']])
  })

  it('if they overlap in time, give or take five minutes', () => {
    expect(relations(incident('cart', 80, 94)).related).toEqual([])
    expect(relations(incident('cart', 80, 95)).related).toEqual([['cart', 'upstream']])
    expect(relations(incident('cart', 125)).related).toEqual([['cart', 'upstream']])
    expect(relations(incident('cart', 126)).related).toEqual([])
  })

  it('say which labels they share', () => {
    expect(relationsOf(incident('shop', 100), [incident('search', 100)], around).related[0].sharedLabels).toEqual({ node: 'n1' })
  })

  it('to others only', () => {
    expect(relations(incident('shop', 90))).toEqual({ related: [], origin: null })
  })
})

describe('the likely origin', () => {
  it('is the farthest service that is needed and had an incident', () => {
    expect(relations(incident('cart', 96), incident('database', 97)).origin).toBe('database')
  })

  it('is the earliest where several are as far', () => {
    expect(relations(incident('cart', 99), incident('mail', 98)).origin).toBe('mail')
  })

  it('did not begin long after', () => {
    expect(relations(incident('cart', 99), incident('database', 106)).origin).toBe('cart')
  })

  it('is never what needs the service or only shares a label', () => {
    expect(relations(incident('page', 95), incident('search', 95)).origin).toBeNull()
  })

  it('is found although services need each other in a circle', () => {
    const circle = (service: string): Surroundings => ({ labels: {}, dependsOn: { shop: ['cart'], cart: ['shop'] }[service] ?? [] })
    expect(relationsOf(incident('shop', 100), [incident('cart', 99)], circle).likelyOrigin?.service).toBe('cart')
  })
})
