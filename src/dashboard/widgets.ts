import type { DecisionSource, ServiceMode, Severity } from '../domain.ts'
import { h } from './dom.ts'
import { clock, utc } from './format.ts'

/** The reader's time; UTC when pointed at. */
export function timeOf (at: number, options: { date?: boolean } = {}): HTMLElement {
  return h('time', { datetime: new Date(at).toISOString(), title: utc(at) }, clock(at, options))
}

const sourceHelp: Readonly<Record<DecisionSource, string>> = {
  forecast: 'Scaled for the load that is expected',
  reactive: 'Scaled for the present load, as HPA does',
  hold: 'No load is known: the last decision holds',
  floor: 'No load is known for long: the largest load of the last season is covered'
}

export function sourceBadge (source: DecisionSource): HTMLElement {
  return h('span', { class: `badge source-${source}`, title: sourceHelp[source] }, source)
}

const signs: Readonly<Record<Severity, string>> = { none: '○', low: '◔', medium: '◑', high: '◕', critical: '●' }

/** Told by shape and word, not by colour alone. */
export function severityBadge (severity: Severity): HTMLElement {
  return h('span', { class: `badge severity-${severity}` }, h('span', { 'aria-hidden': 'true' }, signs[severity]), ` ${severity === 'none' ? 'normal' : severity}`)
}

const modeHelp: Readonly<Record<ServiceMode, string>> = {
  shadow: 'Decided and recorded; autoscalers get nothing',
  advise: 'Decided and pushed; autoscalers get nothing',
  act: 'Autoscalers get what is decided'
}

export function modeBadge (mode: ServiceMode): HTMLElement {
  return h('span', { class: `badge mode-${mode}`, title: modeHelp[mode] }, mode)
}

export function demoBadge (): HTMLElement {
  return h('span', { class: 'badge demo', title: 'A sample trace that prescale plays, one minute a second' }, 'demo')
}

/** A page, or a part of one, that has nothing to show, and why. */
export function notice (title: string, ...more: (Node | string)[]): HTMLElement {
  return h('section', { class: 'notice' }, h('h2', {}, title), ...more)
}

export function failure (error: unknown, retry: () => void): HTMLElement {
  return h('section', { class: 'notice error', role: 'alert' },
    h('h2', {}, 'This could not be read'),
    h('p', {}, (error as Error).message),
    h('button', { type: 'button', onclick: retry }, 'Try again'))
}
