import type { Suggestion, SuggestionAnswer } from '../domain.ts'
import { ask, pathOf } from './api.ts'
import { h } from './dom.ts'
import { words } from './format.ts'
import { canaryText, evidenceText, expectedText, undoText, valueText } from './suggestion-text.ts'
import { timeOf } from './widgets.ts'

/** What is suggested for a service as a card, and what an operator says to it; hidden while there is nothing to say. */
export function createSuggested (service: string) {
  const element = h('section', { class: 'card', hidden: true })

  const show = (suggestion: Suggestion | null) => {
    const { changed = [], accepted, refused } = suggestion ?? {}
    const isTold = suggestion !== null && suggestion.source !== 'network' && suggestion.observations > 0
    element.hidden = suggestion === null || (changed.length === 0 && refused === undefined && accepted === undefined && !isTold)
    if (element.hidden || suggestion === null) return
    const { config, reason, expected, mode, canary } = suggestion
    const heading = changed.length === 0 ? 'Configuration' : mode === 'apply' ? 'Configuration to apply' : 'Suggested configuration'
    element.replaceChildren(h('h2', {}, heading),
      h('p', {}, reason),
      ...(changed.length === 0 ? [] : changes(suggestion)),
      ...(expected ? [h('p', {}, expectedText(expected))] : []),
      ...(canary ? [h('p', {}, canaryText(canary))] : []),
      ...(changed.length === 0 || mode === 'apply' ? [] : [answerLine(config)]),
      ...(accepted ? [h('p', { class: 'muted' }, `${accepted.by} accepted one at `, timeOf(accepted.at, { date: true }), '.')] : []),
      ...(isTold && suggestion.proof ? [h('p', { class: 'proof' }, h('strong', {}, 'So far: '), suggestion.proof.reason)] : []),
      h('p', { class: 'muted' }, evidenceText(suggestion)))
  }

  const changes = (suggestion: Suggestion): HTMLElement[] => [
    h('ul', {}, ...suggestion.changed.map(({ name, from, to, unit }) => h('li', {}, h('strong', {}, words(name)), ` ${valueText(from)} → ${valueText(to, unit)}`))),
    h('p', { class: 'muted' }, undoText(suggestion))
  ]

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
