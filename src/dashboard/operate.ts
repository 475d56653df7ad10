import { ask, pathOf } from './api.ts'
import { h } from './dom.ts'

type Settings = Record<string, unknown> & { override?: unknown, overrides?: unknown }
type Kind = 'hold' | 'pause' | 'outage' | 'force'

const kinds: readonly { readonly kind: Kind, readonly label: string, readonly help: string }[] = [
  { kind: 'hold', label: 'Hold', help: 'may grow, does not shrink' },
  { kind: 'pause', label: 'Pause', help: 'stays as it is' },
  { kind: 'outage', label: 'Outage', help: 'as hold, and so does what depends on it' },
  { kind: 'force', label: 'Force', help: 'exactly so many replicas' }
]
const ttls: readonly (readonly [seconds: number, label: string])[] = [[900, '15 minutes'], [3_600, '1 hour'], [14_400, '4 hours'], [86_400, '1 day'], [0, 'until it is lifted']]

/** Lifts whatever overrides there are, those of the settings and those that were set for a while. */
export async function liftOverrides (service: string): Promise<void> {
  const [{ settings }, { overrides }] = await Promise.all([
    ask<{ settings: Settings }>(pathOf(service)), ask<{ overrides: readonly { id?: string }[] }>(`${pathOf(service)}/overrides`)
  ])
  const { override, overrides: more, ...others } = settings
  if (override !== undefined || more !== undefined) await ask(pathOf(service), { method: 'PUT', body: others })
  for (const { id } of overrides) if (id !== undefined) await ask(`${pathOf(service)}/overrides/${id}`, { method: 'DELETE' })
}

/** Takes the place of whatever overrides there were. One without an end is a setting; all other settings stay as they are. */
async function setOverride (service: string, override: Record<string, unknown>, ttlSeconds: number): Promise<void> {
  await liftOverrides(service)
  if (ttlSeconds > 0) return await ask(`${pathOf(service)}/overrides`, { method: 'POST', body: { ...override, ttlSeconds } })
  const { settings } = await ask<{ settings: Settings }>(pathOf(service))
  await ask(pathOf(service), { method: 'PUT', body: { ...settings, override } })
}

/** A dialog that asks what to do, for how long and why. */
export function operateDialog (service: string, { replicas, done }: { readonly replicas: number, readonly done: () => void }): HTMLDialogElement {
  const choices = kinds.map(({ kind, label, help }, i) => h('label', { class: 'choice' },
    h('input', { type: 'radio', name: 'kind', value: kind, checked: i === 0, onchange: () => { showCount() } }), h('strong', {}, label), h('span', { class: 'muted' }, ` ${help}`)))
  const count = h('input', { type: 'number', name: 'replicas', min: 0, max: 100_000, step: 1, value: replicas, required: true })
  const countLabel = h('label', { hidden: true }, 'Replicas', count)
  const ttl = h('select', { name: 'ttl' }, ...ttls.map(([seconds, label]) => h('option', { value: seconds, selected: seconds === 3_600 }, label)))
  const reason = h('input', { name: 'reason', required: true, maxlength: 200, placeholder: 'Why? Everybody will read it.' })
  const problem = h('p', { class: 'problem', role: 'alert' })
  const submit = h('button', { type: 'submit', class: 'primary' }, 'Apply')
  const kind = () => (form.elements.namedItem('kind') as RadioNodeList).value as Kind
  const showCount = () => {
    countLabel.hidden = kind() !== 'force'
    count.disabled = countLabel.hidden
  }

  const apply = async () => {
    const seconds = Number(ttl.value)
    const value = kind() === 'force' ? { force: Number(count.value) } : { [kind()]: true }
    submit.disabled = true
    problem.textContent = ''
    try {
      await setOverride(service, { ...value, reason: reason.value.trim() }, seconds)
      dialog.close()
      done()
    } catch (error) {
      problem.textContent = (error as Error).message
    }
    submit.disabled = false
  }

  const form: HTMLFormElement = h('form', { onsubmit: (event: SubmitEvent) => { event.preventDefault(); apply() } },
    h('h2', { id: 'operate-title' }, `Override ${service}`),
    h('fieldset', {}, h('legend', {}, 'What'), ...choices),
    countLabel,
    h('label', {}, 'For', ttl),
    h('label', {}, 'Reason', reason),
    problem,
    h('div', { class: 'buttons' }, h('button', { type: 'button', onclick: () => { dialog.close() } }, 'Cancel'), submit))
  const dialog = h('dialog', { 'aria-labelledby': 'operate-title', onclose: () => { dialog.remove() } }, form)
  showCount()
  return dialog
}
