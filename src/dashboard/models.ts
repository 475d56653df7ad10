import type { ModelLife } from '../domain.ts'
import { ask } from './api.ts'
import { h } from './dom.ts'
import { percent, short, words } from './format.ts'
import type { Page } from './page.ts'
import { failure, notice, timeOf } from './widgets.ts'

interface Model {
  readonly name: string
  readonly version: string
  readonly kind: string
  readonly trainedAt: string
  readonly rows: number
  readonly features: readonly string[]
  readonly metrics: Readonly<Record<string, number>>
}
interface Learned {
  readonly service: string
  readonly outcome: string
  readonly models: readonly {
    readonly version: string
    readonly life: ModelLife
    readonly rows: number
    readonly trainedAt: number
    readonly heldBack: Compared
    readonly live: Compared | null
  }[]
}
interface Compared { readonly forecasts: number, readonly rival: string, readonly loss: number, readonly rivalLoss: number }
interface Models { readonly active: Readonly<Record<string, string | null>>, readonly models: readonly Model[], readonly learned: readonly Learned[] }

const purposes: Readonly<Record<string, string>> = { forecast: 'Load ahead', anomaly: 'Abnormal behaviour', config: 'Better configuration' }

/** What was trained, how good it was on rows that it had not seen, and what is in use. */
export function modelsPage (): Page {
  const place = h('div', { class: 'place', 'aria-busy': 'true' }, h('p', { class: 'muted' }, 'Loading…'))
  const element = h('div', { class: 'models-page' }, h('div', { class: 'toolbar' }, h('h1', {}, 'Models')), place)
  const load = async () => {
    try {
      const { active, models, learned } = await ask<Models>('/v1/models')
      place.replaceChildren(...(models.length > 0 ? models.map((model) => card(model, active)) : [nothing()]), ...ownModels(learned))
    } catch (error) {
      place.replaceChildren(failure(error, () => { load() }))
    }
    place.removeAttribute('aria-busy')
  }
  load()
  return { title: 'Models', element, event: ({ kind }) => { if (kind === 'model') load() }, refresh: () => { load() }, close: () => {} }
}

function card ({ name, version, kind, trainedAt, rows, features, metrics }: Model, active: Models['active']): HTMLElement {
  const inUse = active[name] === `${name} ${version}`
  return h('section', { class: 'card' },
    h('h2', {}, `${name} ${version} `, h('span', { class: inUse ? 'badge active' : 'badge' }, inUse ? 'active' : 'not in use')),
    h('p', { class: 'muted' }, [purposes[name], words(kind.replaceAll('-', ' '))].filter(Boolean).join(' · ')),
    h('dl', {},
      ...fact('Trained', timeOf(Date.parse(trainedAt), { date: true })),
      ...fact('On', `${short(rows)} rows, ${features.length} features`),
      ...Object.entries(metrics).flatMap(([metric, value]) => fact(words(metric), short(value)))))
}

/** Models of single services, those furthest on first. */
function ownModels (learned: readonly Learned[]): HTMLElement[] {
  if (learned.length === 0) return []
  const rows = learned.flatMap(({ service, outcome, models }) => models.map((model) => ({ service, outcome, ...model })))
  const head = ['Service', 'Model', 'Learned from', 'Before', 'Live']
  return [h('section', { class: 'card wide' },
    h('h2', {}, 'Learned from single services'),
    h('p', { class: 'muted' }, 'Each begins in shadow, and takes over as a canary when it was better than the model in use on loads that neither had seen.'),
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Models of single services' }, h('table', { class: 'small' },
      h('thead', {}, h('tr', {}, ...head.map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, ...rows.map(({ service, outcome, version, life, rows: count, trainedAt, heldBack, live }) => h('tr', { title: outcome },
        h('th', { scope: 'row' }, h('a', { href: `#/services/${service}` }, service)),
        h('td', {}, `${version} `, h('span', { class: `badge life-${life}`, title: lifeHelp[life] }, life)),
        h('td', {}, `${short(count)} rows, `, timeOf(trainedAt, { date: true })),
        h('td', {}, comparison(heldBack)),
        h('td', {}, live === null ? '–' : comparison(live))))))))]
}

const lifeHelp: Readonly<Record<ModelLife, string>> = {
  shadow: 'Forecasts beside the model in use and is compared with it', canary: 'In use, on probation', active: 'In use'
}

/** "12 % better than forecast 1 (200)" */
function comparison ({ forecasts, rival, loss, rivalLoss }: Compared): string {
  if (forecasts === 0 || rivalLoss === 0) return 'not compared yet'
  const share = 1 - loss / rivalLoss
  return `${percent(Number(Math.abs(share).toFixed(2)))} ${share >= 0 ? 'better' : 'worse'} than ${rival} (${short(forecasts)})`
}

function fact (name: string, value: Node | string): Node[] {
  return [h('dt', {}, name), h('dd', {}, value)]
}

function nothing (): HTMLElement {
  return notice('No models are there', h('p', {}, 'Services are scaled by their present load. ', h('code', {}, 'prescale train'), ' makes models from your history.'))
}
