import type { Decision, Override, Policy, Savings, Suggestion, Verdict } from '../domain.ts'
import { ApiError, ask, now, pathOf } from './api.ts'
import { bandsOf } from './bands.ts'
import { catchUp } from './catch-up.ts'
import { download, h, throttled } from './dom.ts'
import { duration, short } from './format.ts'
import { createIncidents } from './incidents.ts'
import type { LiveEvent } from './live.ts'
import { liftOverrides, operateDialog } from './operate.ts'
import type { Page } from './page.ts'
import { createPlots } from './plots.ts'
import { savingsText } from './savings.ts'
import { createSeries, type Series, type SeriesAnswer } from './series.ts'
import { createSuggested } from './suggested.ts'
import { whatIfDialog } from './what-if.ts'
import { demoBadge, failure, modeBadge, notice, severityBadge, sourceBadge, timeOf } from './widgets.ts'
import { whyDecision, whyVerdict, type PastVerdict } from './why.ts'

interface ServiceAnswer {
  readonly policy: Policy
  readonly decision: Decision | null
  readonly verdict: Verdict | null
  readonly suggestion: Suggestion | null
  readonly savings: Savings | null
  readonly demo?: boolean
}

const ranges: readonly (readonly [seconds: number, label: string])[] = [[300, '5 min'], [900, '15 min'], [3_600, '1 h'], [21_600, '6 h'], [86_400, '1 d'], [Infinity, 'all']]
/** As many steps as a first look shows. */
const firstLookSteps = 240
const listedChanges = 40
const renderMs = 400

/** One service: its past and what is expected, why it was decided so, and what an operator may do about it. */
export function servicePage (service: string, rangeSeconds: number | null): Page {
  let answer: ServiceAnswer | null = null
  let series: Series | null = null
  let decision: Decision | null = null
  let verdict: Verdict | null = null
  let picked: Decision | null = null
  let pickedVerdict: PastVerdict | null = null
  let range = rangeSeconds
  const closing = new AbortController()

  const facts = h('dl', { class: 'facts' })
  const override = h('div', { class: 'override', hidden: true })
  const plots = createPlots({ onPick: (at) => { explainAt(at) }, onZoom: (zoomed) => { resetZoom.hidden = !zoomed } })
  const resetZoom = h('button', { type: 'button', hidden: true, onclick: () => { plots.setZoom(null) } }, 'Reset zoom')
  const rangeButtons = ranges.map(([seconds, label]) => h('button', { type: 'button', onclick: () => { setRange(seconds) } }, label))
  const operate = h('button', { type: 'button', class: 'primary', onclick: () => { openDialog() } }, 'Hold, pause or force…')
  const whatIf = h('button', { type: 'button', onclick: () => { if (answer) open(whatIfDialog(service, answer.policy)) } }, 'What if…')
  const whyTitle = h('h2', { tabindex: '-1' })
  const toPresent = h('button', { type: 'button', hidden: true, onclick: () => { show(null) } }, 'Back to now')
  const why = h('div', { class: 'why-body' })
  const changes = h('ol', { class: 'changes' })
  const behaviour = h('div')
  const behaviourTitle = h('h2', {}, 'Behaviour')
  const incidents = createIncidents(service, { onPick: (at) => { explainAt(at) }, onChange: () => { soon() } })
  const suggested = createSuggested(service)
  const place = h('div', { class: 'place' })
  const content = h('div', { class: 'service-grid' },
    h('div', { class: 'service-main' },
      h('div', { class: 'toolbar' },
        h('div', { class: 'ranges', role: 'group', 'aria-label': 'Time range' }, ...rangeButtons), resetZoom,
        h('span', { class: 'grow' }),
        h('button', { type: 'button', onclick: () => { if (series) download(`${service}.csv`, new Blob([series.toCsv()], { type: 'text/csv' })) } }, 'CSV'),
        h('button', { type: 'button', onclick: () => { savePng() } }, 'PNG')),
      plots.element,
      h('p', { class: 'muted hint' }, 'Click a plot to ask why it was decided so then; drag to zoom, double-click to zoom out. What was expected stands at the end of its horizon.'),
      h('div', { class: 'cards' }, h('section', { class: 'card' }, h('h2', {}, 'Latest changes'), changes), h('section', { class: 'card' }, behaviourTitle, behaviour), incidents.element)),
    h('aside', { class: 'service-side' },
      h('section', { class: 'card why', id: 'why' }, h('div', { class: 'why-head' }, whyTitle, toPresent), why),
      suggested.element))
  const title = h('h1', {}, service)
  const element = h('div', { class: 'service-page' },
    h('div', { class: 'toolbar service-head' }, h('a', { href: '#/', class: 'back' }, '← Services'), title, h('span', { class: 'grow' }), whatIf, operate),
    override, facts, place)

  const readAll = async () => {
    try {
      const [described, past] = await Promise.all([
        ask<ServiceAnswer>(pathOf(service), { signal: closing.signal }),
        ask<SeriesAnswer>(`${pathOf(service)}/series`, { signal: closing.signal }).catch(noneYet)
      ])
      answer = described
      const readIncidents = incidents.load(closing.signal).then(soon)
      series = createSeries(past)
      decision = described.decision
      verdict = described.verdict
      suggested.show(described.suggestion)
      range ??= ranges.find(([seconds]) => seconds >= firstLookSteps * described.policy.stepSeconds)![0]
      if (described.demo && !title.querySelector('.demo')) title.append(' ', demoBadge())
      render()
      await readIncidents
    } catch (error) {
      if (closing.signal.aborted) return
      const gone = error instanceof ApiError && error.status === 404
      operate.hidden = gone
      whatIf.hidden = gone
      place.replaceChildren(gone ? notice('No such service', h('p', {}, (error as Error).message), h('a', { href: '#/' }, 'All services')) : failure(error, () => { read() }))
    }
  }

  const render = () => {
    if (answer === null || series === null) return
    renderFacts()
    renderOverrides(answer.policy)
    if (series.isEmpty()) {
      place.replaceChildren(notice('Not enough samples yet', h('p', {}, 'The first decision comes with the first samples that say how large the load is.')))
      return
    }
    if (!place.contains(content)) place.replaceChildren(content)
    rangeButtons.forEach((button, i) => { button.setAttribute('aria-pressed', String(ranges[i][0] === range)) })
    plots.show(series, seen(), bandsOf(incidents.all(), series.newestAnomalyAt()))
    renderWhy()
    renderBehaviour()
    renderChanges()
  }
  const soon = throttled(render, renderMs)

  /** Epoch ms: the range up to the end of what is expected. */
  const seen = (): [number, number] => {
    const end = series!.lastAt()! + Math.max(series!.horizonMs(), 1000)
    return [range === null || range === Infinity ? series!.firstAt()! : end - 1000 * range, end]
  }

  const renderFacts = () => {
    const late = decision !== null && decision.validUntil <= now()
    const fact = (name: string, ...value: (Node | string)[]) => h('div', {}, h('dt', {}, name), h('dd', {}, ...value))
    facts.classList.toggle('stale', late)
    facts.replaceChildren(...(decision === null
      ? [fact('Decision', 'none yet')]
      : [
          fact('Ready → wanted', h('span', { class: 'big' }, `${decision.currentReplicas} → `, h('strong', {}, String(decision.replicas)))),
          fact('Mode', modeBadge(decision.mode)),
          fact('Source', late ? h('span', { class: 'badge stale-badge' }, 'out of date') : sourceBadge(decision.source)),
          fact('Load', short(decision.load)),
          fact('One replica carries', short(decision.capacity)),
          ...(verdict === null ? [] : [fact('Behaviour', severityBadge(verdict.severity))]),
          ...(answer?.savings ? [fact('Saved against HPA', savingsText(answer.savings))] : []),
          fact('Last sample', h('span', { class: late ? 'warning' : '' }, `${duration((now() - decision.asOf) / 1000)} ago`))
        ]))
  }

  const renderOverrides = ({ override: one, overrides = [] }: Policy) => {
    const active = [...one ? [one] : [], ...overrides].filter(({ until }) => until === undefined || until > now())
    override.hidden = active.length === 0
    const key = JSON.stringify(active)
    if (override.hidden || override.dataset['key'] === key) return
    override.dataset['key'] = key
    override.replaceChildren(
      ...active.map((present) => h('span', {}, h('strong', {}, overrideText(present)), ` – ${present.reason} – `,
        ...(present.until === undefined ? ['until it is lifted'] : ['until ', timeOf(present.until, { date: true })]))),
      h('button', { type: 'button', onclick: (event: Event) => { lift(event.currentTarget as HTMLButtonElement) } }, 'Lift'))
  }

  const lift = async (button: HTMLButtonElement) => {
    button.disabled = true
    await liftOverrides(service).then(read, (error: Error) => { button.replaceWith(h('span', { class: 'problem', role: 'alert' }, error.message)) })
  }

  const renderWhy = () => {
    const shown = picked ?? decision
    toPresent.hidden = picked === null
    if (shown === null) return
    whyTitle.textContent = `Why ${shown.replicas}${picked === null ? '' : ' then'}?`
    why.replaceChildren(...whyDecision(shown))
  }

  const renderBehaviour = () => {
    const shown = picked === null ? verdict : pickedVerdict
    behaviourTitle.textContent = picked === null ? 'Behaviour' : 'Behaviour then'
    behaviour.replaceChildren(...(shown === null ? [h('p', { class: 'muted' }, picked === null ? 'No sample has been judged yet.' : 'No verdict of that time is kept.')] : whyVerdict(shown)))
  }

  const renderChanges = () => {
    const list = series!.changes(listedChanges)
    const key = `${list[0]?.at} ${picked?.asOf}`
    if (changes.dataset['key'] === key) return
    changes.dataset['key'] = key
    const focused = (document.activeElement as HTMLElement | null)?.dataset['at']
    changes.replaceChildren(...list.map(({ at, from, to, source }) => h('li', {},
      h('button', { type: 'button', 'data-at': at, 'aria-pressed': picked?.asOf === at, onclick: () => { explainAt(at) } }, timeOf(at), h('strong', {}, from === null ? String(to) : `${from} → ${to}`), h('span', { class: 'muted' }, source)))))
    if (focused !== undefined) changes.querySelector<HTMLElement>(`[data-at="${focused}"]`)?.focus({ preventScroll: true })
  }

  const explainAt = async (at: number) => {
    try {
      const { decision: found, verdict: judged } = await ask<{ decision: Decision, verdict: PastVerdict | null }>(`${pathOf(service)}/explanation?at=${Math.round(at)}`, { signal: closing.signal })
      pickedVerdict = judged
      show(found)
      // On a phone the explanation is below everything else.
      if (matchMedia('(max-width: 1000px)').matches) whyTitle.focus()
    } catch (error) {
      if (!closing.signal.aborted) why.replaceChildren(h('p', { class: 'problem', role: 'alert' }, (error as Error).message))
    }
  }
  const show = (one: Decision | null) => {
    picked = one
    plots.pick(one?.asOf ?? null)
    render()
  }

  const setRange = (seconds: number) => {
    range = seconds
    history.replaceState(null, '', `#/services/${encodeURIComponent(service)}?range=${seconds}`)
    plots.setZoom(null)
    render()
  }

  const openDialog = () => {
    open(operateDialog(service, { replicas: decision?.replicas ?? 1, done: () => { read() } }))
  }
  const open = (dialog: HTMLDialogElement) => {
    element.append(dialog)
    dialog.showModal()
  }

  const savePng = async () => {
    const image = await plots.image(`${service}${answer?.demo ? ' (demo)' : ''}, ${new Date(now()).toISOString()}`)
    if (image) download(`${service}.png`, image)
  }

  const take = (one: LiveEvent) => {
    if (one.kind === 'decision' && one.decision.service === service) {
      if (series?.addDecision(one.decision)) decision = one.decision
    } else if (one.kind === 'verdict' && one.verdict.service === service) {
      if (series?.addVerdict(one.verdict)) verdict = one.verdict
    } else if (one.kind === 'suggestion' && one.suggestion.service === service) {
      suggested.show(one.suggestion)
    } else if (one.kind === 'incident' && one.incident.service === service) {
      incidents.take(one.incident)
    } else return
    soon()
  }

  const { read, tell } = catchUp(readAll, take)
  const timer = window.setInterval(() => { renderFacts() }, 5_000)
  place.replaceChildren(h('div', { class: 'skeleton tall', 'aria-busy': 'true', 'aria-label': 'Loading' }, h('div'), h('div'), h('div')))
  read()
  return {
    title: service,
    element,
    event: tell,
    refresh: () => { read() },
    recolour: plots.recolour,
    close: () => {
      closing.abort()
      clearInterval(timer)
      plots.close()
    }
  }
}

function overrideText (present: Override): string {
  switch (present.kind) {
    case 'hold': return 'Held: it may grow and does not shrink'
    case 'outage': return 'Outage declared: it does not shrink'
    case 'pause': return 'Paused: it stays as it is'
    case 'force': return `Forced to ${present.replicas} replicas`
  }
}

/** A service that is known and has no past yet. */
function noneYet (error: unknown): SeriesAnswer {
  if (!(error instanceof ApiError) || error.status === 0) throw error
  const decisions = { at: [], load: [], capacity: [], low: [], middle: [], high: [], wanted: [], ready: [], reactive: [], source: [] }
  return { decisions, verdicts: { at: [], score: [], threshold: [], anomaly: [] }, horizonSeconds: null }
}
