import type { Suggestion, SuggestionAnswer } from '../domain.ts'
import { ask, pathOf } from './api.ts'
import { h } from './dom.ts'
import { short, words } from './format.ts'
import { timeOf } from './widgets.ts'

/** What is suggested for a service as a card, and what an operator says to it; hidden while there is nothing to say. */
export function createSuggested (service: string) {
  const element = h('section', { class: 'card', hidden: true })

  const show = (suggestion: Suggestion | null) => {
    const { changed = [], accepted, refused } = suggestion ?? {}
    element.hidden = suggestion === null || (changed.length === 0 && refused === undefined && accepted === undefined)
    if (element.hidden || suggestion === null) return
    const { config, reason, observations } = suggestion
    element.replaceChildren(h('h2', {}, changed.length > 0 ? 'Suggested configuration' : 'Configuration'),
      h('p', {}, reason),
      ...(changed.length === 0 ? [] : [h('ul', {}, ...changed.map((name) => h('li', {}, h('strong', {}, words(name)), ` ${short(config[name])}`))), answerLine(config)]),
      ...(accepted ? [h('p', { class: 'muted' }, `${accepted.by} accepted one at `, timeOf(accepted.at, { date: true }), '.')] : []),
      h('p', { class: 'muted' }, `Learned from ${observations} observations.`))
  }

  const answerLine = (config: Suggestion['config']): HTMLElement => {
    const problem = h('span', { class: 'problem', role: 'alert' })
    const say = async (answer: SuggestionAnswer['answer']) => {
      for (const button of buttons) button.disabled = true
      await ask(`${pathOf(service)}/suggestion/answer`, { method: 'POST', body: { answer, config } }).catch((error: Error) => {
        problem.textContent = error.message
        for (const button of buttons) button.disabled = false
      })
    }
    const buttons = [
      h('button', { type: 'button', class: 'primary', onclick: () => { say('accepted') } }, 'Accept'),
      h('button', { type: 'button', onclick: () => { say('refused') } }, 'Refuse')
    ]
    return h('div', { class: 'buttons start' }, ...buttons, problem)
  }

  return { element, show }
}
