import type { Incident, IncidentFeedback } from '../domain.ts'
import { ask, pathOf } from './api.ts'
import { h } from './dom.ts'
import { duration } from './format.ts'
import { severityBadge, timeOf } from './widgets.ts'

const listed = 20
/** The worker takes a remark in between the samples; until it has, the answer is what was said. */
type Said = IncidentFeedback['verdict'] | null

interface IncidentsOptions {
  /** Somebody pointed at an incident: epoch ms of its peak. */
  readonly onPick: (at: number) => void
  readonly onChange: () => void
}

/** The incidents of one service as a card: what happened, and whether that was normal. */
export function createIncidents (service: string, { onPick, onChange }: IncidentsOptions) {
  let incidents: readonly Incident[] = []
  const list = h('ol', { class: 'incidents' })
  const element = h('section', { class: 'card' }, h('h2', {}, 'Incidents'), list)

  const load = async (signal: AbortSignal) => {
    const answer = await ask<{ incidents: Incident[] }>(`${pathOf(service)}/incidents?limit=${listed}`, { signal }).catch(() => null)
    if (answer === null) return
    incidents = answer.incidents
    render()
  }

  const take = (incident: Incident) => {
    incidents = [incident, ...incidents.filter(({ id }) => id !== incident.id)].sort((a, b) => b.lastAnomalyAt - a.lastAnomalyAt).slice(0, listed)
    render()
    onChange()
  }

  const render = () => {
    list.replaceChildren(...(incidents.length === 0 ? [h('li', { class: 'muted' }, 'None is remembered.')] : incidents.map((incident) => drawn(incident))))
  }

  const drawn = (incident: Incident & { readonly silentSince?: number }): HTMLElement => {
    const { silentSince, state, startedAt, lastAnomalyAt, severity, causes, peak } = incident
    const lasted = duration((lastAnomalyAt - startedAt) / 1000)
    return h('li', {},
      h('button', { type: 'button', class: 'incident', onclick: () => { onPick(peak.at) } },
        timeOf(startedAt, { date: true }), severityBadge(severity), h('span', { class: 'muted' }, state === 'open' ? `open for ${lasted}${silentSince === undefined ? '' : ', silent since then'}` : `lasted ${lasted}`)),
      causes.length === 0 ? null : h('p', {}, causes[0].text, causes.length > 1 ? h('span', { class: 'muted' }, ` and ${causes.length - 1} more`) : null),
      feedbackOf(incident))
  }

  const feedbackOf = (incident: Incident): HTMLElement => {
    const problem = h('span', { class: 'problem', role: 'alert' })
    const say = async (said: Said) => {
      for (const button of line.querySelectorAll('button')) button.disabled = true
      try {
        const path = `${pathOf(service)}/incidents/${encodeURIComponent(incident.id)}/feedback`
        await ask(path, said === null ? { method: 'DELETE' } : { method: 'POST', body: { verdict: said } })
        take({ ...incident, feedback: said === null ? null : { verdict: said, at: 0, by: 'you' } })
      } catch (error) {
        problem.textContent = (error as Error).message
        for (const button of line.querySelectorAll('button')) button.disabled = false
      }
    }
    const button = (text: string, said: Said) => h('button', { type: 'button', onclick: () => { say(said) } }, text)
    const { feedback } = incident
    const line = h('div', { class: 'buttons start' }, ...(feedback === null
      ? [button('This was normal', 'normal'), button('This was real', 'real')]
      : [h('span', { class: 'badge' }, `${feedback.verdict}, says ${feedback.by}`), button('Take back', null)]), problem)
    return line
  }

  render()
  return { element, load, take, all: () => incidents }
}
