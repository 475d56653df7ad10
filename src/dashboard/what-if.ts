import UPlot from 'uplot'
import type { AutoscalerResult, Policy } from '../domain.ts'
import { ask, pathOf } from './api.ts'
import { h } from './dom.ts'
import { clock, percent, short } from './format.ts'

interface Answer {
  readonly from: number
  readonly to: number
  readonly hours: number
  readonly present: AutoscalerResult
  readonly changed: AutoscalerResult
  readonly hpa: AutoscalerResult
  readonly series: { readonly at: number[], readonly load: (number | null)[], readonly present: number[], readonly changed: number[], readonly hpa: number[] }
}

const plotHeightPx = 190
const lines = [['changed', '--wanted', []], ['as set', '--ready', []], ['HPA', '--reactive', [5, 4]]] as const

/** A dialog that replays the last hours with other settings. */
export function whatIfDialog (service: string, { target, minReplicas, maxReplicas, startUpSeconds, violationTarget }: Policy): HTMLDialogElement {
  const number = (name: string, value: number | string, more: Record<string, unknown>) => h('input', { type: 'number', name, value, required: name !== 'startUpSeconds', ...more })
  const perReplica = target.kind === 'auto' ? null : target
  const targetInput = perReplica === null ? null : number('target', perReplica.atTarget, { min: 0.001, step: 'any' })
  const min = number('minReplicas', minReplicas, { min: 0, step: 1 })
  const max = number('maxReplicas', maxReplicas, { min: 1, step: 1 })
  const startUp = number('startUpSeconds', startUpSeconds === 'auto' ? '' : startUpSeconds, { min: 0, step: 'any', placeholder: 'as measured' })
  const budget = number('violationTarget', Number((100 * violationTarget).toPrecision(6)), { min: 0.01, max: 100, step: 'any' })
  const hours = number('hours', 24, { min: 1, max: 336, step: 1 })
  const problem = h('p', { class: 'problem', role: 'alert' })
  const result = h('div', { class: 'what-if-result', 'aria-live': 'polite' })
  const submit = h('button', { type: 'submit', class: 'primary' }, 'Replay')
  let chart: UPlot | null = null

  const settings = () => ({
    ...(targetInput && perReplica && Number(targetInput.value) !== perReplica.atTarget && { target: { [perReplica.signal]: Number(targetInput.value) } }),
    minReplicas: Number(min.value),
    maxReplicas: Number(max.value),
    ...(startUp.value !== '' && { startUpSeconds: Number(startUp.value) }),
    ...(Number(budget.value) !== Number((100 * violationTarget).toPrecision(6)) && { violationTarget: Number(budget.value) / 100 })
  })

  const replay = async () => {
    submit.disabled = true
    problem.textContent = ''
    result.replaceChildren(h('p', { class: 'muted', 'aria-busy': 'true' }, 'Replaying…'))
    try {
      show(await ask<Answer>(`${pathOf(service)}/what-if`, { method: 'POST', body: { hours: Number(hours.value), settings: settings() } }))
    } catch (error) {
      result.replaceChildren()
      problem.textContent = (error as Error).message
    }
    submit.disabled = false
  }

  const show = (answer: Answer) => {
    chart?.destroy()
    const figure = h('figure', { class: 'plot' }, h('figcaption', {}, 'Replicas wished for'))
    result.replaceChildren(h('p', { class: 'muted' }, `The last ${short(answer.hours)} h, ${clock(answer.from, { date: true })} to ${clock(answer.to, { date: true })}`), resultTable(answer), figure)
    chart = drawReplicas(answer, figure, result.clientWidth)
  }

  const label = (text: string, input: HTMLElement | null) => input && h('label', {}, text, input)
  const form: HTMLFormElement = h('form', { onsubmit: (event: SubmitEvent) => { event.preventDefault(); replay() } },
    h('h2', { id: 'what-if-title' }, `What if ${service} were set otherwise?`),
    h('p', { class: 'muted' }, 'The same rules on the load of the last hours, in a simulated cluster. Nothing is changed.'),
    h('div', { class: 'fields' },
      label(perReplica === null ? '' : `Target (${perReplica.signal})`, targetInput), label('Fewest replicas', min), label('Most replicas', max),
      label('Start-up, seconds', startUp), label('Violations allowed, %', budget), label('Hours to replay', hours)),
    problem, result,
    h('div', { class: 'buttons' }, h('button', { type: 'button', onclick: () => { dialog.close() } }, 'Close'), submit))
  const closed = () => {
    chart?.destroy()
    dialog.remove()
  }
  const dialog = h('dialog', { class: 'wide', 'aria-labelledby': 'what-if-title', onclose: closed }, form)
  return dialog
}

function resultTable ({ changed, present, hpa }: Answer): HTMLElement {
  const row = (name: string, { violationRatio, instanceHours, changesPerHour }: AutoscalerResult) => h('tr', {},
    h('th', { scope: 'row' }, name), h('td', {}, percent(violationRatio)), h('td', {}, short(instanceHours)), h('td', {}, short(changesPerHour)))
  return h('table', { class: 'small' },
    h('thead', {}, h('tr', {}, ...['', 'Violations', 'Instance-hours', 'Changes an hour'].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, row('Changed', changed), row('As set', present), row('HPA', hpa)))
}

function drawReplicas ({ series }: Answer, figure: HTMLElement, width: number): UPlot {
  const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const axis = (size: number): UPlot.Axis => ({ stroke: colour('--muted'), font: '12px system-ui, sans-serif', grid: { stroke: colour('--grid'), width: 1 }, ticks: { show: false }, size })
  return new UPlot({
    width: Math.max(240, width - 24),
    height: plotHeightPx,
    legend: { live: false },
    scales: { y: { range: (_, _low, high) => [0, Math.max(2, (high ?? 0) * 1.08)] } },
    axes: [{ ...axis(28), values: (_, times) => times.map((at) => clock(at * 1000)), space: 90 }, axis(40)],
    series: [{}, ...lines.map(([label, name, dash]): UPlot.Series => {
      return { label, stroke: colour(name), width: 1.5, dash: [...dash], paths: UPlot.paths.stepped!({ align: 1 }), points: { show: false } }
    })]
  }, [series.at.map((at) => at / 1000), series.changed, series.present, series.hpa], figure)
}
