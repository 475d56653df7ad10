import { ask } from './api.ts'
import { h } from './dom.ts'
import { short, words } from './format.ts'
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
interface Models { readonly active: Readonly<Record<string, string | null>>, readonly models: readonly Model[] }

const purposes: Readonly<Record<string, string>> = { forecast: 'Load ahead', anomaly: 'Abnormal behaviour', config: 'Better configuration' }

/** What was trained, how good it was on rows that it had not seen, and what is in use. */
export function modelsPage (): Page {
  const place = h('div', { class: 'place', 'aria-busy': 'true' }, h('p', { class: 'muted' }, 'Loading…'))
  const element = h('div', { class: 'models-page' }, h('div', { class: 'toolbar' }, h('h1', {}, 'Models')), place)
  const load = async () => {
    try {
      const { active, models } = await ask<Models>('/v1/models')
      place.replaceChildren(...(models.length > 0 ? models.map((model) => card(model, active)) : [nothing()]))
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

function fact (name: string, value: Node | string): Node[] {
  return [h('dt', {}, name), h('dd', {}, value)]
}

function nothing (): HTMLElement {
  return notice('No models are there', h('p', {}, 'Services are scaled by their present load. ', h('code', {}, 'prescale train'), ' makes models from your history.'))
}
